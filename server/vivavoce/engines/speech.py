"""The border between the synthesizer and whatever makes the sound.

An engine turns one sentence into audio, step by step. It is blocking, knows no clock, thread, socket or queue, and
is called by the worker threads of `vivavoce.machine` only. One step is about 50 ms of compute or less, so there is
always a safe point to cancel or to serve another listener.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.engines.speech_options import SpeechOptions as SpeechOptions  # part of the border
from vivavoce.errors import EngineError
from vivavoce.progress import Progress
from vivavoce.text.normalize import SpokenText

Stage = Literal["prefill", "decode", "vocode", "done"]


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """A voice an engine could speak with, loaded or not; what the lists show.

    Attributes:
        id: `^[a-z0-9][a-z0-9_-]{0,63}$`.
        name: for people.
        languages: ISO 639-1 codes.
        engine: name of its engine.
        sample_rate: Hz the engine makes.
        references: named styles, selectable as `id/Style`.
        preload: load at start.
        problem: why it cannot speak now, with the command that helps; None when it can.
        created: Unix time in seconds.
        copies: it can speak like somebody in a recording; its engine is a `CopyingEngine`.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    engine: str
    sample_rate: int
    references: tuple[str, ...] = ()
    preload: bool = False
    problem: str | None = None
    created: int = 0
    copies: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SpokenClip:
    """A recording of somebody who is to be spoken like, once.

    Attributes:
        samples: float32 [n], mono, within +-1.
        sample_rate: Hz.
        text: what is said in it.
        language: ISO 639-1 code of `text`.
    """

    samples: Samples
    sample_rate: int
    text: str
    language: str


@runtime_checkable
class Voice(Protocol):
    """A loaded voice: weights shared by all its streams, read-only."""

    @property
    def id(self) -> str: ...
    @property
    def memory_bytes(self) -> int:
        """What it holds in memory, for the memory budget."""
        ...


class SentenceStream(Protocol):
    """All state of one sentence: a value, never shared between two sentences."""

    stage: Stage  # what its next step would do: the scheduler groups by it
    buffered_s: float  # seconds of audio the listener still has, told by the scheduler before each step

    @property
    def voice(self) -> Voice: ...
    @property
    def error(self) -> EngineError | None:
        """Set, with stage "done", where this stream alone failed and its neighbours in the batch go on."""
        ...

    @property
    def batch_key(self) -> object:
        """Streams with equal (engine, stage, batch_key) may be advanced by one `step` call."""
        ...

    def close(self) -> None:
        """Stop and free, at any time, any number of times."""
        ...


class SpeechEngine(Protocol):
    """Turns sentences into audio, step by step. Workers may call `step` at once on disjoint streams."""

    @property
    def name(self) -> str: ...
    @property
    def sample_rate(self) -> int:
        """Hz of every chunk it makes."""
        ...

    @property
    def max_batch(self) -> int:
        """Streams advanced by one call."""
        ...

    def voices(self) -> list[VoiceInfo]:
        """Voices it could speak with now, unavailable ones included. Cheap: called at every listing."""
        ...

    def load_voice(self, voice_id: str, progress: Progress | None = None) -> Voice:
        """Load a voice; may take seconds. `progress(what, fraction 0..1)` is told of long work.

        Raises:
            UnknownVoice: If `voice_id` is not one of `voices()`.
            VoiceUnavailable: If it cannot be loaded; the sentence says why and what helps.
        """
        ...

    def unload_voice(self, voice: Voice) -> None:
        """Free its memory; no stream of it is open."""
        ...

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        """Refuse text this voice cannot speak before anything is sent; a glance, no phonemes.

        Returns:
            The sentence as this voice says it, to be given to `open`: what it has no letters for is spelled in those it
            has, or left out and noted in `unspoken`.

        Raises:
            UnspeakableText: If the voice does not speak this text's language.
            VoiceUnavailable: If what that language needs is missing.
        """
        ...

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SentenceStream:
        """Begin a sentence; cheap (a few ms: phonemes at the most).

        Raises:
            UnspeakableText: If the voice does not speak this text's language.
            EmptyInput: If nothing of it can be spoken.
        """
        ...

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        """Advance each stream by one step; None where the step made no audio yet.

        All streams share one `stage` and `batch_key`. A stream whose `stage` becomes "done" has made its last chunk.

        Args:
            threads: to compute with, the calling one included; an engine may use fewer.

        Raises:
            EngineError: If the group failed; no stream of it can go on.
        """
        ...


@runtime_checkable
class CopyingEngine(Protocol):
    """An engine whose voices can speak like somebody in a recording."""

    def study(self, voice: Voice, clip: SpokenClip) -> object:
        """What `open` needs of a recording, given to it as `options.like`; seconds of work, and nothing of it is kept.

        Raises:
            InvalidAudio, InvalidRequest: If nobody can be spoken like by it.
            VoiceUnavailable: If what listens to it is missing.
        """
        ...
