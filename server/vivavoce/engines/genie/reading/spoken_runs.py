"""Cuts a sentence into runs of one language, and writes out as words what the front ends cannot read.

Most text comes here as words already; reference texts, and foreign runs inside a sentence, do not. Knows scripts and
what needs words; the words are `vivavoce.text`'s. Pure; called by `phonemes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from vivavoce.text.language import language_runs
from vivavoce.text.mapped import MappedText
from vivavoce.text.normalize import normalize

_UNSPOKEN = re.compile(r"[0-9０-９$€£¥￥%％°℃℉&@#+=<>\\/^×÷]|\b[A-Z][a-z]{0,3}\.|\bwww\.|\b[IVX]{2,}\b|([A-Za-z])\1\1")
_LATIN_WORDS = re.compile(r"[A-Za-z]+")
_INITIALS = 4  # capitals in a row that are letters and no word, though they have a vowel: "OPEC"
_READ_BY_MAIN = {("ja", "zh"), ("ja", "en"), ("ko", "en")}
_NUMBER_AFTER_FOREIGN_WORD = re.compile(r"(?<=[A-Za-z])\s+[0-9][0-9.,:%]*\s*$")


def spoken(text: MappedText, language: str) -> MappedText:
    """The text with numbers, currencies and abbreviations as words; as it is where it has none."""
    if not _UNSPOKEN.search(text.text):
        return text
    words = normalize(text.text, language)
    return text.respelled(words.text, words.spans)


def script_runs(text: str, main: str) -> list[tuple[int, int, str]]:
    """Runs of one language. A number after a foreign word is read in the main language: "用 iPhone 15 拍照"; in Korean
    so are initials, which have Korean names: "KBS 뉴스".
    """
    runs: list[tuple[int, int, str]] = []
    for start, end, language in language_runs(text, main):
        if main == "ko" and language == "en" and _are_initials(text[start:end]):
            language = main
        number = _NUMBER_AFTER_FOREIGN_WORD.search(text[start:end]) if language != main else None
        border = start + number.start() if number else end
        runs += [(start, border, language), (border, end, main)] if number else [(start, end, language)]
    joined: list[tuple[int, int, str]] = []
    for start, end, language in runs:
        if joined and joined[-1][2] == language:
            joined[-1] = (joined[-1][0], end, language)
        else:
            joined.append((start, end, language))
    return joined


def unread_runs(text: str, main: str, unreadable: Collection[str]) -> list[tuple[int, int]]:
    """Runs of a language nobody reads here, and which the main language's front end has no letters for either."""
    return [
        (start, end)
        for start, end, language in script_runs(text, main)
        if language in unreadable and language != main and (main, language) not in _READ_BY_MAIN
    ]


def _are_initials(text: str) -> bool:
    """ "AI", "KBS", "x", "pdf", "LG, SK"; not "LOVE YOU": of several words in capitals, one with a vowel is a word."""
    words = _LATIN_WORDS.findall(text)
    voiceless = all(len(word) == 1 or not set(word.upper()) & set("AEIOUY") for word in words)
    return voiceless or (len(words) == 1 and words[0].isupper() and len(words[0]) <= _INITIALS)
