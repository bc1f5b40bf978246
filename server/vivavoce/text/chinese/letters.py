"""Figures beside Latin letters: models, trains, sizes of memory; addresses are left to the reader of English."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vivavoce.text.chinese.numerals import DIGITS, spelled
from vivavoce.text.english.rule import Rule, rule

_ADDRESS: Final = re.compile(r"://|@\w|www\.|\w\.[a-z]{2,6}/|\w\.(?:com|cn|org|net|io)(?!\w)")


def outside_addresses(words: str) -> Callable[[re.Match[str]], str | None]:
    """A replacement that says `words`, but leaves addresses of the internet alone."""
    return lambda found: None if _in_address(found) else words


def _code(found: re.Match[str]) -> str | None:
    """G1234 and A12345 digit by digit; letters with fewer figures count: K12, GPT-4, B1."""
    letters, figures = found["letters"], found["figures"]
    if _in_address(found):
        return None
    if figures.isdecimal() and (len(figures) > 2 or figures[0] == "0"):
        return letters + "".join(DIGITS[int(figure)] for figure in figures)
    return letters + spelled(figures)


def _lettered(found: re.Match[str]) -> str | None:
    """5G, 16GB, 1080P: the number is Chinese, the letters are not."""
    figures, letters = found["figures"], found["letters"]
    if _in_address(found):
        return None
    if letters in ("P", "p") and len(figures) > 2:
        return "".join(DIGITS[int(figure)] for figure in figures) + letters
    return spelled(figures) + letters


def _in_address(found: re.Match[str]) -> bool:
    """True inside a web or mail address, whose letters and signs are read by other rules."""
    text, start, end = found.string, found.start(), found.end()
    front = re.search(r"[!-~]*\Z", text[max(0, start - 60) : start])
    behind = re.match(r"[!-~]*", text[end : end + 60])
    return _ADDRESS.search((front[0] if front else "") + found[0] + (behind[0] if behind else "")) is not None


LETTERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![A-Za-z0-9.@:_-])(?P<letters>[A-Za-z]{1,12}-?)(?P<figures>\d{1,15}(?:\.\d{1,4})?)(?![A-Za-z0-9@_]|[-.]\w)",
         _code),
    rule(r"(?<![A-Za-z0-9.@:_-])(?P<figures>\d{1,12}(?:\.\d{1,4})?)(?P<letters>[A-Za-z]{1,3})(?![A-Za-z0-9.@'_-])",
         _lettered),
)  # fmt: skip
