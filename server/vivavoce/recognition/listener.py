"""The border of listening: what routes, live sessions and the assistant know of whoever turns sound into words.

    model = listener.choose(name)                                        which model: decided once, at the door
    async with listener.listen(HearingRequest(model=model)) as hearing:  leaving the block cancels
        hearing.write(samples); hearing.end()
        async for event in hearing:                                      SpeechStarted, HeardSegment, SpeechStopped
            ...

`transcriber.Transcriber` is a `Listener`, and so is a model on another machine. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, RecognizerInfo
from vivavoce.machine.admission import Kind, Place
from vivavoce.progress import Progress
from vivavoce.recognition.speech_detector import DetectorOptions

AnySamples = NDArray[Any]  # float32 within +-1 or int16
SAMPLE_RATE = 16_000  # Hz of everything that is heard
DETECTOR = Kind("detector", "speech", beside=True)  # finds speech, all the time that somebody is listened to


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """Which model hears: what a request's `model` means here."""

    info: RecognizerInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingRequest:
    """One wish to be heard.

    Attributes:
        model: from `Listener.choose`; a name is looked up as `choose(name)` does.
        options: what to make of the sound.
        sample_rate: Hz of the samples that are written.
        drafts: tell also what is understood while somebody still speaks.
        detector: when speech is speech; None: as fits whoever is heard, live or from a recording.
        owner: whose request this is (a hash of the API key), for fair admission.
        transport: http, websocket, webrtc or cli, for the metrics.
    """

    model: ResolvedModel | str = "default"
    options: HearingOptions = field(default_factory=HearingOptions)
    sample_rate: int = SAMPLE_RATE
    drafts: bool = False
    detector: DetectorOptions | None = None
    owner: str = ""
    transport: str = "http"


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks.

    Attributes:
        segment: counts from 0; each one ends in one `SpeechStopped` and one final `HeardSegment`.
        start_s: seconds from the first sample that was written, a little before the speech.
    """

    segment: int
    start_s: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The segment is over; its words follow.

    Attributes:
        reason: "split": it had become too long, and speech goes on in the next one. "flush": the caller said so.
    """

    segment: int
    end_s: float
    reason: Literal["pause", "split", "flush"]


@dataclass(frozen=True, slots=True)
class HeardSegment:
    """What was understood of a segment, or of as much of it as there is.

    Attributes:
        start_s, end_s: where its sound lies, seconds from the first sample that was written. Times of words count
            from `start_s`.
        heard: the words. Where `heard.is_final`, nothing more comes of this segment.
    """

    segment: int
    start_s: float
    end_s: float
    heard: Heard


HearingEvent = SpeechStarted | SpeechStopped | HeardSegment


class Hearing(Protocol):
    """Sound in, words out, in the order of the segments. The iterator raises the error that ended it early."""

    def write(self, samples: Samples) -> None:
        """More sound: float32 [n], mono, at the request's rate; of any length, but not faster than it can be heard.

        Raises:
            TooMuchSound: If far more waits to be heard than anybody speaks; nothing of `samples` was taken.
        """
        ...

    def flush(self) -> None:
        """What was said is complete: hear it now, without waiting for silence. More sound may come."""
        ...

    def end(self) -> None:
        """No more sound will come. Any number of times."""
        ...

    def __aiter__(self) -> AsyncIterator[HearingEvent]: ...


class EarSegment(Protocol):
    """A stretch of sound that somebody decided to hear."""

    def draft(self, end: int) -> None:
        """Hear it up to sample `end`; what was begun before and is not done is dropped."""
        ...

    def finish(self, end: int) -> None:
        """It ends there: the next whole `Heard` is final. A draft up to the same sample is not heard twice."""
        ...

    def drop(self) -> None:
        """Nobody wants to know. Any number of times."""
        ...

    def take(self) -> list[Heard]:
        """What was understood since it was asked last: beginnings of texts, drafts, the final result.

        Raises:
            VivaVoceError: What ended it early.
        """
        ...


class Ear(Protocol):
    """Sound in, probabilities of speech out; the caller decides what to hear of it, and when it was a turn."""

    def write(self, samples: Samples) -> None:
        """As `Hearing.write`."""
        ...

    async def changed(self) -> None:
        """Returns when there may be new frames or words."""
        ...

    def frames(self) -> list[float]:
        """Probabilities of speech, 0..1, one for each further 512 samples of 16 kHz."""
        ...

    def open(self, start: int) -> EarSegment:
        """Begin to hear from sample `start` on (16 kHz, at most half a minute back)."""
        ...

    async def judge(self, start: int, end: int) -> float:
        """How probably the speaker of these samples has finished, by intonation: 0..1."""
        ...


class Listener(Protocol):
    """Whoever turns sound into words, for many speakers at once."""

    def models(self) -> list[RecognizerInfo]:
        """Every model, those that cannot be used now included. Cheap."""
        ...

    def choose(self, model: str | None = None) -> ResolvedModel:
        """Which model a request's word means.

        Raises:
            UnknownModel: If there is none of that name.
        """
        ...

    def listen(self, request: HearingRequest, place: Place | None = None) -> AbstractAsyncContextManager[Hearing]:
        """Hear somebody live; segments are found by silence.

        Args:
            place: of the conversation it belongs to, which was admitted as a whole; None: it is admitted by itself.

        Raises:
            UnknownModel, ModelUnavailable, UnsupportedLanguage: If the model cannot do it.
            Overloaded, RateLimited, ShuttingDown: If it may not be taken on.
        """
        ...

    def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AbstractAsyncContextManager[Ear]:
        """The same for a caller who decides himself what to hear. Raises as `listen`."""
        ...

    def transcribe(
        self, sound: Sequence[AnySamples], request: HearingRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[HeardSegment]]:
        """Hear a whole recording, behind everything live; segments come in order, final ones, and where
        `options.as_it_comes` their beginnings before them.

        Args:
            sound: pieces of a recording, float32 or int16 [n], 16 kHz.
        """
        ...


class ModelKeeper(Listener, Protocol):
    """The listener that a server is built around: it keeps the models, and is ended."""

    async def load_model(self, model_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, as long as there is room.

        Raises:
            UnknownModel, ModelUnavailable: If that cannot be.
        """
        ...

    async def preload(self, progress: Progress | None = None) -> None:
        """Have the default model in memory, where there is one; what keeps it from it is logged."""
        ...

    def forget(self, model_id: str) -> None:
        """Let it leave memory when nobody uses it any more."""
        ...

    async def drain(self, timeout_s: float) -> bool:
        """Wait for everybody who is listened to. Returns False where some still were."""
        ...

    async def aclose(self) -> None:
        """Free everything; every block has been left."""
        ...
