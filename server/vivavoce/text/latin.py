"""Text for a voice that knows Latin letters only.

Accents go, alphabets with vowels (Greek, Cyrillic, Armenian, Georgian) are spelled in Latin, and what cannot be is
left out and noted: a letter that a voice lacks costs that word, never the request. Called by engines.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from vivavoce.text.english.dress import GREEK_LETTERS
from vivavoce.text.language import script_of
from vivavoce.text.mapped import MappedText
from vivavoce.text.normalize import SpokenText

_ALPHABETS: Final = ("GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "COPTIC", "LATIN")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT: Final = re.compile(r"\d")
_MARKS: Final = {"—": ", ", "–": ", ", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'"}
_SPACES: Final = re.compile(r"(?<=\s)\s+")
_UNKNOWN: Final = re.compile(r"[^A-Za-z\s.,;:!?'\"()-]")


def speaks_latin(text: str) -> bool:
    """True where the text holds a Latin letter or a digit: something such a voice can say."""
    return any(char.isalnum() and (char.isascii() or char.isdecimal() or _is_latin(char)) for char in text)


@lru_cache(maxsize=4096)
def latin_letters(char: str) -> str:
    """A letter as plain Latin ones; "" where it has no such spelling."""
    if char.isascii():
        return char
    name = unicodedata.name(char, "")
    if not char.isalpha() or not name.startswith(_ALPHABETS):
        return ""
    plain = "".join(part for part in anyascii(char) if part.isalpha())
    return plain.capitalize() if len(plain) > 1 and char.isupper() else plain  # "Aero", not "AEro"


def in_latin(spoken: SpokenText) -> SpokenText:
    """The same in plain Latin letters and marks, with what had to be left out in `unspoken`."""
    if not (_BEYOND_ASCII.search(spoken.text) or _DIGIT.search(spoken.text) or _UNKNOWN.search(spoken.text)):
        return spoken
    text = MappedText.of(spoken.source).respelled(spoken.text, spoken.spans)
    left_out: list[tuple[int, int]] = []
    for run in _BEYOND_ASCII.finditer(text.text):
        left_out += _left_out(text, run)
    text = text.map(_latin).sub(_DIGIT, _digit).sub(_UNKNOWN, " ").sub(_SPACES, "").strip()
    if not any(map(str.isalpha, text.text)):
        text = text[0:0]
    return replace(
        spoken, text=text.text, spans=text.spans(), unspoken=merged([*spoken.unspoken, *left_out], spoken.source)
    )


def in_known_scripts(spoken: SpokenText) -> SpokenText:
    """The same for a voice that reads Latin, Han, kana and Hangul: letters of other scripts as in `in_latin`."""
    others = [at for at, char in enumerate(spoken.text) if char > "\u036f" and script_of(char) == "other"]
    if not others:
        return spoken
    text = MappedText.of(spoken.source).respelled(spoken.text, spoken.spans)
    left_out = [text.origin(at, at + 1) for at in others if not latin_letters(text.text[at])]
    for one in GREEK_LETTERS:
        text = text.sub(one.pattern, one.spoken)
    text = text.map(lambda char: latin_letters(char) if char > "\u036f" and script_of(char) == "other" else char)
    text = text.sub(_SPACES, "").strip()
    return replace(
        spoken, text=text.text, spans=text.spans(), unspoken=merged([*spoken.unspoken, *left_out], spoken.source)
    )


def merged(ranges: list[tuple[int, int]], source: str) -> tuple[tuple[int, int], ...]:
    """Ranges in order, those with nothing but blank space between them joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and not source[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _left_out(text: MappedText, run: re.Match[str]) -> list[tuple[int, int]]:
    """Source ranges of the letters of a run that have no Latin spelling."""
    return [
        text.origin(at, at + 1)
        for at in range(run.start(), run.end())
        if text.text[at].isalpha() and not latin_letters(text.text[at])
    ]


def _latin(char: str) -> str:
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char.isspace():
        return " "
    return latin_letters(char) if char.isalpha() else _MARKS.get(char, "" if unicodedata.combining(char) else " ")


def _digit(found: re.Match[str]) -> str:
    return f" {_DIGITS[int(found[0])]} " if found[0].isdecimal() else " "


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN")
