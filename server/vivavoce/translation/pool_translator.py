"""A translating model of this machine as a `Translator`: every sentence is a step of the worker pool, behind everything
live, so that nobody who listens or speaks waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from vivavoce.engines.translation import TranslationEngine, TranslationModel
from vivavoce.machine.memory import Residents
from vivavoce.machine.worker import WorkerPool
from vivavoce.text.sentences import SentenceSplitter
from vivavoce.translation.translation_job import TranslationJob
from vivavoce.translation.translator import Pair

LONGEST_LATIN: Final = 160  # code points of a step: 40 ms as a rule, 200 ms of nonsense
LONGEST_WIDE: Final = 50


class PoolTranslator:
    """See `Translator`.

    Args:
        engine: whose models translate.
        pool: where they do.
        residents: the memory budget.
    """

    def __init__(self, engine: TranslationEngine, pool: WorkerPool, residents: Residents[Any]) -> None:
        self.name = engine.name
        self._engine, self._pool, self._residents = engine, pool, residents

    def pairs(self) -> tuple[Pair, ...]:
        """See `Translator`."""
        return tuple(Pair(*pair) for pair in self._engine.pairs)

    async def translate(self, lines: Sequence[str], source: str, target: str) -> list[str]:
        """See `Translator`."""
        pieces = [_pieces(line) for line in lines]
        key = ("translates", self.name, source, target)
        async with self._residents.hold(key, lambda: self._engine.load((source, target))) as model:
            done = iter(await self._steps(model, [piece for line in pieces for piece in line]))
        return [" ".join(text for _ in line if (text := next(done).strip())) for line in pieces]

    async def _steps(self, model: TranslationModel, pieces: list[str]) -> list[str]:
        over, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(over.set)

        job = TranslationJob(model, pieces, self._pool.changed, wake, kind=("translation", self.name))
        self._pool.add(job)
        try:
            await over.wait()
            return job.result()
        finally:
            self._pool.remove(job)


def _pieces(line: str) -> list[str]:
    """Sentences, and parts of those that are too long for one step."""
    splitter = SentenceSplitter(first_fragment=False, max_latin=LONGEST_LATIN, max_wide=LONGEST_WIDE)
    return [text for each in [*splitter.feed(line), *splitter.flush()] if (text := each.text.strip())]
