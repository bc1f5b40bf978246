"""Trials of models that are under suspicion: each is asked for something small, alone, and its health follows from it.

Called every half second by whoever looks after the machine; on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable

from vivavoce.errors import EngineCrashed, EngineError, VivaVoceError
from vivavoce.machine.health import Health

logger = logging.getLogger(__name__)


class Trials:
    """Trials of all models of one kind.

    Args:
        attempt: asks a model for something small; raises what keeps it from that. A `VivaVoceError` that is no
            `EngineError` says nothing of the model.
        broken: is told of a model that had been well.
    """

    def __init__(
        self,
        health: Health,
        attempt: Callable[[Hashable], Awaitable[None]],
        broken: Callable[[Hashable], Awaitable[None]] | None = None,
    ) -> None:
        self._health = health
        self._attempt = attempt
        self._broken = broken
        self._running: set[asyncio.Task[None]] = set()

    def look(self, now_s: float) -> None:
        """Begin the trials that are due."""
        for key in self._health.due(now_s):
            trial = asyncio.create_task(self._try(key), name="model-trial")
            self._running.add(trial)
            trial.add_done_callback(self._running.discard)

    async def aclose(self) -> None:
        """Try nothing more."""
        running = list(self._running)
        for trial in running:
            trial.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _try(self, key: Hashable) -> None:
        was_well = self._health.problem(key) is None
        error: VivaVoceError | None = None
        try:
            await self._attempt(key)
        except EngineError as failed:
            error = failed
        except VivaVoceError:
            pass
        except Exception as failed:
            logger.error("a trial failed in an unexpected way: %s", type(failed).__name__)
            error = EngineCrashed("the engine failed")
        self._health.tried(key, error, time.monotonic())
        if error is not None and was_well:
            logger.error("%s does not work any more: %s", key, error.code)
            if self._broken is not None:
                await self._broken(key)
        elif error is None and not was_well:
            logger.info("%s works again", key)
