"""No digit, currency sign or letter of an English text disappears unspoken, whatever stands around it."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.language import speakable
from vivavoce.text.normalize import normalize

# Left out on purpose, with the rule that says so: markup, links, formulas, faces and citations (which have their own
# tests) need one of these signs; a timestamp's zero seconds need a "T" between figures.
SIGNS_OF_MARKUP = set("<>[](){}*_`~#|\\^:;=&@$")
WORDS = [
    "cats", "the", "a", "at", "in", "of", "to", "Mr.", "No.", "max.", "May", "Jan.", "km", "kg", "m", "mg/dL", "m/s²",
    "ft.", "lb.", "in.", '"', "'", "pm", "a.m.", "BC", "AD", "Room", "code", "call", "PIN", "WWII", "CO2", "IV", "Ⅳ",
    "K", "M", "B", "x", "X", "°C", "°", "%", "½", "¾", "⁻³", "²", "₂", "1", "7", "12", "05", "007", "300", "1999",
    "2050", "10000", "5551234567", "1,000", "3.14", "22,1", "1/2", "10/10", "12/24", "9:30", "8.30pm", "1990s", "1st",
    "2024-05-17", "€", "£", "₦", "₹", "¥", "฿", "NT", "US", "R", "e", "-", "–", "—", "−", "--", "+", "/", "!=", "≤",
    "×", "÷", "±", ",", ".", "!", "?", " ", "  ", "\n", "\u00a0", "\u202f", "www.", "example.com", "v2.0", "é", "Δ",
    "gr8", "b4", "soooo", "yesss", "6'", "6'2''", "G/B", "F#m7", "chords", "play", "PT15M",
    "P1Y", "1 pt.", "17.05.24", "100.000", "5 Std.",
    "1,5", "und", "747-400", "RTX 4090", "RFC 9112", "∫₀¹",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map("".join) | st.lists(st.sampled_from(WORDS), max_size=12).map(
    " ".join
)


def lost(written: str) -> list[str]:
    """Characters to be said that no word stands for."""
    spoken = normalize(written, "en")
    if not speakable(written):  # signs alone are nothing to say
        return []
    said = [False] * len(written)
    for start, end, source_start, source_end in spoken.spans:
        if any(map(str.isalnum, spoken.text[start:end])):
            said[source_start:source_end] = [True] * (source_end - source_start)
    return [char for at, char in enumerate(written) if not said[at] and _is_said(char)]


def _is_said(char: str) -> bool:
    return char.isdecimal() or (char.isascii() and char.isalpha()) or unicodedata.category(char) == "Sc"


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(TEXTS)
def test_whatever_is_to_be_said_is_said(written: str) -> None:
    assert not lost(written), normalize(written, "en").text


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="ascii", exclude_characters="".join(SIGNS_OF_MARKUP)), max_size=40))
def test_plain_text_is_said_whole(written: str) -> None:
    assert not lost(written), normalize(written, "en").text
