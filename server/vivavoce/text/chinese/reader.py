"""What Chinese text has that its front end misreads, written so that it is read right.

Figures stay where the front end reads them well (years, prices, fractions, plain measures). Units, telephone numbers,
ratios, powers, signs of two marks and a minus by any dash become Chinese words. Called by `normalize`.
"""

from __future__ import annotations

from typing import Final

from vivavoce.text.chinese import amounts, calendar, dashes, letters, money, operators, units
from vivavoce.text.english.rule import Rule
from vivavoce.text.mapped import MappedText

_SIGNS: Final = tuple(map(ord, "％＋＝＜＞＆＊／＄＠＃"))
_FULL_WIDTH: Final = {
    chr(code): chr(code - 0xFEE0)
    for code in (
        *range(0xFF10, 0xFF1A),
        *range(0xFF21, 0xFF3B),
        *range(0xFF41, 0xFF5B),
        *map(ord, "％＋＝＜＞＆＊／＄＠＃"),
    )
}

RULES: Final[tuple[Rule, ...]] = (
    *amounts.GROUPS,
    *dashes.RANGES,  # before a dash may be a minus
    *amounts.NAMED,
    *units.SMALL_PARTS,
    *money.CODES,
    *calendar.MOMENTS,
    *amounts.NUMERALS,
    *money.MONEY,
    *calendar.DATES,
    *amounts.TELEPHONES,
    *operators.SCIENTIFIC,
    *dashes.MINUS,
    *operators.PRODUCTS,
    *units.MEASURES,
    *calendar.TIMES,
    *amounts.RATIOS,
    *operators.OPERATORS,
    *letters.LETTERS,
    *amounts.AMOUNTS,
)


def read_chinese(text: MappedText) -> MappedText:
    """Rewrite what the front end would misread."""
    text = text.map(lambda char: _FULL_WIDTH.get(char, char))
    for one in RULES:
        text = text.sub(one.pattern, one.spoken)
    return text
