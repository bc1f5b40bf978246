"""Numbers as English words, and the patterns that find them.

Knows digits only: what a number counts (dollars, degrees, years) is decided by the modules that call it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from num2words import num2words

# Digits only match where no digit stands before them, and never give back what they took: long runs stay linear.
INTEGER: Final = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)"
NUMBER: Final = rf"(?:{INTEGER}(?:\.\d++)?+)"
NOT_INSIDE: Final = r"(?<![\d.,])"  # the number begins here
_MAX_DIGITS: Final = 15  # longer ones are read digit by digit

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ROMAN: Final = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})\Z")
_ROMAN_VALUES: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def cardinal(number: int) -> str:
    """ "one hundred twenty-three"."""
    return str(num2words(number)).replace(",", "").replace(" and ", " ")


def ordinal(number: int) -> str:
    """ "one hundred twenty-third"."""
    return str(num2words(number, to="ordinal")).replace(",", "").replace(" and ", " ")


def digits(text: str) -> str:
    """ "zero zero seven", whatever else is between the digits left out."""
    return " ".join(_DIGITS[int(char)] for char in text if char.isdecimal())


def number(text: str) -> str:
    """A number as written, with thousands commas and decimals: "1,234.50", "007", ".5"."""
    whole, point, fraction = text.replace(",", "").partition(".")
    if len(whole) > _MAX_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        spoken = digits(whole)
    else:
        spoken = cardinal(int(whole)) if whole else ""
    return f"{spoken} point {digits(fraction)}".strip() if point and fraction else spoken


def year(number_: int) -> str:
    """ "nineteen ninety-nine", "two thousand one", "twenty ten", "fifteen hundred"."""
    century, rest = divmod(number_, 100)
    if number_ < 1000 or 2000 <= number_ < 2010 or (rest == 0 and century % 10 == 0):
        return cardinal(number_)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def early_year(number_: int) -> str:
    """A year before the year 1000, as historians say it: "seven fifty-three", "four oh four", "five hundred"."""
    century, rest = divmod(number_, 100)
    if number_ >= 1000 or not century or not rest:
        return year(number_)
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def grouped_digits(text: str) -> str:
    """A telephone number written without groups, in the groups it is said in."""
    head = "1" if len(text) == 11 and text[0] == "1" else ""
    rest = text[len(head) :]
    cuts = {7: (3,), 8: (4,), 9: (3, 6), 10: (3, 6), 11: (3, 7), 12: (3, 6, 9)}.get(len(rest), ())
    groups = [rest[start:end] for start, end in pairwise((0, *cuts, len(rest)))]
    return ", ".join(map(digits, [head, *groups] if head else groups))


def plural(words: str) -> str:
    """The plural of number words: "nineties", "two thousands", "halves"."""
    if words.endswith("half"):
        return words[:-1] + "ves"
    if words.endswith("six"):
        return words + "es"
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def roman(text: str) -> int | None:
    """The value of a Roman numeral, None where it is none."""
    if not text or _ROMAN.match(text) is None:
        return None
    values = [_ROMAN_VALUES[char] for char in text]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))
