"""One live connection that listens: its sound becomes words, stream after stream.

Carried by a WebSocket or a WebRTC call alike; knows neither. The rules are in `protocols/captions/session.py`.
Who sends no sound for a while holds no place among those who are listened to: he gets one again with his next sound.
Made by `caption_stream.py`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import assert_never

from vivavoce.audio.chunk import Samples
from vivavoce.captions.input_sound import ContainerSound, InputSound, PcmSound
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.recognizer import HearingOptions, Task
from vivavoce.errors import EngineError, TooMuchSound, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.protocols.captions.messages import Final, ListenConfig, Partial, SpeechStarted, SpeechStopped, Status
from vivavoce.protocols.captions.session import Begin, CaptionSession, Command, End, Flush, Sound, Told
from vivavoce.protocols.commands import Close
from vivavoce.protocols.native.server_messages import Word
from vivavoce.recognition import listener as heard
from vivavoce.recognition.language_names import heard_language
from vivavoce.recognition.listener import Hearing, HearingEvent, HearingRequest, Listener
from vivavoce.recognition.speech_detector import DetectorOptions
from vivavoce.serving.parts import until_first_ends

logger = logging.getLogger(__name__)

MOST_WAITING = 512  # messages of sound that were not decoded yet; with 20 ms each, ten seconds
QUIET_S = 5.0  # without sound, and the place is given to somebody else


@dataclass(slots=True)
class _Stream:
    """A stream that is being listened to.

    Attributes:
        before_s: seconds of sound, and segments, before the present hearing.
        written_s: seconds of sound so far.
    """

    number: int
    config: ListenConfig
    sound: InputSound
    before_s: float = 0.0
    before_segments: int = 0
    written_s: float = 0.0
    segments: int = 0
    ended: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)


class LiveCaptions:
    """See `transports.carried.Carried`.

    Args:
        session: the rules, and what the client is due.
        carrier: its name, for the metrics.
        owner: whose connection it is, for admission.
        now: a clock in seconds that does not go back.
    """

    def __init__(
        self,
        listener: Listener,
        decoding: DecodingService,
        session: CaptionSession,
        carrier: str,
        *,
        owner: str,
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session
        self.hears = True
        self.closing: Close | None = None
        self.active_s = now()
        self._now = now
        self._listener, self._decoding = listener, decoding
        self._carrier, self._owner, self._metrics = carrier, owner, metrics
        self._queue: asyncio.Queue[Begin | Sound | Samples | Flush | End] = asyncio.Queue()  # bounded by MOST_WAITING
        self._due = asyncio.Event()
        self._draining = False
        self._due.set()

    # -- what the carrier calls

    def receive(self, data: str | bytes) -> None:
        """Act on one message of the client."""
        self.active_s = self._now()
        self._act(self.session.receive_message(data, self.active_s))

    def hear(self, samples: Samples) -> None:
        """Sound of a microphone that has a track of its own: float32 [n], 16 kHz."""
        if self.closing is None and len(samples):
            self.active_s = self._now()
            self._act(self.session.microphone())
            if self._has_room():
                self._queue.put_nowait(samples)

    async def next_messages(self) -> list[str | bytes]:
        """What to send next, when there is something; empty: nothing more will come, close the connection."""
        while not (messages := self.session.messages_to_send()):
            if self.closing is not None:
                return []
            self._due.clear()
            await self._due.wait()
        return messages

    async def run(self) -> None:
        """Listen to one stream after the other, until cancelled."""
        while True:
            item = await self._queue.get()
            if isinstance(item, Begin):
                await self._stream(item)
                self._close_if_drained()

    def close(self, code: int, reason: str) -> None:
        """Close after what is due was sent; the first reason stays. 1001 is announced to the client."""
        if self.closing is None:
            if code == 1001:
                self.session.announce_closing(reason)
            self.closing = Close(code, reason)
            self._due.set()

    def drain(self) -> None:
        """The server stops: close as soon as nothing is being listened to."""
        self._draining = True
        self._close_if_drained()

    # -- commands

    def _act(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Close(code, reason):
                    self.close(code, reason)
                case Sound():
                    if self._has_room():
                        self._queue.put_nowait(command)
                    else:
                        self._report(TooMuchSound("sound comes faster than it can be taken in"))
                case Begin() | Flush() | End():
                    self._queue.put_nowait(command)  # at most twenty a second
                case _:
                    assert_never(command)
        self._due.set()

    def _has_room(self) -> bool:
        return self._queue.qsize() < MOST_WAITING

    def _report(self, error: VivaVoceError) -> None:
        self._act(self.session.report(error, self._now()))

    def _close_if_drained(self) -> None:
        if self._draining and not self.session.is_listening:
            self.close(1001, "shutdown")

    # -- listening

    async def _stream(self, begin: Begin) -> None:
        """From the first sound of a stream to its end, told exactly once."""
        stream: _Stream | None = None
        outcome: Status = "failed"
        code = ""
        try:
            async with self._sound(begin.config) as sound:
                stream = _Stream(begin.stream, begin.config, sound)
                while not stream.ended:
                    await self._hearing(stream)
            outcome = "completed"
        except VivaVoceError as error:
            code = error.code
            self._report(error)
        except Exception:
            logger.exception("a stream could not be heard")
            code = EngineError.code
            self._report(EngineError("the stream could not be heard; the server's log says why"))
        finally:
            duration_ms = round(1000 * stream.written_s) if stream else 0
            segments = stream.segments if stream else 0
            self.session.finish(begin.stream, outcome, duration_ms=duration_ms, segments=segments)
            self._metrics.requests.labels("captions", outcome, code).inc()
            self._due.set()

    @asynccontextmanager
    async def _sound(self, config: ListenConfig) -> AsyncIterator[InputSound]:
        if config.encoding == "container":
            async with self._decoding.live(owner=self._owner, may_rest=True) as decoder:
                yield ContainerSound(decoder)
        else:
            yield PcmSound(config.encoding or "pcm", config.sample_rate)

    async def _hearing(self, stream: _Stream) -> None:
        """Listen while sound comes."""
        first = await self._queue.get()
        if isinstance(first, End):
            stream.ended = True
            return
        if isinstance(first, Flush | Begin):
            return
        stream.before_s, stream.before_segments = stream.written_s, stream.segments
        stream.told.clear()
        async with self._listener.listen(await self._request(stream)) as hearing:
            await until_first_ends(self._write(stream, hearing, first), self._tell(stream, hearing))

    async def _request(self, stream: _Stream) -> HearingRequest:
        config = stream.config
        model = await asyncio.to_thread(self._listener.choose, config.model)  # it may look at the disk
        task: Task = "translate" if config.task == "translate" else "transcribe"
        usual = DetectorOptions()
        silence_s = usual.silence_s if config.silence_ms is None else config.silence_ms / 1000
        threshold = usual.threshold if config.threshold is None else config.threshold
        return HearingRequest(
            model=model,
            options=HearingOptions(
                language=heard_language(config.language or ""),
                task=task,
                prompt=config.prompt or "",
                hotwords=config.keywords or (),
                word_times=bool(config.words),
            ),
            sample_rate=stream.sound.sample_rate,
            drafts=config.partials is not False,
            detector=DetectorOptions(
                threshold=threshold, hysteresis=min(usual.hysteresis, threshold / 2), silence_s=silence_s
            ),
            owner=self._owner,
            transport=self._carrier,
        )

    async def _write(self, stream: _Stream, hearing: Hearing, first: Sound | Samples) -> None:
        item: Begin | Sound | Samples | Flush | End = first
        while not isinstance(item, End):
            if isinstance(item, Flush):
                hearing.flush()
            elif not isinstance(item, Begin):
                self._take(stream, hearing, await _samples(stream, item))
            try:
                async with asyncio.timeout(QUIET_S):
                    item = await self._queue.get()
            except TimeoutError:
                break
        if isinstance(item, End):
            self._take(stream, hearing, await stream.sound.end())
            stream.ended = True
        hearing.end()
        await stream.told.wait()

    def _take(self, stream: _Stream, hearing: Hearing, samples: Samples) -> None:
        if not len(samples):
            return
        try:
            hearing.write(samples)
        except TooMuchSound as error:  # nothing of it was taken; the stream goes on without it
            self._report(error)
            return
        stream.written_s += len(samples) / stream.sound.sample_rate

    async def _tell(self, stream: _Stream, hearing: Hearing) -> None:
        async for event in hearing:
            self.session.tell(stream.number, _message(event, stream))
            self._due.set()
        stream.told.set()


async def _samples(stream: _Stream, item: Sound | Samples) -> Samples:
    return await stream.sound.take(item.data) if isinstance(item, Sound) else stream.sound.of_microphone(item)


def _message(event: HearingEvent, stream: _Stream) -> Told:
    number = stream.before_segments + event.segment
    stream.segments = max(stream.segments, number + 1)
    base_s = stream.before_s
    match event:
        case heard.SpeechStarted(_, start_s):
            return SpeechStarted(segment=number, start_ms=_ms(base_s + start_s))
        case heard.SpeechStopped(_, end_s, reason):
            return SpeechStopped(segment=number, end_ms=_ms(base_s + end_s), reason=reason)
        case heard.HeardSegment(_, start_s, end_s, said):
            start_s, end_s = base_s + start_s, base_s + end_s
            words = tuple(
                Word(word.text.strip(), _ms(start_s + word.start_s), _ms(start_s + word.end_s)) for word in said.words
            )
            times = {"start_ms": _ms(start_s), "end_ms": _ms(end_s)}
            shown = words if stream.config.words else None
            if not said.is_final:
                return Partial(segment=number, text=said.text, words=shown, **times)
            return Final(segment=number, text=said.text, language=said.language, words=shown, **times)
        case _:
            assert_never(event)


def _ms(seconds: float) -> int:
    return max(0, round(1000 * seconds))
