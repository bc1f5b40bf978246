"""Reads written English aloud: all rules, in the order that keeps them out of each other's way.

Addresses come first because they hold everything else; then what has its own signs (times, abbreviations, dates,
money, measures), at last bare numbers and single signs. Called by `normalize`.
"""

from __future__ import annotations

from typing import Final

from vivavoce.text.english import (
    addresses,
    calendar,
    chemistry,
    chess,
    clock,
    dress,
    european,
    identifiers,
    measures,
    money,
    music,
    names,
    operators,
    ranges,
    romans,
    scripture,
    slang,
    words,
    years,
)
from vivavoce.text.english.rule import Rule
from vivavoce.text.mapped import MappedText

RULES: Final[tuple[Rule, ...]] = (
    *slang.SLANG,
    *addresses.WEB,
    *scripture.SCRIPTURE,
    *identifiers.IDENTIFIERS,
    *chess.CHESS,
    *music.CHORDS,
    *clock.DURATIONS,
    *chemistry.IONS,
    *european.EUROPEAN,
    *dress.DRESS,
    *chemistry.FORMULAS,
    *operators.SCIENTIFIC,
    *ranges.RANGES,
    *clock.TIMES,
    *words.ABBREVIATIONS,
    *names.CODES,
    *calendar.DATES,
    *years.ERAS,
    *money.MONEY,
    *names.NUMBERS,
    *addresses.VERSIONS,
    *measures.SIZES,
    *measures.MEASURES,
    *years.YEARS,
    *romans.ROMAN_NUMERALS,
    *operators.POWERS,
    *operators.OPERATORS,
    *words.NUMBERS,
    *words.SYMBOLS,
)


def read_english(text: MappedText) -> MappedText:
    """Rewrite the text as words."""
    for one in RULES:
        text = text.sub(one.pattern, one.spoken)
    return text
