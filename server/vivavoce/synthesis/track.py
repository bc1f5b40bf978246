"""What the workers know of one utterance: its sentences to come, the one being made, the audio nobody has read yet.

Plain state, guarded by the lock of `worker.WorkerPool`; the loop's side of it is `synthesizer.Utterance`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from vivavoce.audio.chunk import WordTiming
from vivavoce.audio.resample import Resampler
from vivavoce.engines.speech import SentenceStream, SpeechEngine, SpeechOptions, Voice
from vivavoce.errors import VivaVoceError
from vivavoce.machine.scheduler import Candidate, deadline
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.text.sentences import Sentence

# Silence between two sentences: what follows a clause needs none, engines end a sentence with a little of their own.
PAUSE_S = {"clause": 0.0, "sentence": 0.15, "paragraph": 0.4}


@dataclass(slots=True)
class SentenceCost:
    """Core seconds spent on a finished sentence and the seconds of audio they made."""

    core_s: float
    audio_s: float


@dataclass(slots=True, eq=False)
class Track:
    """One utterance among the workers.

    Attributes:
        id: unique in the pool.
        home_language: the voice's first; reads what no script tells, such as "2024".
        sample_rate: Hz of the chunks it delivers.
        ahead_s: unread audio it may hold.
        paced: wait also when further than `ahead_s` ahead of the listener's clock.
        arrival_s: when the request came.
        wake: sets `changed` from a worker thread.
        changed: what the reader waits for.
    """

    id: int
    engine: SpeechEngine
    voice: Voice
    options: SpeechOptions
    home_language: str
    sample_rate: int
    ahead_s: float
    paced: bool
    arrival_s: float
    wake: Callable[[], None]
    changed: asyncio.Event

    # -- text to come
    sentences: deque[Sentence] = field(default_factory=deque)
    arrived_s: deque[float] = field(default_factory=deque)  # when each of them was ready to be spoken
    first_text_s: float | None = None  # when there was first something to speak
    text_ended: bool = False

    # -- the sentence being made
    sentence: Sentence | None = None
    stream: SentenceStream | None = None
    resampler: Resampler | None = None
    sentence_arrived_s: float = 0.0
    sentence_start: int = 0  # samples of the utterance before it
    sentence_samples: int = 0  # samples of it delivered
    held_words: tuple[WordTiming, ...] = ()  # of audio that is still inside the resampler
    sentence_core_s: float = 0.0
    retried: bool = False

    # -- audio
    chunks: deque[SpokenChunk] = field(default_factory=deque)
    unread: int = 0  # samples in `chunks`
    produced: int = 0  # samples delivered so far
    last_ending: str | None = None  # how the sentence before ended; None before the first
    playing_since_s: float | None = None  # when a real-time listener would have begun; moved by pauses and reports
    core_s: float = 0.0
    underruns: int = 0
    underruns_told: int = 0
    costs: list[SentenceCost] = field(default_factory=list)

    # -- its end
    busy: bool = False
    cancelled: bool = False
    cancelled_s: float = 0.0
    error: VivaVoceError | None = None

    @property
    def finished(self) -> bool:
        """Everything that will ever be made has been made."""
        idle = not self.busy and not self.sentences and self.stream is None
        return self.error is not None or (self.text_ended and idle)

    @property
    def dry_at_s(self) -> float | None:
        """When a listener who plays in real time runs out of audio; None before the first chunk."""
        return None if self.playing_since_s is None else self.playing_since_s + self.produced / self.sample_rate

    def candidate(self, first_audio_target_s: float) -> Candidate | None:
        """Its place in the schedule; None where it has nothing to do or its reader is behind."""
        if self.busy or self.cancelled or self.error is not None:
            return None
        if self.stream is None and not self.sentences:
            return None
        if self.unread >= self.ahead_s * self.sample_rate:
            return None
        dry_at_s = self.dry_at_s
        group: Hashable
        if self.stream is None:
            group, max_batch = ("open", self.id), 1
        else:
            group = (self.engine.name, self.stream.stage, self.stream.batch_key)
            max_batch = self.engine.max_batch
        return Candidate(
            id=self.id,
            group=group,
            max_batch=max_batch,
            deadline_s=deadline(
                arrival_s=self.first_text_s if self.first_text_s is not None else self.arrival_s,
                first_audio_target_s=first_audio_target_s,
                dry_at_s=dry_at_s,
            ),
            ready_at_s=dry_at_s - self.ahead_s if self.paced and dry_at_s is not None else 0.0,
        )

    def drop(self) -> None:
        """Free what it holds; no worker is stepping it."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        self.sentences.clear()
        self.arrived_s.clear()
        self.chunks.clear()
        self.unread = 0
        self.resampler = None
