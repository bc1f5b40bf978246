"""A translating engine that says what it was given: "cat" into Portuguese is "pt(cat)", one sentence a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vivavoce.engines.translation import Pair
from vivavoce.progress import Progress


@dataclass(slots=True)
class FakeModel:
    """One pair."""

    engine: FakeTranslation
    pair: Pair
    memory_bytes: int = 1_000_000

    def translate(self, text: str) -> str:
        self.engine.before_step(text)
        self.engine.texts.append(text)
        return f"{self.pair[1]}({text})"


@dataclass(slots=True)
class FakeTranslation:
    """The border with everything observable.

    Attributes:
        before_step: called first in every step, in the worker thread; may block or raise.
        texts: of every step.
        loads: pairs that were loaded.
    """

    pairs: tuple[Pair, ...] = (("en", "pt"),)
    name: str = "fake-translation"
    before_step: Callable[[str], object] = lambda text: None
    texts: list[str] = field(default_factory=list)
    loads: list[Pair] = field(default_factory=list)

    def load(self, pair: Pair, progress: Progress | None = None) -> FakeModel:
        self.loads.append(pair)
        return FakeModel(self, pair)
