"""Which language a text is written in, told by its script alone.

Knows Latin, Han, kana and Hangul; nothing of vocabulary, so Chinese and an all-kanji Japanese text look the same here
and only a preference tells them apart. Called by the splitter (is this character wide?), by `normalize`, and by
engines that send each run of a mixed text to its own front end.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Script = Literal["latin", "han", "kana", "hangul", "other", "none"]

HAN: Final = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA: Final = "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL: Final = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"

_CLASSES: Final = re.compile(rf"(?P<han>[{HAN}])|(?P<kana>[{KANA}])|(?P<hangul>[{HANGUL}])")
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff][A-Za-z\u00c0-\u024f\u1e00-\u1eff'’]*+")
_OPENERS: Final = frozenset("([{“‘«「『（《〈【〔［｛")


def script_of(char: str) -> Script:
    """The script of one character; "none" for digits, marks, spaces and symbols."""
    if char.isascii():
        return "latin" if char.isalpha() else "none"
    found = _CLASSES.match(char)
    if found is not None:
        return found.lastgroup  # type: ignore[return-value]  # the group names are the script names
    if not char.isalpha():
        return "none"
    return "latin" if _LATIN_WORD.match(char) or "\uff21" <= char <= "\uff5a" else "other"


def is_wide(char: str) -> bool:
    """True for Han, kana and Hangul: one character is about one syllable."""
    return char >= "\u1100" and _CLASSES.match(char) is not None


def is_unspaced(char: str) -> bool:
    """True for Han and kana, written without spaces: every character counts as a word."""
    return char >= "\u3005" and _CLASSES.match(char) is not None and script_of(char) != "hangul"


def speakable(text: str) -> bool:
    """True when the text holds a letter or a digit of any script: something that can be read aloud."""
    return any(char.isalnum() for char in text)


def detect_language(text: str, preferred: str = "en") -> str:
    """The main language: "en", "zh", "ja" or "ko".

    Kana makes a text Japanese, Hangul Korean, Han alone Chinese (Japanese where `preferred` is "ja"). A few such
    characters inside a longer Latin text do not change its language. A text without any letter is in `preferred`.
    """
    counts = {"han": 0, "kana": 0, "hangul": 0}
    for found in _CLASSES.finditer(text):
        counts[str(found.lastgroup)] += 1
    wide = sum(counts.values())
    latin_words = sum(1 for _ in _LATIN_WORD.finditer(text))
    if not wide:
        return "en" if latin_words else preferred
    if latin_words > 2 * wide:
        return "en"
    if counts["hangul"] > counts["kana"] and 2 * counts["hangul"] >= counts["han"]:
        return "ko"
    return "ja" if counts["kana"] or preferred == "ja" else "zh"


def language_runs(text: str, default: str = "en") -> list[tuple[int, int, str]]:
    """Cut a mixed text where its language changes.

    Digits, marks and spaces stay with the run before them; at the start of the text, and where they open a quotation
    or bracket, with the run after. Han is Japanese where the text has kana or `default` is "ja", else Chinese;
    letters of other scripts are in `default`.

    Returns:
        (start, end, language) in code points, in order, without gaps; empty for an empty text.
    """
    han = "ja" if default == "ja" or re.search(f"[{KANA}]", text) else "zh"
    languages = {"latin": "en", "han": han, "kana": "ja", "hangul": "ko", "other": default}
    runs: list[tuple[int, int, str]] = []
    start, current, opened = 0, "", None
    for at, char in enumerate(text):
        script = script_of(char)
        if script == "none":
            opened = (at if opened is None else opened) if char in _OPENERS else None
            continue
        language = languages[script]
        if current and language != current:
            border = at if opened is None else opened
            runs.append((start, border, current))
            start = border
        current, opened = language, None
    if text:
        runs.append((start, len(text), current or default))
    return runs
