"""Text whose every character remembers where in the written text it came from.

Front ends rewrite their input many times (quotes, digits, traditional characters) and still have to say which written
characters a sound belongs to. Knows nothing of languages; used by `phonemes.py` and its front ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class TracedText:
    """An immutable text.

    Attributes:
        text: as it reads now.
        origins: for each character, (start, end) in code points of the text it was made from.
    """

    text: str
    origins: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> TracedText:
        """A text that is its own origin."""
        return cls(text, tuple((at, at + 1) for at in range(len(text))))

    @classmethod
    def through_spans(cls, text: str, spans: Iterable[tuple[int, int, int, int]]) -> TracedText:
        """A text made by somebody else, with its map (start, end, origin_start, origin_end)."""
        origins = [(0, 0)] * len(text)
        for start, end, origin_start, origin_end in spans:
            same_length = end - start == origin_end - origin_start
            for at in range(start, min(end, len(text))):
                origins[at] = _one(origin_start + at - start) if same_length else (origin_start, origin_end)
        return cls(text, tuple(origins))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, part: slice) -> TracedText:
        return TracedText(self.text[part], self.origins[part])

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters `start:end` came from; `end > start`."""
        covered = self.origins[start:end]
        return min(first for first, _ in covered), max(last for _, last in covered)

    def map(self, replace: Callable[[str], str]) -> TracedText:
        """Every character through `replace`, which may give none or several."""
        pieces = [replace(char) for char in self.text]
        return TracedText(
            "".join(pieces),
            tuple(origin for piece, origin in zip(pieces, self.origins, strict=True) for _ in piece),
        )

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str]) -> TracedText:
        """`re.sub`; a new character comes from the whole of what was replaced."""
        pieces: list[str] = []
        origins: list[tuple[int, int]] = []
        done = 0
        for match in pattern.finditer(self.text):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            pieces += [self.text[done : match.start()], new]
            origins += self.origins[done : match.start()]
            if new:
                here = match.start() if match.end() > match.start() else max(0, match.start() - 1)
                origins += [self.origin(here, max(match.end(), here + 1))] * len(new)
            done = match.end()
        pieces.append(self.text[done:])
        origins += self.origins[done:]
        return TracedText("".join(pieces), tuple(origins))

    def rewritten(self, text: str) -> TracedText:
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
        return TracedText(text, tuple(origins))


def _one(at: int) -> tuple[int, int]:
    return at, at + 1
