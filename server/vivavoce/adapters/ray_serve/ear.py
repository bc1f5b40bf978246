"""An Ear: recognition models and the workers under them, asked for the words of single stretches by Doors elsewhere.

Where speech begins and ends was found at the Door. Admission, scheduling and models are those of one machine: stretches
of the same model share the passes over its weights. Knows no Ray; `ear_replica.py` puts it on a machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from typing import Final

from vivavoce.adapters.ray_serve.ears import LENT_S, Stretch
from vivavoce.app.machine import Machine
from vivavoce.engines.recognizer import Heard, RecognizerInfo
from vivavoce.errors import VivaVoceError
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.metrics import Metrics
from vivavoce.recognition.ear import waker
from vivavoce.recognition.hearer import SegmentWork
from vivavoce.recognition.listener import HearingRequest, ResolvedModel
from vivavoce.recognition.model_library import ModelLibrary
from vivavoce.recognition.pool_hearer import PoolHearer
from vivavoce.synthesis.watch import Watch

ALIVE_S: Final = 2.0  # a Door hears that often that its stretch is not forgotten

logger = logging.getLogger(__name__)


class Ear:
    """What one replica of the Ear does: it listens with the transcriber of its machine.

    Args:
        models: by name.
        machine: ended with it.
    """

    def __init__(self, models: ModelLibrary, machine: Machine, metrics: Metrics) -> None:
        self._models = models
        self._pool, self._admission, self._admissions = machine.pool, machine.admission, machine.admissions
        self._metrics = metrics
        self._watch = Watch(machine.pool, machine.admissions, metrics)
        self._hearing = 0
        admission = self._admission
        metrics.load_ratio.set_function(lambda: admission.load() / admission.cores)
        metrics.capacity_ratio.set_function(lambda: admission.share)

    @property
    def hearing(self) -> int:
        """Stretches on their way."""
        return self._hearing

    def open_work(self) -> dict[str, int]:
        """What is left of all that was begun: stretches, jobs of the workers, places in the books."""
        places = sum(self._admission.active().values())
        return {"stretches": self._hearing, "jobs": len(self._pool), "places": places}

    async def start(self) -> str | None:
        """Load the default model, where there is one. Returns its id."""
        try:
            model = await asyncio.to_thread(self._models.choose, None)
            await self.load_model(model.info.id)
        except VivaVoceError as error:
            logger.warning("nothing listens: %s", error)
            return None
        return model.info.id

    async def models(self) -> tuple[RecognizerInfo, ...]:
        """See `RemoteEars`."""
        return tuple(await asyncio.to_thread(self._models.list))  # it looks at the disk

    async def attend(self, request: HearingRequest, *, live: bool, begun: bool) -> AsyncGenerator[bool, None]:
        """See `RemoteEars`."""
        assert isinstance(request.model, ResolvedModel)
        self._watch.begin()
        async with self._models.acquire(request.model) as loaded:
            loaded.recognizer.check(loaded.model, request.options)
            kinds = [PoolHearer(loaded, self._pool).kind]
            async with self._admissions.enter(request.owner, kinds, live=live, begun=begun):
                yield True
                await asyncio.sleep(LENT_S)

    async def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        """See `RemoteEars`."""
        self._watch.begin()
        self._hearing += 1
        gauge = self._metrics.active_hearings.labels(stretch.transport)
        gauge.inc()
        try:
            async with self._models.acquire(stretch.model) as loaded:
                changed = asyncio.Event()
                hearer = PoolHearer(loaded, self._pool)
                # Its cost is booked with the place of whoever speaks; here it is only measured.
                work = hearer.begin(stretch.options, self._admissions, waker(changed), live=stretch.live)
                try:
                    work.hear(stretch.sound, "end", _due_s(stretch))
                    async with contextlib.aclosing(_words(work, changed)) as words:
                        async for heard in words:
                            yield heard
                finally:
                    work.close()
        finally:
            gauge.dec()
            self._hearing -= 1

    async def load_model(self, model_id: str) -> None:
        """See `RemoteEars`."""
        model = await asyncio.to_thread(self._models.choose, model_id)
        async with self._models.acquire(model):
            pass

    async def forget(self, model_id: str) -> None:
        """Let it leave memory when nobody uses it any more."""
        self._models.forget(model_id)

    async def aclose(self) -> None:
        """Free everything."""
        await self._watch.aclose()
        await asyncio.to_thread(self._pool.close)


def _due_s(stretch: Stretch) -> float:
    """On the clock of this machine."""
    return WHEN_THERE_IS_ROOM if stretch.due_in_s == WHEN_THERE_IS_ROOM else time.monotonic() + stretch.due_in_s


async def _words(work: SegmentWork, changed: asyncio.Event) -> AsyncGenerator[Heard | None, None]:
    """What is understood, up to the final result."""
    while True:
        for heard in work.take():
            yield heard
            if heard.is_final:
                return
        try:
            async with asyncio.timeout(ALIVE_S):
                await changed.wait()
        except TimeoutError:
            yield None
        changed.clear()
