"""What a voice of Latin letters makes of other letters: their name, their sound, or nothing, and then it says so."""

from __future__ import annotations

import pytest

from vivavoce.text.latin import in_known_scripts, in_latin, speaks_latin
from vivavoce.text.normalize import SpokenText, normalize


def said(written: str) -> SpokenText:
    return in_latin(normalize(written, "en"))


def left_out(spoken: SpokenText) -> list[str]:
    return [spoken.source[start:end] for start, end in spoken.unspoken]


@pytest.mark.parametrize(
    ("written", "expected", "missing"),
    [
        ("Aloha from Hawaiʻi and Oʻahu, my friends.", "Aloha from Hawai'i and O'ahu, my friends.", []),
        ("The change Δx is small.", "The change delta x is small.", []),
        ("α means alpha.", "alpha means alpha.", []),
        ("Primero es 1º y segunda es 2ª.", "Primero es first y segunda es second.", []),
        ("𝐁𝐨𝐥𝐝 𝐧𝐞𝐰𝐬 for you", "Bold news for you", []),
        ("Ⓐ and 🄱 and ℝ", "A and B and R", []),
        ("She said Привет to me.", "She said Privet to me.", []),
        ("The word γειά is Greek.", "The word geia is Greek.", []),
        ("Born in Հայաստան or საქართველო.", "Born in Hayastan or sakartvelo.", []),
        ("Say 你好 twice.", "Say twice.", ["你好"]),
        ("From 東京 to שלום, and 서울 too.", "From to , and too.", ["東京", "שלום", "서울"]),
        ("Straße, naïve, Łódź, Ærø, þing", "Strasse, naive, Lodz, Aero, thing", []),
        ("a 3 العربية b", "a three b", ["العربية"]),
        ("It’s “fine” — really…", 'It\'s "fine", really...', []),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width", []),
    ],
)
def test_a_letter_costs_itself_at_most(written: str, expected: str, missing: list[str]) -> None:
    spoken = said(written)
    assert spoken.text == expected
    assert left_out(spoken) == missing
    assert spoken.text.isascii()


def test_plain_text_is_left_as_it_is() -> None:
    spoken = normalize("Plain words, nothing else.")
    assert in_latin(spoken) is spoken
    assert in_known_scripts(spoken) is spoken


def test_no_digit_is_left_to_the_voice() -> None:
    assert in_latin(SpokenText("a 12 b", "a 12 b", "en", ((0, 6, 0, 6),))).text == "a one two b"


@pytest.mark.parametrize(
    ("text", "speaks"),
    [("你好", False), ("Привет", False), ("你好 OK", True), ("é", True), ("你好 5", True), ("!?", False)],
)
def test_what_can_be_said_at_all(text: str, speaks: bool) -> None:
    assert speaks_latin(text) is speaks


def test_the_map_still_leads_to_the_words() -> None:
    written = "She said Привет and 你好 twice."
    spoken = said(written)
    pieces = [(spoken.text[a:b], written[c:d]) for a, b, c, d in spoken.spans if spoken.text[a:b].strip()]
    assert ("Privet", "Привет") in pieces
    assert ("twice.", "twice.") in pieces


def test_a_voice_of_many_scripts_keeps_its_own_and_spells_the_others() -> None:
    spoken = in_known_scripts(normalize("α粒子和Привет。", "zh"))
    assert spoken.text == "alpha 粒子和Privet。"
    assert spoken.unspoken == ()
    assert left_out(in_known_scripts(normalize("今日はשלוםです。", "ja"))) == ["שלום"]
