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


def closes_quotation(found: re.Match[str]) -> bool:
    """True where a mark in the match would close a quotation: those before it are counted, but for those of inches."""
    is_open, before_it = False, ""
    for char in found.string[max(0, found.start() - 400) : found.start()]:
        if char == '"':
            is_open = not is_open and not before_it.isdigit()
        before_it = char
    return is_open


def unless_quoted(words: str) -> Callable[[re.Match[str]], str | None]:
    """A replacement by a template, but not where the match closes a quotation."""
    return lambda found: None if closes_quotation(found) else found.expand(words)
