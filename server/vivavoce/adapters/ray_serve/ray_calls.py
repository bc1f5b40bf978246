"""Calls to replicas over Ray Serve, and what its failures mean to a client.

What a replica refuses comes as a value, not as an exception: Ray would wrap it, log it and count it as a fault.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from vivavoce.adapters.ray_serve.mouths import Catalogue, Line
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.errors import EngineCrashed, Overloaded, VivaVoceError
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpokenChunk

MOUTH = "Mouth"


class RayMouths:
    """See `mouths.Mouths`.

    Args:
        handle: of the deployment of Mouths.
    """

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def catalogue(self) -> Catalogue:
        found: Catalogue = await self._ask("catalogue")
        return found

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        prepared: PreparedText = await self._ask("prepare", text, voice, options, model=voice.info.id)
        return prepared

    async def say(self, line: Line) -> AsyncGenerator[SpokenChunk, None]:
        handle = self._handle.options(stream=True, multiplexed_model_id="" if line.anywhere else line.voice.info.id)
        ended = False
        with _told():
            response = handle.say.remote(line)
            try:
                async for item in response:
                    yield _value(item)
                ended = True
            finally:
                if not ended:
                    response.cancel()

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        studied: ResolvedVoice = await self._ask("study", voice, clip, model=voice.info.id)
        return studied

    async def load_voice(self, voice_id: str) -> None:
        await self._ask("load_voice", voice_id, model=voice_id)

    async def forget(self, voice_id: str) -> None:
        with _told():
            for answer in await self._handle.broadcast("forget", voice_id).results_async():
                _value(answer)

    async def _ask(self, method: str, *arguments: Any, model: str = "") -> Any:
        """A question changes nothing: one whose replica was lost is asked once more."""
        handle = self._handle.options(method_name=method, multiplexed_model_id=model)
        try:
            with _told():
                return _value(await handle.remote(*arguments))
        except EngineCrashed:
            with _told():
                return _value(await handle.remote(*arguments))


def _value(item: Any) -> Any:
    if isinstance(item, VivaVoceError):
        raise item
    return item


@contextmanager
def _told() -> Iterator[None]:
    """A lost replica, a full queue: in our words."""
    try:
        yield
    except RayServeException as error:
        raise Overloaded(f"no machine of the cluster takes it: {type(error).__name__}") from error
    except RayError as error:
        raise EngineCrashed(f"the machine that was asked is gone: {type(error).__name__}") from error
