"""The border of translating: whoever writes in another language what was heard, here or on another machine.

    lines = await translator.translate(["The train leaves at noon."], "en", "pt")

`pool_translator.PoolTranslator` and `chat_translator.ChatTranslator` are translators; `plan.py` says who is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class Pair:
    """What can be translated into what: ISO 639-1 codes, or `ANY`."""

    source: str
    target: str

    def covers(self, source: str, target: str) -> bool:
        """True where these two are of it."""
        return self.source in (ANY, source) and self.target in (ANY, target)

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


class Translator(Protocol):
    """Translates lines, for several callers at once."""

    @property
    def name(self) -> str:
        """As it is told to people."""
        ...

    def pairs(self) -> tuple[Pair, ...]:
        """What it can do now. May look at the disk."""
        ...

    async def translate(self, lines: Sequence[str], source: str, target: str) -> list[str]:
        """As many lines as were given, each the translation of its own; leaving stops the work.

        Args:
            lines: what was said, one behind the other; each is translated with its neighbours in mind, if at all.
            source, target: of one of `pairs()`.

        Raises:
            VivaVoceError: If there is no translation; a sentence says why.
        """
        ...


def covers(translator: Translator, source: str, target: str) -> bool:
    """True where one of its pairs does."""
    return any(pair.covers(source, target) for pair in translator.pairs())
