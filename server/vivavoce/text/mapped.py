"""Text that remembers where each of its characters came from, through any number of replacements.

Knows nothing of language. `normalize` rewrites a text in it, rule by rule; at the end it tells which written piece
each spoken piece stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from vivavoce.text.language import is_unspaced

Span = tuple[int, int, int, int]  # start, end, source_start, source_end


class MappedText:
    """A text under rewriting; every operation is linear in its length.

    Attributes:
        text: as it reads now.
    """

    def __init__(self, source: str) -> None:
        self.text = source
        self._origins = [(at, at + 1) for at in range(len(source))]  # source range of each character of `text`

    def sub(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str | None] | str) -> None:
        """Replace every match by other words; None leaves it. All of them then stand for all that was matched."""
        edits: list[tuple[int, int, str]] = []
        for found in pattern.finditer(self.text):
            words = replace if isinstance(replace, str) else replace(found)
            if words is not None and found.end() > found.start():
                edits.append((found.start(), found.end(), words))
        self._apply(edits)

    def keep(
        self, pattern: re.Pattern[str], group: int = 1, *, accept: Callable[[re.Match[str]], bool] | None = None
    ) -> None:
        """Reduce every match (that is accepted) to one of its groups, which keeps its places."""
        edits: list[tuple[int, int, str]] = []
        for found in pattern.finditer(self.text):
            if accept is not None and not accept(found):
                continue
            start, end = found.span(group)
            edits += [(found.start(), start, ""), (end, found.end(), "")]
        self._apply(edits)

    def remove(self, ranges: list[tuple[int, int]]) -> None:
        """Take out [start, end) ranges, ascending."""
        self._apply([(start, end, "") for start, end in ranges])

    def map_chars(self, change: Callable[[str], str]) -> None:
        """Replace every character by none, one or several."""
        pieces, origins = [], []
        for char, origin in zip(self.text, self._origins, strict=True):
            piece = change(char)
            pieces.append(piece)
            origins += [origin] * len(piece)
        self.text, self._origins = "".join(pieces), origins

    def strip(self) -> None:
        """Take blank space off both ends."""
        kept = self.text.strip()
        lead = len(self.text) - len(self.text.lstrip())
        self.text, self._origins = kept, self._origins[lead : lead + len(kept)]

    def spans(self) -> tuple[Span, ...]:
        """Which source range each piece of `text` stands for: pieces are words, spaces, Han and kana, replacements.

        Ascending and without overlap on both sides, covering `text`.
        """
        origins = self._origins
        borders = [at for at in range(1, len(origins)) if self._is_border(at)]
        spans: list[Span] = []
        for start, end in pairwise([0, *borders, len(origins)]):
            if start == end:
                continue
            span = (start, end, origins[start][0], origins[end - 1][1])
            if spans and spans[-1][3] > span[2]:  # two rules met inside one written piece
                before = spans.pop()
                span = (before[0], end, min(before[2], span[2]), max(before[3], span[3]))
            spans.append(span)
        return tuple(spans)

    def _is_border(self, at: int) -> bool:
        """True where a new piece begins: characters of one replacement share their origin and stay together."""
        origins, text = self._origins, self.text
        if origins[at] == origins[at - 1]:
            return False
        if origins[at][0] != origins[at - 1][1]:  # something unspoken stood between them
            return True
        if (at > 1 and origins[at - 1] == origins[at - 2]) or (
            at + 1 < len(origins) and origins[at] == origins[at + 1]
        ):
            return True
        return text[at].isspace() != text[at - 1].isspace() or is_unspaced(text[at]) or is_unspaced(text[at - 1])

    def _apply(self, edits: list[tuple[int, int, str]]) -> None:
        if not edits:
            return
        pieces: list[str] = []
        origins: list[tuple[int, int]] = []
        done = 0
        for start, end, words in edits:
            pieces += [self.text[done:start], words]
            origins += self._origins[done:start]
            if words:
                origins += [(self._origins[start][0], self._origins[end - 1][1])] * len(words)
            done = end
        pieces.append(self.text[done:])
        origins += self._origins[done:]
        self.text, self._origins = "".join(pieces), origins
