"""How long a text becomes when it is read out, told before any work is spent on it.

A request of allowed length can still hold thousands of digits, each a word of its own. Called where text enters.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.errors import SpokenTextTooLong

_SPOKEN_DIGIT: Final = 6  # "seven " has six letters
_LONG_NUMBER: Final = re.compile(r"\d{9,}+")  # no date, price or count; sooner or later read digit by digit


def spoken_length(text: str) -> int:
    """About how many characters are spoken: as written, but for long numbers, whose digits are a word each."""
    return len(text) + (_SPOKEN_DIGIT - 1) * sum(len(number) for number in _LONG_NUMBER.findall(text))


def refuse_explosive(text: str, limit: int, *, param: str = "input") -> None:
    """Refuse a text that reading out would blow up, such as a number of four thousand digits.

    Args:
        limit: spoken characters; three times the limit of written ones leaves room for any honest text.

    Raises:
        SpokenTextTooLong: If more than `limit` characters would be spoken.
    """
    length = spoken_length(text)
    if length > limit:
        raise SpokenTextTooLong(length, limit, param=param)
