"""How long a text becomes when it is read out, told before any work is spent on it.

A request of allowed length can still hold thousands of digits, each a word of its own. Called where text enters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vivavoce.errors import SpokenTextTooLong, TextTooLong

MAX_SPOKEN_GROWTH: Final = 3  # characters read aloud for each written one: honest text never grows that much
_MAX_COMPOSED: Final = 4  # code points that become one, at the most: three in Vietnamese or Korean
_BLOCK: Final = 64  # characters composed at once
_SPOKEN_DIGIT: Final = 5  # "nine " read one by one; as a part of "nineteen ninety-nine" it takes as much
_DIGIT: Final = re.compile(r"\d")


def written_length(text: str, limit: int) -> int:
    """Characters of a text as people count them: an accent written by itself belongs to its letter (NFC).

    Only what is over the limit as it stands and could be below it is composed, in blocks: composing a long run of
    accents takes quadratic time.
    """
    if len(text) <= limit or len(text) > _MAX_COMPOSED * limit:
        return len(text)
    length, begin = 0, 0
    while begin < len(text):
        end = begin + _BLOCK
        while end < len(text) and end < begin + 2 * _BLOCK and _joins(text[end]):
            end += 1
        length += len(unicodedata.normalize("NFC", text[begin:end]))
        begin = end
    return length


def _joins(char: str) -> bool:
    """Whether it may become one with what stands before it: accents, and the later letters of a Korean syllable."""
    return unicodedata.combining(char) > 0 or "\u1160" <= char <= "\u11ff"


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


def refuse_long(text: str, limit: int) -> None:
    """Refuse a whole text that is over the limit, as written or read out.

    Raises:
        TextTooLong: If it has more than `limit` characters.
        SpokenTextTooLong: If it holds so many figures that reading it out takes far more.
    """
    if (length := written_length(text, limit)) > limit:
        raise TextTooLong(length, limit)
    refuse_explosive(text, MAX_SPOKEN_GROWTH * limit)
