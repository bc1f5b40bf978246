"""Calls to replicas over Ray Serve, and what its failures mean to a client.

What a replica refuses comes as a value, not as an exception: Ray would wrap it, log it and count it as a fault.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from vivavoce.adapters.ray_serve.ears import Stretch
from vivavoce.adapters.ray_serve.mouths import Catalogue, Line
from vivavoce.engines.recognizer import Heard, RecognizerInfo
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.errors import EngineCrashed, Overloaded, VivaVoceError
from vivavoce.recognition.listener import HearingRequest, ResolvedModel
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpokenChunk

DOOR, MOUTH, EAR = "Door", "Mouth", "Ear"


class RayMouths:
    """See `mouths.Mouths`.

    Args:
        handle: of the deployment of Mouths.
    """

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def catalogue(self) -> Catalogue:
        found: Catalogue = await _ask(self._handle, "catalogue")
        return found

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        prepared: PreparedText = await _ask(self._handle, "prepare", text, voice, options, model=voice.info.id)
        return prepared

    async def say(self, line: Line) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        model = "" if line.anywhere else line.voice.info.id
        async with aclosing(_streamed(self._handle, "say", line, model=model)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        studied: ResolvedVoice = await _ask(self._handle, "study", voice, clip, model=voice.info.id)
        return studied

    async def load_voice(self, voice_id: str) -> None:
        await _ask(self._handle, "load_voice", voice_id, model=voice_id)

    async def forget(self, voice_id: str) -> None:
        await _tell_all(self._handle, "forget", voice_id)


class RayEars:
    """See `ears.RemoteEars`.

    Args:
        handle: of the deployment of Ears.
    """

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    async def models(self) -> tuple[RecognizerInfo, ...]:
        found: tuple[RecognizerInfo, ...] = await _ask(self._handle, "models")
        return found

    async def attend(
        self, request: HearingRequest, *, live: bool, begun: bool, anywhere: bool
    ) -> AsyncGenerator[bool, None]:
        assert isinstance(request.model, ResolvedModel)
        model = "" if anywhere else request.model.info.id
        async with aclosing(_streamed(self._handle, "attend", request, live, begun, model=model)) as lent:
            async for held in lent:
                yield held

    async def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        model = "" if stretch.anywhere else stretch.model.info.id
        async with aclosing(_streamed(self._handle, "hear", stretch, model=model)) as words:
            async for heard in words:
                yield heard

    async def load_model(self, model_id: str) -> None:
        await _ask(self._handle, "load_model", model_id, model=model_id)

    async def forget(self, model_id: str) -> None:
        await _tell_all(self._handle, "forget", model_id)


async def _ask(handle: DeploymentHandle, method: str, *arguments: Any, model: str = "") -> Any:
    """A question changes nothing: one whose replica was lost is asked once more."""
    handle = handle.options(method_name=method, multiplexed_model_id=model)
    try:
        with _told():
            return _value(await handle.remote(*arguments))
    except EngineCrashed:
        with _told():
            return _value(await handle.remote(*arguments))


async def _streamed(handle: DeploymentHandle, method: str, *arguments: Any, model: str) -> AsyncGenerator[Any, None]:
    """What a replica yields; closing it stops the replica."""
    handle = handle.options(method_name=method, stream=True, multiplexed_model_id=model)
    ended = False
    with _told():
        response = handle.remote(*arguments)
        try:
            async for item in response:
                yield _value(item)
            ended = True
        finally:
            if not ended:
                response.cancel()


async def _tell_all(handle: DeploymentHandle, method: str, argument: Any) -> None:
    with _told():
        for answer in await handle.broadcast(method, argument).results_async():
            _value(answer)


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
