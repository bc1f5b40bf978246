"""The border between the transcriber and whatever turns sound into words.

A recognizer hears one segment (speech between two pauses) at a time, step by step. It is blocking, knows no clock,
thread, socket or queue, and is called by the worker threads of `vivavoce.machine` only. A step is short, 100 ms or
less for what is heard live, so there is always a safe point to cancel or to serve somebody else. Where a segment
begins and ends is decided outside, by the speech detector.

    open ─► waiting ──draft()──► encode ─► decode ─► (a whole Heard) ─► waiting      what was said so far
               └──────end()────► encode ─► decode ─► (the final Heard) ─► done       what was said
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from vivavoce.audio.chunk import Samples
from vivavoce.errors import EngineError
from vivavoce.progress import Progress

HearingStage = Literal["waiting", "encode", "decode", "done"]
Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class HearingOptions:
    """What to make of the sound.

    Attributes:
        language: ISO 639-1 code of what is spoken; None detects it, for each segment.
        languages: where it is detected, the only answers allowed; empty allows all that the model knows.
        task: "transcribe" writes the language that is spoken, "translate" writes English.
        as_spoken: languages that "translate" leaves as they are, where the recognizer can.
        prompt: text that came before: names, spelling, style. Its end counts where it is too long.
        hotwords: words that are likely to be said.
        temperature: 0 takes the likeliest words; up to 1 draws among the likely ones.
        seed: of that drawing; the same seed and sound give the same words.
        word_times: whole results tell when each word was said.
        as_it_comes: beginnings of texts are passed on: what their `tokens` hold is never taken back, for which a
            recognizer may have to hear with less freedom.
    """

    language: str | None = None
    languages: tuple[str, ...] = ()
    task: Task = "transcribe"
    as_spoken: tuple[str, ...] = ()
    prompt: str = ""
    hotwords: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int = 0
    word_times: bool = False
    as_it_comes: bool = False


@dataclass(frozen=True, slots=True)
class HeardToken:
    """A piece of text as the model wrote it; a character may take several.

    Attributes:
        id: number in the model's vocabulary.
        piece: its bytes; the pieces of a result join to its text (but for blanks around it).
        logprob: natural logarithm of its probability.
    """

    id: int
    piece: bytes
    logprob: float


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word and when it was said.

    Attributes:
        text: as written, with its punctuation and the blank before it, if any: the words of a result join to its text.
        start_s, end_s: seconds from the first sample of the segment.
        probability: 0..1, the mean of its tokens.
        first_token, last_token: its tokens are `Heard.tokens[first_token:last_token]`.
    """

    text: str
    start_s: float
    end_s: float
    probability: float
    first_token: int
    last_token: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recognizer understood of a segment, or of as much of it as there was.

    Attributes:
        text: without blanks around it; "" where nothing was said.
        is_whole: False while words still come: the text is then the beginning of what will be heard.
        is_final: the last of its stream. A whole text that is not final is a draft: the next one may differ anywhere.
        language: ISO 639-1 code of what is spoken, given or detected.
        language_probability: 1 where it was given.
        duration_s: seconds of sound that were heard.
        words: where they were asked for and the text is whole.
        tokens: of the whole text. Of a beginning, where they were asked for, those that the whole text begins with,
            whatever comes; whole characters.
        avg_logprob: mean of the tokens' log-probabilities, end of text included; 0 without tokens.
        no_speech_prob: 0..1, the model's own opinion; it takes noise for speech, so do not rely on it alone.
        temperature: the one that was used.
        is_translated: the text is English, whatever was spoken.
        closed: how probably the sentence ends with the last word, 0..1, as the model writes it; None where it is not
            known. A whole sentence has nearly 1, one that breaks off less.
        marked: how probably it writes a full stop there, or a question or exclamation mark; None where it is not known.
    """

    text: str
    is_whole: bool
    is_final: bool
    language: str
    language_probability: float = 1.0
    duration_s: float = 0.0
    words: tuple[HeardWord, ...] = ()
    tokens: tuple[HeardToken, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    temperature: float = 0.0
    is_translated: bool = False
    closed: float | None = None
    marked: float | None = None

    @property
    def text_language(self) -> str:
        """ISO 639-1 code of the text."""
        return "en" if self.is_translated else self.language

    @property
    def compression_ratio(self) -> float:
        """Bytes of the text over its compressed bytes: above 2.4 it repeats itself. 0 where there is no text."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0


@dataclass(frozen=True, slots=True)
class RecognizerInfo:
    """A model a recognizer could use, loaded or not; what the lists show.

    Attributes:
        id: the name it is asked for by.
        languages: ISO 639-1 codes it understands.
        engine: name of its recognizer.
        translates: True where it can also write English for other languages.
        problem: why it cannot be used now, with the command that helps; None when it can.
        created: Unix time in seconds.
    """

    id: str
    languages: tuple[str, ...]
    engine: str
    translates: bool = False
    problem: str | None = None
    created: int = 0


@runtime_checkable
class RecognizerModel(Protocol):
    """Loaded weights, shared by all streams, read-only."""

    @property
    def id(self) -> str: ...
    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes it understands."""
        ...

    @property
    def translates(self) -> bool: ...
    @property
    def memory_bytes(self) -> int:
        """What it holds in memory, for the memory budget."""
        ...


class HearingStream(Protocol):
    """All state of one segment: a value, never shared between two segments. Not for two threads at once."""

    @property
    def stage(self) -> HearingStage:
        """What its next step would do: "waiting" has nothing to do until `draft` or `end`."""
        ...

    @property
    def model(self) -> RecognizerModel: ...
    @property
    def error(self) -> EngineError | None:
        """Set, with stage "done", where this stream alone failed and its neighbours in the batch go on."""
        ...

    @property
    def batch_key(self) -> object:
        """Streams with equal (recognizer, stage, batch_key) may be advanced by one `step` call."""
        ...

    @property
    def heard_s(self) -> float:
        """Seconds of sound fed so far."""
        ...

    def feed(self, samples: Samples) -> None:
        """More of the segment; cheap. A draft under way goes on without it.

        Args:
            samples: float32 [n], mono, at the recognizer's rate.

        Raises:
            ValueError: If the segment has ended, or becomes longer than the recognizer's `max_segment_s`.
        """
        ...

    def draft(self) -> None:
        """Hear what was fed so far; one that is under way is dropped. Nothing happens where nothing was fed."""
        ...

    def end(self) -> None:
        """The segment is whole: hear it. A draft of exactly this sound, done or under way, becomes the result:
        begin one when speech seems to have ended, and nothing is lost if it has."""
        ...

    def close(self) -> None:
        """Stop and free, at any time, any number of times."""
        ...


class Recognizer(Protocol):
    """Turns speech into words, step by step. Workers may call `step` at once on disjoint streams."""

    @property
    def name(self) -> str: ...
    @property
    def sample_rate(self) -> int:
        """Hz of the samples it is fed."""
        ...

    @property
    def max_segment_s(self) -> float:
        """Seconds of sound a stream takes at most."""
        ...

    @property
    def max_batch(self) -> int:
        """Streams advanced by one call."""
        ...

    def models(self) -> list[RecognizerInfo]:
        """Models it could use now, unavailable ones included. Cheap: called at every listing."""
        ...

    def load_model(self, model_id: str, progress: Progress | None = None) -> RecognizerModel:
        """Load a model; may take seconds. `progress(what, fraction 0..1)` is told of long work.

        Raises:
            UnknownModel: If `model_id` is not one of `models()`.
            ModelUnavailable: If it cannot be loaded; the sentence says why and what helps.
        """
        ...

    def unload_model(self, model: RecognizerModel) -> None:
        """Free its memory; no stream of it is open."""
        ...

    def check(self, model: RecognizerModel, options: HearingOptions) -> None:
        """Refuse what this model cannot do before any sound is read; a glance (microseconds).

        Raises:
            UnsupportedLanguage: If the model does not understand the language, or cannot translate.
            InvalidRequest: If another option is out of range.
        """
        ...

    def open(self, model: RecognizerModel, options: HearingOptions) -> HearingStream:
        """Begin a segment; cheap.

        Raises:
            InvalidRequest: As `check`.
        """
        ...

    def step(self, streams: Sequence[HearingStream], *, threads: int) -> list[Heard | None]:
        """Advance each stream by one step; None where the step made no words.

        A step in stage "decode" gives the text so far, or the whole one, which ends the stage. All streams share one
        `stage` ("encode" or "decode") and `batch_key`.

        Args:
            threads: to compute with, the calling one included; no word depends on it, the last bits of a number may.

        Raises:
            EngineError: If the group failed; no stream of it can go on.
        """
        ...
