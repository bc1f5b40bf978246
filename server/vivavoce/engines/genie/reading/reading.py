"""What a front end makes: the symbols of the sounds, and which written characters each belongs to.

Knows no language. Front ends write a `Reading` through `ReadingWriter`; `phonemes.py` joins the readings of a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from vivavoce.text.mapped import MappedText

Word = tuple[int, int, int, int]
"""(first symbol, end symbol, text start, text end): symbols by index, text in code points."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one stretch of text sounds.

    Attributes:
        symbols: names from the symbol table, in order.
        words: the spoken words, in order; pauses belong to none.
        clean: Chinese only: the characters that were read, marks included.
        counts: Chinese only: how many symbols each character of `clean` has.
    """

    symbols: tuple[str, ...]
    words: tuple[Word, ...] = ()
    clean: str = ""
    counts: tuple[int, ...] = ()


class FrontEnd(Protocol):
    """Reads text of one language. Any number of threads may call it at once."""

    def read(self, text: MappedText) -> Reading:
        """The sounds of the text; empty where it has none."""
        ...

    def warm_up(self) -> None:
        """Load all tables and models now, which `read` would otherwise do at its first need."""
        ...


class ReadingWriter:
    """Collects symbols and words."""

    def __init__(self) -> None:
        self.symbols: list[str] = []
        self._words: list[Word] = []

    def word(self, symbols: Iterable[str], origin: tuple[int, int]) -> None:
        """A word and the written characters it came from; nothing if it makes no sound."""
        first = len(self.symbols)
        self.symbols += symbols
        if len(self.symbols) > first:
            self._words.append((first, len(self.symbols), *origin))

    def pause(self, symbol: str) -> None:
        """A mark that is heard as a pause."""
        self.symbols.append(symbol)

    def done(self) -> Reading:
        return Reading(tuple(self.symbols), tuple(self._words))
