"""The border between the translating service and models of this machine that translate: text in, text out.

Blocking and short: a text is a sentence or less, so that there is always a safe point to stop or to serve somebody
else. Called by the workers of `vivavoce.machine` through `translation/pool_translator.py`.
"""

from __future__ import annotations

from typing import Protocol

from vivavoce.progress import Progress

Pair = tuple[str, str]  # ISO 639-1 codes: from, to


class TranslationModel(Protocol):
    """Loaded weights of one pair, read-only."""

    @property
    def memory_bytes(self) -> int:
        """About what it holds in memory, for the memory budget."""
        ...

    def translate(self, text: str) -> str:
        """One sentence, or a part of one.

        Raises:
            EngineError: If it cannot.
        """
        ...


class TranslationEngine(Protocol):
    """Models that translate."""

    @property
    def name(self) -> str: ...
    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What it can translate now; empty where it is not installed. Cheap."""
        ...

    def load(self, pair: Pair, progress: Progress | None = None) -> TranslationModel:
        """Load one of `pairs`; may take a second.

        Raises:
            ModelUnavailable: If it cannot be loaded.
        """
        ...
