"""Does a recognizer still hear? One that has failed again and again hears a second of noise, and is told by it.

Kept by `transcriber.py`; on the event loop.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Hashable

import numpy as np

from vivavoce.engines.recognizer import HearingOptions
from vivavoce.machine.admission import Kind
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.machine.trials import Trials
from vivavoce.machine.worker import WorkerPool
from vivavoce.recognition.ear import waker
from vivavoce.recognition.listener import SAMPLE_RATE, ResolvedModel
from vivavoce.recognition.model_library import ModelLibrary
from vivavoce.recognition.pool_hearer import PoolHearer

NOISE = np.random.default_rng(0).uniform(-0.01, 0.01, SAMPLE_RATE).astype(np.float32)  # a second of it


class ModelTrials:
    """The trials of one transcriber's models."""

    def __init__(self, library: ModelLibrary, pool: WorkerPool) -> None:
        self._library = library
        self._pool = pool
        self._trials = Trials(library.health, self._attempt)

    def look(self, now_s: float) -> None:
        """Begin the trials that are due."""
        self._trials.look(now_s)

    async def aclose(self) -> None:
        """Try nothing more."""
        await self._trials.aclose()

    async def _attempt(self, key: Hashable) -> None:
        models = await asyncio.to_thread(self._library.list)  # it may look at the disk
        info = next((each for each in models if (each.engine, each.id) == key), None)
        if info is None:
            return
        woken = asyncio.Event()
        async with self._library.acquire(ResolvedModel(dataclasses.replace(info, problem=None))) as loaded:
            hearer = PoolHearer(loaded, self._pool)
            work = hearer.begin(HearingOptions(), _Nobody(), waker(woken), live=False)
            try:
                work.hear(NOISE, "end", WHEN_THERE_IS_ROOM)
                while not any(heard.is_final for heard in work.take()):
                    await woken.wait()
                    woken.clear()
            finally:
                work.close()


class _Nobody:
    """Whose cost is in no books."""

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        """Noise costs less than speech."""
