"""Numbers and lengths of time as people say them: "twenty-five", "an hour and a half", "五分半", "1시간 30분". Pure.

Works on tokens (a word, or one character of Chinese, Japanese or Korean; a figure is one token). The number words of
most languages are num2words' own, read backwards; Han numerals are computed. A table of a language costs some ten
milliseconds to make, so a language is prepared when commands are loaded, not when somebody speaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from num2words import num2words

from vivavoce.text.language import HAN, HANGUL, KANA

Tokens = tuple[str, ...]

_WIDE: Final = HAN + KANA + HANGUL
_TOKEN: Final = re.compile(
    rf"\d{{1,9}}(?:[.,]\d{{1,3}})?|[{_WIDE}]|[^\W\d_{_WIDE}]+(?:['’][^\W\d_{_WIDE}]+)*|[^\W_{_WIDE}]"
)
_LARGEST: Final = 999  # number word; larger ones are rarely said, and written in figures by recognizers
_LONGEST: Final = 10  # tokens of a number
_HAN_NINE: Final = ("零〇", "一", "二两兩", "三", "四", "五", "六", "七", "八", "九")
_HAN_DIGITS: Final = {char: digit for digit, chars in enumerate(_HAN_NINE) for char in chars}
_HAN_UNITS: Final = {"十": 10, "百": 100, "千": 1000}


def tokens(text: str) -> Tokens:
    """The words of a text in lower case, without marks."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(_TOKEN.findall(plain))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWords:
    """How a language speaks of lengths of time.

    Attributes:
        units: words for units -> seconds.
        halves: words for a half.
        joins: words between the parts: "and", "个".
    """

    units: Mapping[Tokens, float]
    halves: frozenset[Tokens]
    joins: frozenset[Tokens]


class SpokenNumbers:
    """The number words of one language.

    Args:
        language: ISO 639-1 code; one that num2words does not know has figures and Han numerals only.
        others: words that num2words does not use ("a", "couple") -> number.
    """

    def __init__(self, language: str, others: Mapping[str, float] | None = None) -> None:
        self._words: dict[Tokens, float] = {}
        try:
            said = [num2words(number, lang=language) for number in range(_LARGEST + 1)]
        except NotImplementedError:
            said = []
        for number, words in enumerate(said):
            spelled = tokens(str(words))
            self._words[spelled] = number
            self._words.setdefault(tuple(word for word in spelled if word != "and"), number)  # "one hundred five"
        one = next((words for words, number in self._words.items() if number == 1), ())
        for text, value in (others or {}).items():
            self._words[tokens(text)] = float(value)
            if value == 1 and len(one) == 1:  # "vingt et une" beside "vingt et un"
                larger = [words for words in self._words if len(words) > 1 and words[-1:] == one]
                self._words |= {(*words[:-1], *tokens(text)): self._words[words] for words in larger}

    def read(self, words: Sequence[str]) -> float | None:
        """The number that all the tokens are."""
        if len(words) == 1 and words[0][0].isdigit():
            return float(words[0].replace(",", "."))
        known = self._words.get(tuple(words))
        return known if known is not None else _han_number(words)

    def begin(self, words: Sequence[str], at: int) -> tuple[float, int] | None:
        """The longest number that begins at a token, and where it ends."""
        for end in range(min(len(words), at + _LONGEST), at, -1):
            value = self.read(words[at:end])
            if value is not None:
                return value, end
        return None

    def duration_s(self, words: Sequence[str], time: TimeWords) -> float | None:
        """The seconds that all the tokens are: numbers with units, halves, and what joins them. None: they are none."""
        total_s, unit_s, at = 0.0, 0.0, 0
        while at < len(words):
            at = _skip(words, at, time.joins)
            half = _longest(words, at, time.halves)
            if half and (unit := _unit(words, _skip(words, at + half, time.joins), time)) is not None:
                total_s, at = total_s + unit[0] / 2, unit[1]  # "half an hour"
            elif half and unit_s:
                total_s, unit_s, at = total_s + unit_s / 2, 0.0, at + half  # "an hour and a half"
            else:
                part = self._part(words, at, time)
                if part is None:
                    return None if at < len(words) or not total_s else total_s
                total_s, unit_s, at = total_s + part[0], part[1], part[2]
        return total_s or None

    def _part(self, words: Sequence[str], at: int, time: TimeWords) -> tuple[float, float, int] | None:
        """(seconds, seconds of its unit, end) of "five minutes", "two and a half hours"."""
        number = self.begin(words, at)
        if number is None:
            return None
        value, at = number
        joined = _skip(words, at, time.joins)
        half = _longest(words, joined, time.halves)
        unit = _unit(words, _skip(words, joined + half, time.joins), time)
        if unit is None:
            return None
        if half:
            value = value + 0.5 if joined > at or value != 1 else 0.5  # "une demi-heure", but "un et demi"
        return value * unit[0], unit[0], unit[1]


def _unit(words: Sequence[str], at: int, time: TimeWords) -> tuple[float, int] | None:
    length = _longest(words, at, time.units)
    return (time.units[tuple(words[at : at + length])], at + length) if length else None


def _skip(words: Sequence[str], at: int, joins: frozenset[Tokens]) -> int:
    while length := _longest(words, at, joins):
        at += length
    return at


def _longest(words: Sequence[str], at: int, known: Iterable[Tokens]) -> int:
    """Tokens of the longest known phrase that begins there; 0: none does."""
    return max((len(phrase) for phrase in known if tuple(words[at : at + len(phrase)]) == phrase), default=0)


def _han_number(words: Sequence[str]) -> float | None:
    """二十五, 一百零五, 三〇."""
    total, digit = 0, None
    for char in words:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char] if digit in (None, 0) else 10 * digit + _HAN_DIGITS[char]
        elif char in _HAN_UNITS:
            total += (1 if digit is None else digit) * _HAN_UNITS[char]
            digit = None
        else:
            return None
    return float(total + (digit or 0)) if words else None
