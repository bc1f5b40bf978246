"""Reads written English aloud: all rules, in the order that keeps them out of each other's way.

Addresses come first because they hold everything else; then what has its own signs (times, abbreviations, dates,
money, measures), at last bare numbers and single signs. Called by `normalize`.
"""

from __future__ import annotations

from typing import Final

from vivavoce.text.english import addresses, calendar, quantities, words
from vivavoce.text.english.rule import Rule
from vivavoce.text.mapped import MappedText

RULES: Final[tuple[Rule, ...]] = (
    *addresses.WEB,
    *calendar.TIMES,
    *words.ABBREVIATIONS,
    *calendar.DATES,
    *quantities.MONEY,
    *addresses.NUMBERS,
    *quantities.MEASURES,
    *words.ROMAN_NUMERALS,
    *words.NUMBERS,
    *words.SYMBOLS,
)


def read_english(text: MappedText) -> None:
    """Rewrite the text as words."""
    for one in RULES:
        text.sub(one.pattern, one.spoken)
