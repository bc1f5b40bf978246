"""Text that remembers where each of its characters came from, through any number of replacements.

Knows nothing of language. `normalize` rewrites a text in it, rule by rule, and a voice's front end goes on with what
it gets; at the end it tells which written piece each spoken piece stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from vivavoce.text.language import is_unspaced

Span = tuple[int, int, int, int]  # start, end, source_start, source_end


@dataclass(frozen=True, slots=True)
class MappedText:
    """An immutable text; every operation gives a new one and is linear in its length, but `rewritten`.

    Attributes:
        text: as it reads now.
        origins: for each character, (start, end) in code points of the text it was made from.
    """

    text: str
    origins: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> MappedText:
        """A text that is its own origin."""
        return cls(text, tuple((at, at + 1) for at in range(len(text))))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> MappedText:
        return MappedText(self.text[part], self.origins[part])

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters `start:end` came from; `end > start`."""
        covered = self.origins[start:end]
        return min(first for first, _ in covered), max(last for _, last in covered)

    # -- rewriting

    def sub(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str | None] | str) -> MappedText:
        r"""Replace every match that holds a character; a new one comes from the whole of what was replaced.

        Args:
            replace: other words, which may be a template with \1 as `re.sub` takes it, or what makes them of a match;
                None leaves the match.
        """
        edits: list[tuple[int, int, str]] = []
        for found in pattern.finditer(self.text):
            if found.end() == found.start():
                continue
            if isinstance(replace, str):
                words: str | None = found.expand(replace) if "\\" in replace else replace
            else:
                words = replace(found)
            if words is not None:
                edits.append((found.start(), found.end(), words))
        return self._edited(edits)

    def keep(
        self, pattern: re.Pattern[str], group: int = 1, *, accept: Callable[[re.Match[str]], bool] | None = None
    ) -> MappedText:
        """Reduce every match (that is accepted) to one of its groups, which keeps its places."""
        edits: list[tuple[int, int, str]] = []
        for found in pattern.finditer(self.text):
            if accept is not None and not accept(found):
                continue
            start, end = found.span(group)
            edits += [(found.start(), start, ""), (end, found.end(), "")]
        return self._edited(edits)

    def remove(self, ranges: Iterable[tuple[int, int]]) -> MappedText:
        """Take out [start, end) ranges, ascending."""
        return self._edited([(start, end, "") for start, end in ranges])

    def map(self, change: Callable[[str], str]) -> MappedText:
        """Replace every character by none, one or several."""
        pieces = [change(char) for char in self.text]
        text = "".join(pieces)
        if text == self.text:
            return self
        origins = tuple(origin for piece, origin in zip(pieces, self.origins, strict=True) for _ in piece)
        return MappedText(text, origins)

    def strip(self) -> MappedText:
        """Take blank space off both ends."""
        lead = len(self.text) - len(self.text.lstrip())
        return self[lead : lead + len(self.text.strip())]

    def respelled(self, text: str, spans: Iterable[Span]) -> MappedText:
        """The same as somebody else rewrote it, with their map (start, end, start here, end here)."""
        origins = [(0, 0)] * len(text)
        for start, end, here_start, here_end in spans:
            equal = text[start:end] == self.text[here_start:here_end]
            origins[start:end] = (
                self.origins[here_start:here_end] if equal else [self.origin(here_start, here_end)] * (end - start)
            )
        return MappedText(text, tuple(origins))

    def rewritten(self, text: str) -> MappedText:
        """The same sentence as somebody else rewrote it: equal stretches keep their places, others share theirs."""
        if text == self.text:
            return self
        origins: list[tuple[int, int]] = []
        edge = (0, 0)
        for kind, start, end, new_start, new_end in SequenceMatcher(None, self.text, text, False).get_opcodes():
            if kind == "equal":
                origins += self.origins[start:end]
            elif new_end > new_start:
                origins += [self.origin(start, end) if end > start else edge] * (new_end - new_start)
            if end > start:
                edge = self.origins[end - 1]
        return MappedText(text, tuple(origins))

    def _edited(self, edits: list[tuple[int, int, str]]) -> MappedText:
        if not edits:
            return self
        pieces: list[str] = []
        origins: list[tuple[int, int]] = []
        done = 0
        for start, end, words in edits:
            pieces += [self.text[done:start], words]
            origins += self.origins[done:start]
            if words:
                origins += [self.origin(start, end)] * len(words)
            done = end
        pieces.append(self.text[done:])
        origins += self.origins[done:]
        return MappedText("".join(pieces), tuple(origins))

    # -- the map

    def spans(self) -> tuple[Span, ...]:
        """Which source range each piece of `text` stands for: pieces are words, spaces, Han and kana, replacements.

        Ascending and without overlap on both sides, covering `text`.
        """
        origins = self.origins
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
        origins, text = self.origins, self.text
        if origins[at] == origins[at - 1]:
            return False
        if origins[at][0] != origins[at - 1][1]:  # something unspoken stood between them
            return True
        if (at > 1 and origins[at - 1] == origins[at - 2]) or (
            at + 1 < len(origins) and origins[at] == origins[at + 1]
        ):
            return True
        return text[at].isspace() != text[at - 1].isspace() or is_unspaced(text[at]) or is_unspaced(text[at - 1])
