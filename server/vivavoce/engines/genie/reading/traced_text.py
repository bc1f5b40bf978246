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
        """`re.sub` where something is matched; a new character comes from the whole of what was replaced."""
        pieces: list[str] = []
        origins: list[tuple[int, int]] = []
        done = 0
        for match in pattern.finditer(self.text):
            start, end = match.span()
            if start == end:
                continue
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            pieces += [self.text[done:start], new]
            origins += self.origins[done:start]
            origins += [self.origin(start, end)] * len(new)
            done = end
        pieces.append(self.text[done:])
        origins += self.origins[done:]
        return TracedText("".join(pieces), tuple(origins))

    def respelled(self, text: str, spans: Iterable[tuple[int, int, int, int]]) -> TracedText:
        """The same as somebody else rewrote it, with their map (start, end, start here, end here)."""
        origins = [(0, 0)] * len(text)
        for start, end, here_start, here_end in spans:
            equal = text[start:end] == self.text[here_start:here_end]
            origins[start:end] = (
                self.origins[here_start:here_end] if equal else [self.origin(here_start, here_end)] * (end - start)
            )
        return TracedText(text, tuple(origins))

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
