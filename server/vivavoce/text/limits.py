"""How long a text becomes when it is read out, told before any work is spent on it.

A request of allowed length can still hold thousands of digits, each a word of its own. Called where text enters.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.errors import SpokenTextTooLong

MAX_SPOKEN_GROWTH: Final = 3  # characters read aloud for each written one: honest text never grows that much
_SPOKEN_DIGIT: Final = 5  # "nine " read one by one; as a part of "nineteen ninety-nine" it takes as much
_DIGIT: Final = re.compile(r"\d")


def spoken_length(text: str) -> int:
    """About how many characters are spoken: as written, but for figures, which are words.

    The same for a text whole or in pieces, so that what comes in deltas can be counted as it comes.
    """
    return len(text) + (_SPOKEN_DIGIT - 1) * len(_DIGIT.findall(text))


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
