"""The assistant as a FastRTC handler: its user's microphone in, its voice and its events out. Called by `mounting.py`.

FastRTC is the carrier here, as a WebSocket or a call is elsewhere: what is carried is the same Realtime conversation,
which listens, thinks, speaks and is interrupted, and is admitted to the machine as a whole.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from fastrtc import AdditionalOutputs, AsyncStreamHandler, CloseStream
from fastrtc.utils import create_message

from vivavoce.adapters.fastrtc.heard_sound import HeardSound
from vivavoce.adapters.fastrtc.outgoing import Outgoing
from vivavoce.assistant.realtime import RealtimeSessions
from vivavoce.assistant.realtime_session import RealtimeConversation
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.protocols.fields import Refused
from vivavoce.protocols.realtime.client_events import refused_field
from vivavoce.protocols.realtime.session_config import SessionConfig
from vivavoce.protocols.realtime.sound_budget import SoundBudget
from vivavoce.serving.callers import CALLER, NOBODY, Caller
from vivavoce.serving.parts import until_first_ends
from vivavoce.speaking.sink import Carrier, SoundFormat, Teller
from vivavoce.transports.carried import Carried, Patience, hand_over
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.track_sink import TrackSink

logger = logging.getLogger(__name__)

IDLE_S: Final = 10.0  # FastRTC gives up on an `emit` that takes a minute
MAX_INPUTS: Final = 8  # that come before the conversation has begun; one more and the oldest is dropped
BURST_S: Final = 2.0  # of sound that comes faster than anybody speaks; what is beyond it is dropped

# Counts a connection of a client for the length of a block.
Hold = Callable[[Carried, str], AbstractContextManager[None]]


class ConversationHandler(AsyncStreamHandler):  # type: ignore[misc]  # FastRTC has no types here
    """Holds one conversation on each connection of a FastRTC `Stream` of modality "audio", mode "send-receive".

    What happens is told as `AdditionalOutputs`, each with one server event of OpenAI's Realtime protocol as a dict:
    the user's words, the assistant's, function calls, errors. `Stream.set_input(webrtc_id, text)` says a text in the
    user's place, "" silences the assistant, a dict is a client event of the same protocol.

    Args:
        sessions: of the server or of an `OwnAssistant`: who listens, thinks and speaks.
        session: fields of the protocol's session object: instructions, voice, tools, turn detection.
        hold: counts the connection among others; raises where there may be no more.
        caller: whose connection it is, for admission and shares.

    Raises:
        ProtocolError: If `session` cannot be used.
    """

    def __init__(
        self,
        sessions: RealtimeSessions,
        session: Mapping[str, object] | None = None,
        *,
        hold: Hold | None = None,
        patience: Patience | None = None,
        caller: Caller = NOBODY,
    ) -> None:
        super().__init__(output_sample_rate=SAMPLE_RATE, input_sample_rate=SAMPLE_RATE)
        self._sessions = sessions
        self._session = dict(session or {})
        self._config = _configured(sessions, self._session)
        self._hold = hold
        self.caller = caller
        self._patience = patience or Patience()
        self._outgoing = Outgoing(self._clear_fastrtc)
        self._heard = HeardSound()
        self._budget = SoundBudget(BURST_S, 1.0)
        self._inputs: deque[str] = deque(maxlen=MAX_INPUTS)
        self._carried: RealtimeConversation | None = None
        self._running: asyncio.Task[None] | None = None
        self._is_shut = False

    def copy(self) -> ConversationHandler:
        """One handler for each connection, called while its offer is answered."""
        return ConversationHandler(
            self._sessions, self._session, hold=self._hold, patience=self._patience, caller=CALLER.get()
        )

    # -- what FastRTC calls ----------------------------------------------------------------------------------------

    async def start_up(self) -> None:
        """Converse until `shutdown`: FastRTC starts this as a task and never ends it."""
        if self._is_shut:
            return
        self._running = asyncio.current_task()
        carried = self._sessions.prepare(self.caller.client, self._config)(
            Carrier("webrtc", self._open_sink, SAMPLE_RATE)
        )
        try:
            with self._hold(carried, self.caller.client) if self._hold is not None else nullcontext():
                self._carried = carried
                for event in self._inputs:
                    hand_over(carried, event)
                await until_first_ends(self._tell(carried), carried.run(), self._watch(carried))
            await self._outgoing.tell(carried.closing.reason if carried.closing is not None else "closed")
        except VivaVoceError as error:
            await self._fail(error)
        except Exception:
            logger.exception("a conversation failed unexpectedly")
            await self._fail(EngineError("the conversation failed; the server's log says why"))
        finally:
            self._carried = None

    async def receive(self, frame: tuple[int, Any]) -> None:
        """The microphone: (Hz, int16 [1, n]); any rate."""
        rate, sound = frame
        if self._carried is None or not self._budget.take(1000 * sound.shape[-1] / rate, time.monotonic()):
            return
        self._carried.hear(self._heard.process(rate, sound))

    async def emit(self) -> Any:
        """The next sound when it is due, or an event; None where there is nothing for a while."""
        if self._is_shut:  # nobody asks any more; if somebody does, not all the time
            await asyncio.sleep(IDLE_S)
        try:
            async with asyncio.timeout(IDLE_S):
                what = await self._outgoing.next()
        except TimeoutError:
            return None
        if isinstance(what, dict):
            return AdditionalOutputs(what)
        if isinstance(what, str):
            return CloseStream(what)
        return (SAMPLE_RATE, what) if what is not None else None

    def set_args(self, args: list[Any]) -> None:
        """What the application says in its user's place, from `Stream.set_input`; called from any thread."""
        super().set_args(args)
        loop: asyncio.AbstractEventLoop | None = getattr(self, "_loop", None)  # set by FastRTC for a connection
        if loop is None:
            self._say(self.latest_args[-1])
        else:
            loop.call_soon_threadsafe(self._say, self.latest_args[-1])

    def _say(self, said: object) -> None:
        for event in _events_of(said):
            if self._carried is not None:
                hand_over(self._carried, event)
            else:
                self._inputs.append(event)

    async def shutdown(self) -> None:
        """The connection is over; nothing of it goes on."""
        self._is_shut = True
        if self._running is not None:
            self._running.cancel()
        self._outgoing.wake()

    # -- the parts of a running conversation -----------------------------------------------------------------------

    async def _tell(self, carried: RealtimeConversation) -> None:
        while messages := await carried.next_messages():
            for message in messages:
                await self._tell_event(json.loads(message))

    async def _tell_event(self, event: dict[str, Any]) -> None:
        if event["type"] == "error":
            await self._show(event["error"]["message"])
        await self._outgoing.tell(event)

    async def _watch(self, carried: RealtimeConversation) -> None:
        """Close a conversation in which nothing happens; returns never."""
        while True:
            await asyncio.sleep(max(1.0, carried.active_s + self._patience.idle_s - time.monotonic()))
            if time.monotonic() - carried.active_s >= self._patience.idle_s:
                carried.close(1001, "idle_timeout")

    async def _fail(self, error: VivaVoceError) -> None:
        fields = {"type": error.type, "code": error.code, "message": error.message}
        await self._tell_event({"type": "error", "error": fields})
        await self._outgoing.tell(error.message)

    async def _show(self, message: str) -> None:
        """As FastRTC's own components show an error."""
        try:
            await self.send_message(create_message("error", message))
        except Exception as error:  # whatever its kinds of channels raise when they are closed
            logger.debug("an error could not be shown: %s", error)

    def _open_sink(self, teller: Teller, format: SoundFormat) -> TrackSink:
        return TrackSink(teller, self._outgoing)

    def _clear_fastrtc(self) -> None:
        if self._clear_queue is not None:
            self._clear_queue()


def _configured(sessions: RealtimeSessions, session: Mapping[str, object]) -> SessionConfig:
    """The settings of a new conversation; the user's words are told."""
    told: dict[str, object] = {"audio": {"input": {"transcription": {}}}}
    try:
        return sessions.default_config().updated(told).updated(session)
    except Refused as refused:
        raise refused_field(refused, "session") from None


def _events_of(said: object) -> list[str]:
    """Client events."""
    if isinstance(said, Mapping):
        return [json.dumps(said)]
    events: list[dict[str, object]] = [{"type": "output_audio_buffer.clear"}]
    if said:
        content = [{"type": "input_text", "text": str(said)}]
        item = {"type": "message", "role": "user", "content": content}
        events += [{"type": "conversation.item.create", "item": item}, {"type": "response.create"}]
    return [json.dumps(event) for event in events]
