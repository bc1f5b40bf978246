"""Words that are told while somebody still speaks: those that two drafts in a row agree on, and never taken back. Pure.

A recognizer that hears more of a sentence changes its mind about the last words of it. What it says twice it nearly
always says in the end, too (Liu, Spanakis and Niehues 2020, "Low-latency sequence-to-sequence speech recognition and
translation by partial hypothesis selection": local agreement).
"""

from __future__ import annotations

import re
from itertools import takewhile

from vivavoce.text.language import is_unspaced


class Drafts:
    """The drafts of one spoken message, and what of them was told.

    Attributes:
        told: what was told of it.
    """

    def __init__(self) -> None:
        self.told = ""
        self._last: list[str] = []

    def feed(self, text: str) -> str:
        """Another draft of all that was said: what may be told now."""
        pieces = _pieces(text)
        agreed = takewhile(lambda pair: pair[0] == pair[1], zip(self._last, pieces[:-1], strict=False))
        self._last = pieces
        return self._tell("".join(piece for piece, _ in agreed))

    def finish(self, text: str) -> str:
        """All that was said: the rest; nothing where it is not what was told before."""
        return self._tell(text)

    def _tell(self, text: str) -> str:
        if not text.startswith(self.told):
            return ""
        rest, self.told = text[len(self.told) :], text
        return rest


def _pieces(text: str) -> list[str]:
    """Words, each with the blanks before it; characters, where a script has no blanks."""
    return [
        piece
        for word in re.findall(r"\s*\S+", text)
        for piece in (list(word) if any(map(is_unspaced, word)) else [word])
    ]
