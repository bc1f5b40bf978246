"""Chinese number words, and what a number in figures looks like.

Knows digits only; used by every rule beside it.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import roman

DIGITS: Final = "零一二三四五六七八九"
NUMBER: Final = r"\d{1,15}(?:\.\d{1,9})?"
HAN: Final = "\u4e00-\u9fff"
DASH: Final = "[-–−‒－]"


def cardinal(number: int) -> str:
    """A whole number as words: "一千二百三十四", "十万零五"."""
    if number == 0:
        return "零"
    words, groups, rank = "", ("", "万", "亿", "万亿"), 0
    rest = number
    while rest:
        rest, group = divmod(rest, 10_000)
        if group:
            gap = "零" if rest and group < 1000 else ""
            words = gap + _below_ten_thousand(group) + groups[rank] + words
        elif words and not words.startswith("零"):
            words = "零" + words
        rank += 1
    words = words.lstrip("零")
    return words.removeprefix("一") if words.startswith("一十") else words


def spoken_number(written: str) -> str:
    """A number as its front end would not read it: whole, in words; decimals and small ones as they are."""
    return cardinal(int(written)) if written.isdecimal() and 2 < len(written) < 17 and written[0] != "0" else written


def spelled(figures: str) -> str:
    """A number in figures as words, digit by digit behind the point: "3.14" is "三点一四"."""
    whole, point, part = figures.partition(".")
    return cardinal(int(whole)) + (f"点{''.join(DIGITS[int(figure)] for figure in part)}" if point else "")


def digits(written: str) -> str:
    """Figures one by one, as telephone numbers are read: 1 is "幺"."""
    return "".join("幺" if char == "1" else DIGITS[int(char)] for char in written if char.isdecimal())


def roman_number(found: re.Match[str]) -> str:
    """A Roman number in its own characters, "Ⅻ", as a number word."""
    letters = "".join(
        ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "L", "C", "D", "M"][
            (ord(char) - 0x2160) % 16
        ]
        for char in found[0]
    )
    value = roman(letters)
    return cardinal(value) if value else letters


def _below_ten_thousand(number: int) -> str:
    words, pending = "", False
    for value, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, value)
        if digit:
            words += ("零" if pending and words else "") + DIGITS[digit] + name
            pending = False
        else:
            pending = True
    return words
