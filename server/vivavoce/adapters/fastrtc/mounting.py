"""FastRTC streams on an application: one that speaks, one that converses."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastrtc import AdditionalOutputs, Stream
from fastrtc.webrtc_connection_mixin import OutputQueue
from pydantic import BaseModel, Field

from vivavoce.adapters.fastrtc.conversation_handler import ConversationHandler
from vivavoce.adapters.fastrtc.speech_handler import SpeechHandler
from vivavoce.assistant.realtime import RealtimeSessions
from vivavoce.errors import NotFound
from vivavoce.serving.callers import CALLER
from vivavoce.serving.shares import Shares
from vivavoce.synthesis.speaker import Speaker
from vivavoce.transports.carried import Carried
from vivavoce.transports.connections import Connections

MAX_OUTPUTS: Final = 256  # that nobody has read; one more and the oldest is dropped


class SpeechInput(BaseModel):
    """What to say on which connection."""

    webrtc_id: str
    text: str


class ConversationInput(BaseModel):
    """What to say in the user's place, or a client event of the Realtime protocol."""

    webrtc_id: str
    text: str | None = Field(None, max_length=60_000)
    event: dict[str, Any] | None = None


def mount(
    app: FastAPI,
    speaker: Speaker,
    *,
    path: str = "/fastrtc",
    voice: str = "default",
    max_calls: int = 20,
    shares: Shares | None = None,
) -> Any:
    """Put a FastRTC `Stream` on an application, over a speaker that it has already.

    Routes under `path`: FastRTC's `webrtc/offer` and its others, and `input` (`{"webrtc_id", "text"}`) for the texts.
    FastRTC handles offers by itself: the limits of an offer that the native calls have do not hold here.

    Args:
        shares: calls at once, and how many of them one client may have; None: `max_calls` are anybody's.

    Returns:
        The `Stream`.
    """
    stream = _stream(SpeechHandler(speaker, voice, hold=None if shares is None else shares.hold), max_calls)
    stream.mount(app, path=path, tags=["fastrtc"])

    @app.post(path + "/input", tags=["fastrtc"], summary="Say a text on a FastRTC connection", status_code=204)
    async def say(body: SpeechInput) -> None:
        """An empty text stops what is being said."""
        _check(stream, body.webrtc_id)
        stream.set_input(body.webrtc_id, body.text)

    return stream


def mount_conversation(
    app: FastAPI,
    sessions: RealtimeSessions,
    *,
    path: str = "/fastrtc/conversation",
    connections: Connections | None = None,
    max_calls: int = 20,
    shares: Shares | None = None,
) -> Any:
    """Put a FastRTC `Stream` on an application that listens, thinks and speaks.

    Routes under `path`: FastRTC's own, `input` for texts and events, and `events`, server-sent, for what happens.

    Args:
        sessions: of the application's assistant.
        connections: of the server: each conversation is one of them, and ends when it drains; None: they count for
            themselves.
        shares: as for `mount`, and the same ones where both are mounted.

    Returns:
        The `Stream`.
    """

    @contextmanager
    def hold(carried: Carried, client: str) -> Iterator[None]:
        with ExitStack() as held:
            if shares is not None:
                held.enter_context(shares.hold(client))
            if connections is not None:
                held.enter_context(connections.hold(carried, "webrtc", client))
            yield

    stream = _stream(ConversationHandler(sessions, hold=hold), max_calls)
    stream.additional_outputs = defaultdict(lambda: OutputQueue(queue=_Newest(MAX_OUTPUTS)))
    stream.mount(app, path=path, tags=["fastrtc"])

    @app.post(path + "/input", tags=["fastrtc"], summary="Speak in a FastRTC user's place", status_code=204)
    async def say(body: ConversationInput) -> None:
        """An empty text silences the assistant."""
        _check(stream, body.webrtc_id)
        if body.event is not None:
            stream.set_input(body.webrtc_id, body.event)
        elif body.text is not None:
            stream.set_input(body.webrtc_id, body.text)

    @app.get(path + "/events", tags=["fastrtc"], summary="What happens in a FastRTC conversation")
    async def events(webrtc_id: str) -> StreamingResponse:
        """Server events of OpenAI's Realtime protocol, from the first one that nobody has read."""
        _check(stream, webrtc_id)
        return StreamingResponse(_lines(stream, webrtc_id), media_type="text/event-stream")

    return stream


async def _lines(stream: Any, webrtc_id: str) -> AsyncIterator[str]:
    async for outputs in stream.output_stream(webrtc_id):
        yield f"data: {json.dumps(outputs.args[0])}\n\n"


def _stream(handler: Any, max_calls: int) -> Any:
    return Stream(
        handler, modality="audio", mode="send-receive", concurrency_limit=max_calls,
        server_rtc_configuration={"iceServers": []}, verbose=False,
    )  # fmt: skip


def _check(stream: Any, webrtc_id: str) -> None:
    """Refuse what is no connection of the caller's own.

    Raises:
        NotFound: If it is nobody's, or another's.
    """
    for connection in stream.connections.get(webrtc_id, ()):
        handler = getattr(connection, "event_handler", None) or getattr(connection, "stream_handler", None)
        if handler is not None and handler.caller.owner == CALLER.get().owner:
            return
    raise NotFound("no such connection")


class _Newest(asyncio.Queue[AdditionalOutputs]):
    """Full: the oldest is dropped; FastRTC keeps all that it is told until somebody reads it."""

    def put_nowait(self, item: AdditionalOutputs) -> None:
        if self.full():
            self.get_nowait()
        super().put_nowait(item)
