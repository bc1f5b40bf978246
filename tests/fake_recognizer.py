"""A recognizer that understands no speech but is exact: every started half second is a word, named by its level.

Sound of the level 0.25 is the word "w25", silence is no word. One step encodes, each further one gives one word, so a
test can tell from the text which sound was heard and how many steps were taken for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import (
    Heard,
    HeardToken,
    HeardWord,
    HearingOptions,
    HearingStage,
    HearingStream,
    RecognizerInfo,
    RecognizerModel,
)
from vivavoce.errors import EngineError, ModelUnavailable, UnknownModel, UnsupportedLanguage
from vivavoce.progress import Progress

SAMPLE_RATE = 16_000
WORD_SAMPLES = SAMPLE_RATE // 2
LANGUAGES = ("en", "pt")


@dataclass(frozen=True, slots=True)
class FakeModel:
    """Weights of nothing."""

    id: str
    languages: tuple[str, ...] = LANGUAGES
    translates: bool = False
    memory_bytes: int = 1_000_000


@dataclass(slots=True, eq=False)
class FakeHearing:
    """One segment on its way."""

    model: FakeModel
    options: HearingOptions
    limit: int  # samples
    stage: HearingStage = "waiting"
    error: EngineError | None = None
    closed: bool = False
    ended: bool = False
    batch_key: object = field(default_factory=object)
    parts: list[Samples] = field(default_factory=list)
    heard: Samples = field(default_factory=lambda: np.zeros(0, np.float32))  # what the present hearing is of
    words: list[str] = field(default_factory=list)  # of `heard`, once it is encoded
    told: int = 0
    drafted: Heard | None = None  # of all that was fed so far

    @property
    def heard_s(self) -> float:
        return sum(map(len, self.parts)) / SAMPLE_RATE

    def feed(self, samples: Samples) -> None:
        if self.ended or sum(map(len, self.parts)) + len(samples) > self.limit:
            raise ValueError("the segment has ended, or is too long")
        self.parts.append(samples)
        self.drafted = None

    def draft(self) -> None:
        if self.parts and not self.ended and not self.closed:
            self._begin()

    def end(self) -> None:
        if self.ended or self.closed:
            return
        self.ended = True
        under_way = self.stage in ("encode", "decode") and len(self.heard) == sum(map(len, self.parts))
        if self.drafted is not None:
            self.stage = "decode"  # one more step says so
        elif not under_way:
            self._begin()

    def close(self) -> None:
        self.closed = True
        self.stage = "done"
        self.parts.clear()

    def _begin(self) -> None:
        self.heard = np.concatenate([np.zeros(0, np.float32), *self.parts])
        self.stage, self.told, self.drafted = "encode", 0, None


class FakeRecognizer:
    """The recognizer border with everything observable.

    Args:
        before_step: called first in every step, in the worker thread; may block or raise.
        translates: its models "translate": their English is written in capitals.
    """

    name = "fake"
    sample_rate = SAMPLE_RATE

    def __init__(
        self,
        models: Sequence[str] = ("ear",),
        *,
        missing: Sequence[str] = (),
        max_segment_s: float = 30.0,
        max_batch: int = 1,
        batched: bool = False,
        before_step: Callable[[Sequence[FakeHearing]], None] | None = None,
        translates: bool = False,
    ) -> None:
        self.translates = translates
        self.known, self.missing = tuple(models), tuple(missing)
        self.max_segment_s, self.max_batch, self.batched = max_segment_s, max_batch, batched
        self.before_step = before_step
        self.streams: list[FakeHearing] = []
        self.loads: list[str] = []
        self.unloads: list[str] = []
        self.steps = 0
        self._lock = threading.Lock()

    @property
    def open_streams(self) -> list[FakeHearing]:
        """Streams opened and not closed."""
        return [stream for stream in self.streams if not stream.closed]

    def models(self) -> list[RecognizerInfo]:
        known = [RecognizerInfo(name, LANGUAGES, self.name, self.translates) for name in self.known]
        return known + [
            RecognizerInfo(name, LANGUAGES, self.name, problem="its files are missing") for name in self.missing
        ]

    def load_model(self, model_id: str, progress: Progress | None = None) -> FakeModel:
        if model_id in self.missing:
            raise ModelUnavailable(f"model '{model_id}' has no files")
        if model_id not in self.known:
            raise UnknownModel(model_id, self.known)
        self.loads.append(model_id)
        return FakeModel(model_id, translates=self.translates)

    def unload_model(self, model: RecognizerModel) -> None:
        self.unloads.append(model.id)

    def check(self, model: RecognizerModel, options: HearingOptions) -> None:
        if options.language not in (None, *LANGUAGES):
            raise UnsupportedLanguage(f"model '{model.id}' understands: {', '.join(LANGUAGES)}")
        if options.task == "translate" and not self.translates:
            raise UnsupportedLanguage(f"model '{model.id}' does not translate", param="model")

    def open(self, model: RecognizerModel, options: HearingOptions) -> FakeHearing:
        assert isinstance(model, FakeModel)
        self.check(model, options)
        stream = FakeHearing(model, options, round(self.max_segment_s * SAMPLE_RATE))
        if self.batched:
            stream.batch_key = model.id
        with self._lock:
            self.streams.append(stream)
        return stream

    def step(self, streams: Sequence[HearingStream], *, threads: int) -> list[Heard | None]:
        fakes = [stream for stream in streams if isinstance(stream, FakeHearing)]
        if self.before_step is not None:
            self.before_step(fakes)
        with self._lock:
            self.steps += 1
        return [_advance(stream) for stream in fakes]


def _advance(stream: FakeHearing) -> Heard | None:
    assert not stream.closed, "a closed stream was stepped"
    if stream.stage == "encode":
        pieces = [stream.heard[k : k + WORD_SAMPLES] for k in range(0, len(stream.heard), WORD_SAMPLES)]
        stream.words = [f"w{abs(piece).max() * 100:.0f}" for piece in pieces if abs(piece).max() > 0]
        stream.stage = "decode"
        return None
    if stream.drafted is None:
        stream.told += 1
    whole = stream.told > len(stream.words) or stream.drafted is not None
    heard = _heard(stream, stream.words[: stream.told], whole)
    if whole:
        stream.stage = "done" if stream.ended else "waiting"
        if len(stream.heard) == sum(map(len, stream.parts)):
            stream.drafted = heard
    return heard


def _heard(stream: FakeHearing, words: Sequence[str], whole: bool) -> Heard:
    language = stream.options.language or "en"
    translated = stream.options.task == "translate" and language not in stream.options.as_spoken
    words = [word.upper() for word in words] if translated else words
    blanks = ["", *[" "] * len(words)]
    text = [blank + word for blank, word in zip(blanks, words, strict=False)]
    timed = tuple(
        HeardWord(word, k / 2, min((k + 1) / 2, len(stream.heard) / SAMPLE_RATE), 1.0, k, k + 1)
        for k, word in enumerate(text)
    )
    return Heard(
        text="".join(text),
        is_whole=whole,
        is_final=whole and stream.ended,
        language=language,
        is_translated=translated,
        duration_s=len(stream.heard) / SAMPLE_RATE,
        words=timed if whole and stream.options.word_times else (),
        tokens=tuple(HeardToken(k, word.encode(), 0.0) for k, word in enumerate(text))
        if whole or stream.options.as_it_comes
        else (),
    )
