"""Cuts letters that were written together into words: "openai" -> "open", "ai".

The most likely cut by counts of words and word pairs (Peter Norvig's data and model, "Beautiful Data", 2009: a word's
chance given the one before, unseen words by their length). Knows no sounds; called by `english_pronunciation.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

_TOTAL = 1_024_908_267_229  # words in the corpus that was counted
_LONGEST_WORD = 24
_LONGEST_RUN = 64  # letters cut at once; what nobody writes as one word is cut in pieces of this length


class Segmenter:
    """Args: words, pairs: counts of words and of pairs joined by a space."""

    def __init__(self, words: Mapping[str, float], pairs: Mapping[str, float]) -> None:
        self._words = CountTable(words)
        self._pairs = CountTable(pairs)

    def segment(self, letters: str) -> list[str]:
        """The words, whose letters joined are the input's a-z and 0-9."""
        kept = "".join(char for char in letters.lower() if char.isascii() and char.isalnum())
        pieces = (kept[at : at + _LONGEST_RUN] for at in range(0, len(kept), _LONGEST_RUN))
        return [word for piece in pieces for word in self._best_cut(piece)]

    def _best_cut(self, text: str) -> list[str]:
        """Dynamic programming over (last word's start, its end)."""
        size = len(text)
        known = {word: self._words.get(word) for word in _pieces(text)} | {"<s>": self._words.get("<s>")}
        best: list[dict[int, tuple[float, int]]] = [
            {} for _ in range(size + 1)
        ]  # end -> start -> (score, start before)
        for end in range(1, size + 1):
            for start in range(max(0, end - _LONGEST_WORD), end):
                word = text[start:end]
                if start == 0:
                    best[end][0] = (math.log10(self._chance(word, "<s>", known)), 0)
                    continue
                best[end][start] = max(
                    (score + math.log10(self._chance(word, text[before:start], known)), before)
                    for before, (score, _) in best[start].items()
                )
        cut: list[str] = []
        end, start = size, max(best[size], key=lambda start: best[size][start][0])
        while True:
            cut.append(text[start:end])
            if start == 0:
                return cut[::-1]
            start, end = best[end][start][1], start

    def _chance(self, word: str, before: str, known: Mapping[str, float]) -> float:
        if known[before] and (pair := self._pairs.get(f"{before} {word}")):
            return pair / known[before]
        return known[word] / _TOTAL if known[word] else 10.0 / (_TOTAL * 10.0 ** len(word))


def _pieces(text: str) -> set[str]:
    return {text[at:end] for end in range(1, len(text) + 1) for at in range(max(0, end - _LONGEST_WORD), end)}


class CountTable:
    """A read-only dictionary of short words and counts, in a fifth of a dictionary's memory."""

    def __init__(self, counts: Mapping[str, float]) -> None:
        words = np.array([word.encode() for word in counts] or [b""])  # bytes, zero padded
        order = np.argsort(words)
        self._words = words[order]
        self._counts = np.fromiter(counts.values(), np.float64, len(counts))[order[: len(counts)]]

    def get(self, word: str) -> float:
        """The count, 0 where unknown."""
        key = word.encode()
        if len(key) > self._words.itemsize:  # numpy would widen a copy of the whole table to compare
            return 0.0
        at = int(self._words.searchsorted(key))
        found = at < len(self._counts) and self._words[at] == key
        return float(self._counts[at]) if found else 0.0
