"""Korean number words: the Chinese series that measures, the native one that counts, and single digits.

Spelled as the voices' own front end spells them: without spaces, 만 and not 일만. Pure; used by the rules beside it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

NUMBER: Final = r"\d{1,3}(?:,\d{3})++(?:\.\d++)?+(?!\d)|\d++(?:\.\d++)?+"
"""A number in figures, with thousands commas or without, with decimals or without."""

_DIGITS: Final = "영일이삼사오육칠팔구"
_ENGLISH: Final = dict(zip("0123456789", ("제로", "원", "투", "쓰리", "포", "파이브", "식스", "세븐", "에이트", "나인"),
                           strict=True))  # fmt: skip
_MYRIADS: Final = ("", "만", "억", "조", "경")
_NATIVE: Final = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_NATIVE_TENS: Final = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_MOST_DIGITS: Final = 4 * len(_MYRIADS)


def digits(figures: str, zero: str = "영") -> str:
    """One by one; telephones and codes say 공 for zero."""
    return "".join(zero if char == "0" else _DIGITS[int(char)] for char in figures if char.isdecimal())


def english_digits(figures: str) -> str:
    """One by one by their English names in Hangul, as in 3D and B2B."""
    return "".join(_ENGLISH[char] for char in figures)


def whole(figures: str) -> str:
    """A whole number of the Chinese series: "12500" is 만이천오백.

    Digit by digit from 10^20, and after a leading zero.
    """
    if len(figures) > _MOST_DIGITS or (figures[0] == "0" and len(figures) > 1):
        return digits(figures, "공")
    if figures == "0":
        return "영"
    groups = [figures[max(0, end - 4) : end] for end in range(len(figures), 0, -4)]
    return "".join(_group(int(groups[place]), place) for place in reversed(range(len(groups))))


def number(figures: str) -> str:
    """A number in figures, commas and decimals allowed: "3.14" is 삼점일사."""
    before, point, after = figures.replace(",", "").partition(".")
    return whole(before) + (f"점{digits(after)}" if point else "")


def times_power(figures: str, power: int) -> str:
    """A number of thousands, millions or milliards, as Korean says it: "1.2", 9 is 십이억."""
    if len(figures) > _MOST_DIGITS:
        return number(figures)
    return number(format((Decimal(figures.replace(",", "")) * 10**power).normalize(), "f"))


def native(figures: str) -> str:
    """The native series before a counter, in what is below a hundred: "20" is 스무, "101" is 백한, "150" is 백오십."""
    plain = figures.replace(",", "").lstrip("0")
    if not plain or len(plain) > _MOST_DIGITS:
        return number(figures)
    if len(plain) > 2 and int(plain[-2:]) > 19:  # above a hundred only the first few are counted so
        return number(figures)
    tens, ones = divmod(int(plain[-2:]), 10)
    hundreds = whole(plain[:-2] + "00") if plain[:-2] else ""
    return hundreds + ("스무" if (tens, ones) == (2, 0) else _NATIVE_TENS[tens] + _NATIVE[ones])


def _group(value: int, place: int) -> str:
    """Four figures and the name of their place; a leading 일 is left out but before 억 and above."""
    if not value:
        return ""
    words = ""
    for unit, name in ((1000, "천"), (100, "백"), (10, "십")):
        digit, value = divmod(value, unit)
        if digit:
            words += ("" if digit == 1 else _DIGITS[digit]) + name
    if value and not (value == 1 and place == 1 and not words):
        words += _DIGITS[value]
    return words + _MYRIADS[place]
