"""The border of speech: what routes, live sessions and the assistant know of whoever speaks.

    voice = speaker.choose(name, model)                                   who speaks: decided once, at the door
    async with speaker.stream(SpeechRequest(voice=voice)) as spoken:      leaving the block cancels
        spoken.write("Hello"); spoken.end()
        async for chunk in spoken:
            await send(encoder.encode(chunk.audio.samples))

The `synthesizer.Synthesizer` is a `Speaker`, and so is a model on another machine. Nothing here computes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.speech import SpeechOptions, SpokenClip, VoiceInfo
from vivavoce.machine.admission import Place
from vivavoce.progress import Progress
from vivavoce.text.sentences import Sentence


@dataclass(frozen=True, slots=True)
class ResolvedVoice:
    """Who speaks, and in which tone: what a request's `voice` and `model` mean together.

    Attributes:
        info: the voice.
        reference: one of `info.references`, where one was asked for by name.
        like: what `VoiceKeeper.study` has learned of a recording, whose speaker is to be spoken like.
    """

    info: VoiceInfo
    reference: str | None = None
    like: object | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One wish to speak.

    Attributes:
        voice: from `Speaker.choose`; a name is looked up as `choose(name)` does.
        text: the whole text; None: it will be written piece by piece.
        options: how to say it.
        sample_rate: Hz of the audio wanted; None: the voice's own.
        ahead_s: unread audio held before the work for this stream stops.
        paced: stop computing also when more than `ahead_s` ahead of a listener who plays in real time.
        owner: whose request this is (a hash of the API key), for fair admission.
        transport: http, websocket, webrtc or cli, for the metrics.
    """

    voice: ResolvedVoice | str = "default"
    text: str | None = None
    options: SpeechOptions = field(default_factory=SpeechOptions)
    sample_rate: int | None = None
    ahead_s: float = 5.0
    paced: bool = False
    owner: str = ""
    transport: str = "http"


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """A piece of the utterance's audio and its place in the text.

    Attributes:
        audio: samples at the requested rate; the times of its words count from the utterance's first sample.
        sentence: what is being spoken, as written.
        start_s: position of the first sample in the utterance.
        begins_sentence, ends_sentence: first and last chunk of its sentence.
    """

    audio: AudioChunk
    sentence: Sentence
    start_s: float
    begins_sentence: bool
    ends_sentence: bool


@dataclass(frozen=True, slots=True)
class Unspoken:
    """A part of the written text that the voice has no letters for, and left out.

    Attributes:
        text: as written.
        start: place of its first code point in the utterance's text.
    """

    text: str
    start: int


class Spoken(Protocol):
    """The audio of one request, in order, while it is made; text may still be written.

    The iterator raises the error that ended the speech early, if one did.
    """

    @property
    def sample_rate(self) -> int:
        """The rate of every chunk, in Hz."""
        ...

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        ...

    @property
    def unspoken(self) -> Sequence[Unspoken]:
        """What was left out so far; it only grows. Of a whole text all of it, before the first sound."""
        ...

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        ...

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        ...

    def end(self) -> None:
        """No more text will come. Any number of times."""
        ...

    async def start(self) -> None:
        """Begin to work on what is written, though nobody reads yet; what a hosted model would be paid for waits.

        Raises:
            VoiceUnavailable: If the voice cannot be loaded.
            Overloaded, RateLimited, ShuttingDown: If it may not be taken on.
        """
        ...

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        ...

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        ...

    def __aiter__(self) -> AsyncIterator[SpokenChunk]: ...


class Speaker(Protocol):
    """Whoever turns text into speech, for many listeners at once."""

    def voices(self) -> list[VoiceInfo]:
        """Every voice, those that cannot speak now included. Cheap."""
        ...

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        """Who speaks where a request names this voice and this model. Asked once, where the request comes in.

        Raises:
            UnknownVoice: If there is no such voice, or it has no such reference.
            UnknownModel: If `model` names nothing that speaks here.
        """
        ...

    def stream(self, request: SpeechRequest, place: Place | None = None) -> AbstractAsyncContextManager[Spoken]:
        """Speak; the block ends or cancels it.

        Args:
            place: of the conversation it belongs to, which was admitted as a whole; None: it is admitted by itself.

        Raises:
            EmptyInput, TextTooLong, UnspeakableText: If the text cannot be spoken.
            UnknownVoice, VoiceUnavailable: If the voice cannot speak it.
            Overloaded, RateLimited, ShuttingDown: If it may not be taken on.
        """
        ...


class VoiceKeeper(Speaker, Protocol):
    """The speaker that a server is built around: it keeps the voices, is asked whether it is ready, and is ended.

    `synthesizer.Synthesizer` on one machine, the Mouths of a cluster on many.
    """

    @property
    def is_ready(self) -> bool:
        """True when a request sent now, which names no voice, is spoken at once."""
        ...

    @property
    def speaking(self) -> int:
        """Open blocks of `stream`."""
        ...

    def default_id(self) -> str | None:
        """Id of the voice that speaks where none is named: one that can. May look at the disk."""
        ...

    def spoken_for(self) -> frozenset[str]:
        """Names that mean a voice to clients already: no new voice may have one. May look at the disk."""
        ...

    def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed from disk or replaced; what it is saying, it says to the end."""
        ...

    async def load_voice(self, voice_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, as long as there is room.

        Raises:
            UnknownVoice, VoiceUnavailable: If that cannot be.
        """
        ...

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        """The voice as it speaks like somebody in a recording; of the recording nothing else stays.

        Raises:
            InvalidRequest: If this voice cannot do that, or not with this recording.
            VoiceUnavailable: If it cannot be loaded, or what listens to the recording is missing.
        """
        ...

    async def preload(self, progress: Progress | None = None) -> None:
        """Load the default voice and those marked for it; one that fails is logged."""
        ...

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new utterances and wait for the running ones. Returns False where some were still running."""
        ...

    async def aclose(self) -> None:
        """Free everything; every block has been left."""
        ...
