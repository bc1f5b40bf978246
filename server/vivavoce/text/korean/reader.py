"""Reads written Korean aloud: all rules, in the order that keeps them out of each other's way.

Addresses and telephones first because they hold everything else; then what has its own signs (dates, times, money,
measures), counted things, at last bare numbers and single signs. The voices' own front end reads a number before a
counter it knows and anything else digit by digit, so no figure is left to it. Called by `normalize`.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.korean import addresses, calendar, quantities
from vivavoce.text.mapped import MappedText


def _topic(char: str) -> str:
    """The particle behind a word: its last syllable decides."""
    return "은" if "가" <= char <= "힣" and (ord(char) - 0xAC00) % 28 else "는"


_SIGNS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=[A-Za-z가-힣])[ ]?&[ ]?(?=[A-Za-z가-힣])", " 앤 "),
    rule(r"(?<=[A-Za-z])\+\+", " 플러스 플러스"),
    rule(r"([\w)])[ ]?=[ ]?(?=[\w(-])", lambda m: f"{m[1]}{_topic(m[1])} "),
    rule(r"(?<=\w)[ ]?\+[ ]?(?=\w)", " 플러스 "),
    rule(r"(?<=[A-Za-z])#", " 샵"),
    rule(r"(?<=[가-힣])²", " 제곱"),
    rule(r"(?<=[가-힣])³", " 세제곱"),
    rule(r"%", "퍼센트"),
    rule(r"(?<=\w)/(?=\w)", " "),
    rule(r"[#*^_|\\<>~@&+=°$€£¥₩]", " "),
)

RULES: Final[tuple[Rule, ...]] = (
    *addresses.WEB,
    *quantities.RANGES,
    *calendar.DATES,
    *addresses.TELEPHONES,
    *calendar.TIMES,
    *quantities.MONEY,
    *quantities.MEASURES,
    *quantities.COUNTED,
    *quantities.NUMBERS,
    *_SIGNS,
)


def read_korean(text: MappedText) -> MappedText:
    """Rewrite the text as words."""
    text = text.map(_plain)
    for one in RULES:
        text = text.sub(one.pattern, one.spoken)
    return text


def _plain(char: str) -> str:
    """Full-width letters, composed signs (℃) and foreign digits as plain ones; ideographic marks stay."""
    if char < "\x80":
        return char
    if "₀" <= char <= "₉":
        return chr(ord(char) - 0x2080 + 48)
    if "Ⅰ" <= char <= "Ⅻ":
        return str(int(unicodedata.numeric(char)))
    if "！" <= char <= "～":
        return chr(ord(char) - 0xFEE0)
    if char in "℃℉№￥￦µ":
        return unicodedata.normalize("NFKC", char)
    return str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char
