"""What Ray Serve puts on the machines that speak. Imports no web: a replica is to be there soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ray import serve

from vivavoce.adapters.ray_serve.mouth import Mouth
from vivavoce.adapters.ray_serve.mouths import Catalogue, Line
from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.adapters.ray_serve.ray_metrics import counted_here
from vivavoce.adapters.ray_serve.replica_answers import answered
from vivavoce.adapters.ray_serve.replica_metrics import Counted
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.errors import VivaVoceError
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpokenChunk


class MouthReplica:
    """The class that Ray Serve makes a replica of: a `Mouth` behind Ray's calls.

    Args:
        config: settings; `mouth_cores` says how many threads compute.
        parts: instead of the configured ones.
    """

    async def __init__(self, config: Config, parts: Parts) -> None:  # type: ignore[misc]
        configure_logging(config.logs.log_level, config.logs.log_format)
        config = config.changed(workers=config.speed.workers or config.cluster.mouth_cores)
        opened = None if parts.engines is None else await asyncio.to_thread(parts.engines)
        self._metrics = Metrics()
        self._mouth = Mouth(await asyncio.to_thread(build_synthesizer, config, self._metrics, opened))
        self._drain_s = config.limits.drain_timeout_s
        default = await self._mouth.start()
        if default is not None:
            await self._hold(default)  # so that Serve sends its listeners here

    async def say(self, line: Line) -> AsyncGenerator[SpokenChunk | PreparedText | VivaVoceError, None]:
        """See `Mouths.say`."""
        try:
            await self._hold(line.voice.info.id)
            async with aclosing(self._mouth.say(line)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except VivaVoceError as error:
            yield error

    async def catalogue(self) -> Catalogue | VivaVoceError:
        """See `Mouths.catalogue`."""
        return await answered(self._mouth.catalogue())

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText | VivaVoceError:
        """See `Mouths.prepare`."""
        return await answered(self._mouth.prepare(text, voice, options))

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice | VivaVoceError:
        """See `Mouths.study`."""
        return await answered(self._mouth.study(voice, clip))

    async def load_voice(self, voice_id: str) -> VivaVoceError | None:
        """See `Mouths.load_voice`."""
        return await answered(self._mouth.load_voice(voice_id))

    async def forget(self, voice_id: str) -> VivaVoceError | None:
        """See `Mouths.forget`."""
        return await answered(self._mouth.forget(voice_id))

    async def counted(self) -> Counted:
        """The numbers of this replica."""
        return counted_here(self._metrics)

    async def speaking(self) -> int:
        """Sentences on their way."""
        return self._mouth.speaking

    async def open_work(self) -> dict[str, int]:
        """What is left of all that was begun, by kind."""
        return self._mouth.open_work()

    @serve.multiplexed(max_num_models_per_replica=-1)  # type: ignore[untyped-decorator]  # Ray has no types here
    async def _hold(self, voice_id: str) -> str:
        """Where a voice is loaded is told to Serve; what leaves memory is decided by the replica's own budget."""
        await self._mouth.load_voice(voice_id)
        return voice_id

    async def __del__(self) -> None:
        if hasattr(self, "_mouth"):
            await self._mouth.aclose()
