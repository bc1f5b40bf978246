"""What Ray Serve puts on the machines that listen. Imports no web: a replica is to be there soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ray import serve

from vivavoce.adapters.ray_serve.ear import ALIVE_S, Ear
from vivavoce.adapters.ray_serve.ears import Stretch
from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.adapters.ray_serve.ray_metrics import counted_here
from vivavoce.adapters.ray_serve.replica_answers import answered
from vivavoce.adapters.ray_serve.replica_metrics import Counted
from vivavoce.app.listener import build_models
from vivavoce.app.machine import build_machine
from vivavoce.config import Config
from vivavoce.engines.recognizer import Heard, RecognizerInfo
from vivavoce.errors import VivaVoceError
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import HearingRequest, ResolvedModel


class EarReplica:
    """The class that Ray Serve makes a replica of: an `Ear` behind Ray's calls.

    Args:
        config: settings; `ear_cores` says how many threads compute. An owner's share is counted at the Doors.
        parts: instead of the configured ones.
    """

    async def __init__(self, config: Config, parts: Parts) -> None:  # type: ignore[misc]
        configure_logging(config.logs.log_level, config.logs.log_format)
        config = config.changed(
            workers=config.speed.workers or config.cluster.ear_cores,
            max_streams_per_key=max(config.limits.max_streams_per_key, config.limits.max_streams),
        )
        opened = None if parts.recognizers is None else await asyncio.to_thread(parts.recognizers)
        self._metrics = metrics = Metrics()
        machine = build_machine(config, metrics)
        models = await asyncio.to_thread(build_models, config, machine, opened)
        self._ear = Ear(models, machine, metrics)
        self._loading: set[asyncio.Task[str]] = set()
        if config.listening.preload_recognizer and (default := await self._ear.start()) is not None:
            await self._hold(default)  # so that Serve sends its speakers here

    async def attend(
        self, request: HearingRequest, live: bool, begun: bool
    ) -> AsyncGenerator[bool | VivaVoceError, None]:
        """See `RemoteEars.attend`."""
        try:
            assert isinstance(request.model, ResolvedModel)
            async with aclosing(self._held(request.model)) as signs:
                async for _ in signs:
                    yield False
            async with aclosing(self._ear.attend(request, live=live, begun=begun)) as lent:
                async for held in lent:
                    yield held
        except VivaVoceError as error:
            yield error

    async def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | VivaVoceError | None, None]:
        """See `RemoteEars.hear`."""
        try:
            async with aclosing(self._held(stretch.model)) as signs:
                async for _ in signs:
                    yield None
            async with aclosing(self._ear.hear(stretch)) as words:
                async for heard in words:
                    yield heard
        except VivaVoceError as error:
            yield error

    async def models(self) -> tuple[RecognizerInfo, ...] | VivaVoceError:
        """See `RemoteEars.models`."""
        return await answered(self._ear.models())

    async def load_model(self, model_id: str) -> str | VivaVoceError:
        """See `RemoteEars.load_model`."""
        return await answered(self._hold(model_id))

    async def forget(self, model_id: str) -> VivaVoceError | None:
        """See `RemoteEars.forget`."""
        return await answered(self._ear.forget(model_id))

    async def counted(self) -> Counted:
        """The numbers of this replica."""
        return counted_here(self._metrics)

    async def hearing(self) -> int:
        """Stretches on their way."""
        return self._ear.hearing

    async def open_work(self) -> dict[str, int]:
        """What is left of all that was begun, by kind."""
        return self._ear.open_work()

    async def _held(self, model: ResolvedModel) -> AsyncGenerator[None, None]:
        """Signs of life until it is in memory."""
        loading = asyncio.create_task(self._hold(model.info.id), name="load-model")
        self._loading.add(loading)
        loading.add_done_callback(self._loading.discard)
        while not (await asyncio.wait({loading}, timeout=ALIVE_S))[0]:
            yield
        await loading

    @serve.multiplexed(max_num_models_per_replica=-1)  # type: ignore[untyped-decorator]  # Ray has no types here
    async def _hold(self, model_id: str) -> str:
        """Where a model is loaded is told to Serve; what leaves memory is decided by the replica's own budget."""
        await self._ear.load_model(model_id)
        return model_id

    async def __del__(self) -> None:
        if hasattr(self, "_ear"):
            await self._ear.aclose()
