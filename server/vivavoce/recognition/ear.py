"""An ear: the sound of one speaker, how probably it is speech, and the stretches of it that somebody wants to hear.

What is to be heard is decided outside: by `hearing.py` from silence, by a conversation from turns. Lives on the event
loop; computing is done by jobs of the pool. Made by `transcriber.py`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import TooMuchSound, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM, final_deadline
from vivavoce.machine.worker import WorkerPool
from vivavoce.recognition.detector_job import DetectorJob, VoiceActivity
from vivavoce.recognition.hearer import Hearer, SegmentWork
from vivavoce.recognition.judge_job import Intonation, JudgeJob
from vivavoce.recognition.listener import DETECTOR, SAMPLE_RATE
from vivavoce.recognition.sound_buffer import SoundBuffer
from vivavoce.recognition.speech_detector import FRAME

KEEP_S = 32.0  # of sound that may still be asked for: a segment has at most 30
KEEP_OF_A_FILE_S = 60.0  # what was read ahead of it, too
MOST_WAITING_S = 60.0  # of sound that nobody looked at yet; finding speech is some hundred times quicker than speaking
SURE = 0.8
TELL_EVERY = 32  # frames of the detector: its cost is told to the books once a second
MOST_SEGMENTS = 24  # that are being heard at once: a minute or more of speech


class LiveEar:
    """See `listener.Ear`.

    Args:
        hearer: gives words.
        options: checked.
        pool: where speech is found.
        activity: finds speech.
        intonation: judges whether somebody has finished; loaded when it is first asked.
        place: whose cost it counts on.
        sample_rate: Hz of what is written.
        live: False for a recording, which is heard behind everybody who speaks now.
    """

    def __init__(
        self,
        hearer: Hearer,
        options: HearingOptions,
        pool: WorkerPool,
        activity: VoiceActivity,
        intonation: Intonation,
        place: Place,
        sample_rate: int,
        *,
        live: bool = True,
    ) -> None:
        self._hearer, self._options, self._pool, self._place = hearer, options, pool, place
        self._intonation = intonation
        self._live = live
        self._resampler = Resampler(sample_rate, SAMPLE_RATE)
        self._sound = SoundBuffer(round((KEEP_S if live else KEEP_OF_A_FILE_S) * SAMPLE_RATE))
        self._event = asyncio.Event()
        self.wake = waker(self._event)
        self._detector = DetectorJob(activity, pool.changed, self.wake, live)
        self._segments: set[Segment] = set()
        self._frames_since_told = 0
        pool.add(self._detector)

    @property
    def written(self) -> int:
        """Samples of 16 kHz so far."""
        return self._sound.end

    def write(self, samples: Samples) -> None:
        """See `Hearing`."""
        waiting = self._detector.waiting() * FRAME + len(samples)
        if waiting > MOST_WAITING_S * SAMPLE_RATE:
            raise TooMuchSound(f"more than {MOST_WAITING_S:.0f} s of sound wait to be heard; send it as it is spoken")
        self._take_in(self._resampler.process(clean(samples)))

    def flush(self) -> None:
        """The sound is complete: what the resampler kept back belongs to it, and silence fills the last frame."""
        self._take_in(self._resampler.flush())
        self._take_in(np.zeros(-self._sound.end % FRAME, np.float32))

    async def changed(self) -> None:
        """Returns when there may be new frames or words."""
        await self._event.wait()
        self._event.clear()

    def frames(self) -> list[float]:
        """Probabilities of speech, one for each further 512 samples."""
        found = self._detector.take()
        self._frames_since_told += len(found)
        if self._frames_since_told >= TELL_EVERY:
            self._frames_since_told = 0
            self._place.measured(DETECTOR, *self._detector.take_cost())
        return found

    def open(self, start: int) -> Segment:
        """Begin to hear from sample `start` on.

        Raises:
            TooMuchSound: If too much is being heard already.
        """
        if self._live and len(self._segments) >= MOST_SEGMENTS:  # a recording is read no further than it is heard
            raise TooMuchSound("more speech came than can be heard at once; send it as it is spoken")
        segment = Segment(self, max(0, start))
        self._segments.add(segment)
        return segment

    async def judge(self, start: int, end: int) -> float:
        """How probably the speaker of these samples has finished: 0..1."""
        done = asyncio.Event()
        job = JudgeJob(self._intonation, self._sound.cut(start, end), waker(done), self._pool.changed)
        self._pool.add(job)
        try:
            await done.wait()
            return job.verdict()
        finally:
            self._pool.remove(job)

    def settle(self, heard: Heard) -> None:
        """Stay with the language that was heard, if it is certain: it is not looked for in every segment again."""
        if self._options.language is None and heard.text and heard.language_probability >= SURE:
            self._options = replace(self._options, language=heard.language)

    def close(self) -> None:
        """Let go of everything. Any number of times."""
        self._pool.remove(self._detector)
        for segment in list(self._segments):
            segment.drop()

    def _take_in(self, samples: Samples) -> None:
        if len(samples):
            self._sound.append(samples)
            self._detector.feed(samples)


class Segment:
    """A stretch of an ear's sound; see `listener.EarSegment`.

    Attributes:
        start: its first sample.
        end: how far it was heard, or is being heard.
    """

    def __init__(self, ear: LiveEar, start: int) -> None:
        self._ear = ear
        self.start = self.end = start
        self._work: SegmentWork | None = None

    def draft(self, end: int, *, urgent: bool = True) -> None:
        """Hear it up to sample `end`.

        Args:
            urgent: speech seems to have ended there, so this may be the result; False: a glance, when there is room.
        """
        self._hear(end, final=False, due_s=final_deadline(time.monotonic()) if urgent else WHEN_THERE_IS_ROOM)

    def finish(self, end: int) -> None:
        """The segment ends at a place, in samples: its final words are asked for."""
        self._hear(end, final=True, due_s=final_deadline(time.monotonic()))

    def is_idle(self) -> bool:
        """Nothing of it is being heard now."""
        return self._work is None or self._work.is_idle()

    def take(self) -> list[Heard]:
        """What was understood since it was asked last; after the final result it has ended."""
        if self._work is None:
            return []
        try:
            heard = self._work.take()
        except VivaVoceError:
            self.drop()
            raise
        if any(result.is_final for result in heard):
            self.drop()
        return heard

    def drop(self) -> None:
        """Nobody wants to know. Any number of times."""
        self._let_go()
        self._ear._segments.discard(self)

    def _hear(self, end: int, *, final: bool, due_s: float) -> None:
        ear = self._ear
        if end < self.end:  # it was heard further than it goes: begin anew
            self._let_go()
            self.end = self.start
        if self._work is None:
            self._work = ear._hearer.begin(ear._options, ear._place, ear.wake, live=ear._live)
        sound = ear._sound.cut(self.end, end)
        self.end = max(self.end, end)
        self._work.hear(sound, "end" if final else "draft", due_s)

    def _let_go(self) -> None:
        if self._work is not None:
            self._work.close()
            self._work = None


def clean(samples: Samples) -> Samples:
    """What a recognizer can be given: finite, within ±1."""
    if not len(samples):
        return samples
    low, high = float(samples.min()), float(samples.max())
    if low >= -1.0 and high <= 1.0:
        return samples
    if math.isfinite(low) and math.isfinite(high):
        return np.clip(samples, -1.0, 1.0)
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


def waker(event: asyncio.Event) -> Callable[[], None]:
    """Sets an event of the running loop from any thread."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)

    return wake
