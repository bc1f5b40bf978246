"""One rewriting rule: what to look for, what to say instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and its spoken form; None leaves the match as written."""

    pattern: re.Pattern[str]
    spoken: Callable[[re.Match[str]], str | None] | str


def rule(pattern: str, spoken: Callable[[re.Match[str]], str | None] | str, flags: int = 0) -> Rule:
    """A rule from a pattern in writing."""
    return Rule(re.compile(pattern, flags), spoken)


def ends_text(found: re.Match[str]) -> bool:
    """True when nothing but closing marks follows: a full stop eaten by the match must be given back."""
    return not found.string[found.end() : found.end() + 8].strip(" \n\"')]")


def with_stop(words: str, found: re.Match[str]) -> str:
    """The words, with the full stop of the sentence if the match ate it."""
    return words + "." if found[0].endswith(".") and ends_text(found) else words


def keep_stop(words: str, found: re.Match[str]) -> str:
    """The words, with the full stop the match ate where it ended a sentence too: "6 ft. Then", not "6 ft. tall"."""
    if not found[0].endswith("."):
        return words
    rest = found.string[found.end() : found.end() + 8].lstrip(" \"')]\n")
    return words + "." if not rest or rest[0].isupper() else words
