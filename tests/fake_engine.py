"""An engine that makes no speech but is exact: every voice is a constant level, every step can be held back.

Text of n characters becomes n * `step_samples` samples in n steps, so a test can tell from the audio whose it is, how
much of it there is, and how many steps were taken for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.speech import SentenceStream, SpeechOptions, Stage, Voice, VoiceInfo
from vivavoce.errors import EngineError, UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.text.normalize import SpokenText
from vivavoce.words import WordTiming


@dataclass(frozen=True, slots=True)
class FakeVoice:
    """A voice that is a number: its samples all have the value `level`."""

    id: str
    level: float
    memory_bytes: int = 1_000_000


@dataclass(slots=True, eq=False)
class FakeStream:
    """One sentence on its way."""

    voice: FakeVoice
    sentence: SpokenText
    steps_left: int
    steps_done: int = 0
    stage: Stage = "decode"
    buffered_s: float = 0.0
    error: EngineError | None = None
    closed: bool = False
    batch_key: object = field(default_factory=object)

    def close(self) -> None:
        self.closed = True
        self.stage = "done"


class FakeEngine:
    """The engine border with everything observable.

    Args:
        voices: ids; the k-th (from 0) has the level (k + 1) / 16.
        step_samples: samples one step makes.
        batched: streams of one voice share a batch key.
        before_step: called first in every step, in the worker thread; may block or raise.
    """

    name = "fake"

    def __init__(
        self,
        voices: Sequence[str] = ("alpha",),
        *,
        sample_rate: int = 24_000,
        step_samples: int = 480,
        max_batch: int = 1,
        batched: bool = False,
        before_step: Callable[[Sequence[FakeStream]], None] | None = None,
        missing: Sequence[str] = (),
    ) -> None:
        self.sample_rate = sample_rate
        self.step_samples = step_samples
        self.max_batch = max_batch
        self.batched = batched
        self.before_step = before_step
        self.missing = tuple(missing)
        self.levels = {voice_id: (k + 1) / 16 for k, voice_id in enumerate(voices)}
        self.streams: list[FakeStream] = []
        self.loads: list[str] = []
        self.unloads: list[str] = []
        self.steps = 0
        self.batches: list[int] = []
        self._lock = threading.Lock()

    @property
    def open_streams(self) -> list[FakeStream]:
        """Streams opened and not closed."""
        return [s for s in self.streams if not s.closed]

    def voices(self) -> list[VoiceInfo]:
        known = [VoiceInfo(v, v.title(), ("en",), self.name, self.sample_rate) for v in self.levels]
        gone = [
            VoiceInfo(v, v.title(), ("en",), self.name, self.sample_rate, problem="its files are missing")
            for v in self.missing
        ]
        return known + gone

    def load_voice(self, voice_id: str, progress: Callable[[str, float], None] | None = None) -> FakeVoice:
        if voice_id in self.missing:
            raise VoiceUnavailable(voice_id)
        if voice_id not in self.levels:
            raise UnknownVoice(voice_id, self.levels)
        self.loads.append(voice_id)
        return FakeVoice(voice_id, self.levels[voice_id])

    def unload_voice(self, voice: Voice) -> None:
        self.unloads.append(voice.id)

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        if any(ord(c) > 0x2FFF for c in sentence.text):
            raise UnspeakableText(voice.id, ("English",))
        return sentence

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> FakeStream:
        assert isinstance(voice, FakeVoice)
        self.check(sentence, voice, options)
        stream = FakeStream(voice, sentence, steps_left=max(1, len(sentence.source.strip())))
        if self.batched:
            stream.batch_key = voice.id
        with self._lock:
            self.streams.append(stream)
        return stream

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        fakes = [s for s in streams if isinstance(s, FakeStream)]
        if self.before_step is not None:
            self.before_step(fakes)
        with self._lock:
            self.steps += 1
            self.batches.append(len(fakes))
        return [self.advance(stream) for stream in fakes]

    def advance(self, stream: FakeStream) -> AudioChunk:
        assert not stream.closed, "a closed stream was stepped"
        samples = np.full(self.step_samples, stream.voice.level, np.float32)
        start_s = stream.steps_done * self.step_samples / self.sample_rate
        end_s = start_s + self.step_samples / self.sample_rate
        lead = len(stream.sentence.source) - len(stream.sentence.source.lstrip())
        at = lead + stream.steps_done
        word = WordTiming(stream.sentence.source[at : at + 1], start_s, end_s, at, at + 1)
        stream.steps_done += 1
        stream.steps_left -= 1
        if stream.steps_left == 0:
            stream.stage = "done"
        return AudioChunk(samples, self.sample_rate, (word,))


class Closable(Protocol):
    """A stream of either kind, as a gate sees it."""

    @property
    def closed(self) -> bool: ...


class StepGate:
    """Lets a test decide how many steps the engine may take: `before_step=gate`."""

    def __init__(self, allowed: int = 0) -> None:
        self._tickets = threading.Semaphore(allowed)
        self.opened = threading.Event()

    def __call__(self, streams: Sequence[Closable]) -> None:
        while not self.opened.is_set() and not self._tickets.acquire(timeout=0.005):
            if all(s.closed for s in streams):
                return

    def allow(self, steps: int = 1) -> None:
        """This many more steps."""
        self._tickets.release(steps)

    def open(self) -> None:
        """No limit from now on."""
        self.opened.set()


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Block until a condition of another thread holds; AssertionError where it never does."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.002)
