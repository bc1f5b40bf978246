"""Where speech begins and ends: probabilities of 32 ms become segments, the units that a recognizer hears.

Pure: no model, no sound, no clock. Places are samples of 16 kHz from the first frame on, so a segment is cut out of
whatever the caller keeps. How the frames were cut into calls changes nothing.

    quiet --onset--> perhaps --150 ms of speech--> SpeechStarted ... SoftEnd --200 ms of silence--> SpeechStopped
                        `--silence--> quiet                 ^---- SpeechResumed ----'

A noise that does not last is told of by nothing. A segment ends where its last soft end was, so what a recognizer made
of the sound at the soft end is the result, if nothing followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

FRAME: Final = 512  # samples: what one probability stands for
SAMPLE_RATE: Final = 16_000
FRAME_S: Final = FRAME / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorOptions:
    """From what probability on, and for how long, sound counts as speech or silence.

    Attributes:
        threshold: probability from which a frame begins speech; `hysteresis` less continues it.
        hysteresis: Silero's own value.
        shortest_s: speech shorter than this is a noise.
        preroll_s: sound from before the onset that belongs to a segment: soft consonants come before the voice.
        soft_end_s: silence after which the segment may have ended.
        silence_s: silence that ends it.
        longest_s: a longer segment is split.
    """

    threshold: float = 0.5
    hysteresis: float = 0.15
    shortest_s: float = 0.15
    preroll_s: float = 0.3
    soft_end_s: float = 0.064
    silence_s: float = 0.2
    longest_s: float = 12.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold - self.hysteresis <= self.threshold < 1:
            raise ValueError("the threshold must lie between the hysteresis and 1")
        if not FRAME_S <= self.soft_end_s <= self.silence_s:
            raise ValueError("a soft end comes before the end, and not before one frame")
        if self.longest_s < 2 * (self.preroll_s + self.silence_s + self.shortest_s):
            raise ValueError("the longest segment is too short for its preroll, its speech and its silence")


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A segment has begun.

    Attributes:
        segment: counts from 0; each ends in exactly one `SpeechStopped`.
        start: sample where its sound begins, the preroll included.
    """

    segment: int
    start: int


@dataclass(frozen=True, slots=True)
class SoftEnd:
    """A short silence: time to recognize what is there. `end`: sample up to which that is."""

    segment: int
    end: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The soft end was none; what was begun for it is void."""

    segment: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """A segment has ended.

    Attributes:
        end: sample behind its last one.
        reason: "split" where speech goes on in the next segment, which begins there; "flush" where the sound ends.
    """

    segment: int
    end: int
    reason: Literal["pause", "split", "flush"]


SpeechEvent = SpeechStarted | SoftEnd | SpeechResumed | SpeechStopped


class SpeechDetector:
    """The segments of one stream: `feed()` any number of times, then `flush()`."""

    def __init__(self, options: DetectorOptions = DetectorOptions()) -> None:
        self._options = options
        self._shortest = _frames(options.shortest_s)
        self._soft_end = _frames(options.soft_end_s)
        self._silence = _frames(options.silence_s)
        self._longest = int(options.longest_s / FRAME_S)
        self._heard = 0  # frames
        self._segments = 0
        self._needed = self._shortest  # frames of speech that make a segment
        self._earliest = 0  # frame before which everything belongs to an earlier segment
        self._start = 0  # frame where the present segment or candidate begins
        self._spoken = 0  # frames of speech in it; 0: quiet
        self._quiet = 0  # frames of silence since
        self._started = False  # `SpeechStarted` was told
        self._soft_end_at: int | None = None  # frame of the soft end that holds
        self._past: list[float] = []  # probabilities from `_start` on

    @property
    def speaking(self) -> bool:
        """True inside a segment."""
        return self._started

    @property
    def needed_from(self) -> int:
        """Sample before which the sound is needed no more: no segment to come begins earlier."""
        if self._spoken:
            return self._start * FRAME
        return max(self._earliest, self._heard - _frames(self._options.preroll_s)) * FRAME

    def feed(self, probabilities: Iterable[float]) -> list[SpeechEvent]:
        """The next frames, 0..1 each."""
        events: list[SpeechEvent] = []
        for probability in probabilities:
            self._hear(float(probability), events)
        return events

    def flush(self) -> list[SpeechEvent]:
        """The sound is over; the next frame would begin afresh."""
        events: list[SpeechEvent] = []
        if self._started:
            end = self._heard if self._soft_end_at is None else self._soft_end_at
            self._stop(end, "flush", events)
        self._spoken = 0
        return events

    def _hear(self, probability: float, events: list[SpeechEvent]) -> None:
        options = self._options
        speaks = probability >= (options.threshold - options.hysteresis if self._spoken else options.threshold)
        if not self._spoken:
            if speaks:
                self._start = max(self._earliest, self._heard - _frames(options.preroll_s))
                self._past = [0.0] * (self._heard - self._start)
                self._quiet = 0
            else:
                self._heard += 1
                return
        self._past.append(probability)
        self._heard += 1
        if speaks:
            self._speech(events)
        else:
            self._pause(events)
        if self._started and self._heard - self._start >= self._longest:
            self._split(events)

    def _speech(self, events: list[SpeechEvent]) -> None:
        self._spoken += 1
        self._quiet = 0
        if not self._started and self._spoken >= self._needed:
            self._started = True
            events.append(SpeechStarted(self._segments, self._start * FRAME))
        if self._soft_end_at is not None:
            self._soft_end_at = None
            events.append(SpeechResumed(self._segments))

    def _pause(self, events: list[SpeechEvent]) -> None:
        self._quiet += 1
        if not self._started:
            if self._quiet >= self._silence:
                self._spoken, self._needed = 0, self._shortest  # a noise
            return
        if self._quiet == self._soft_end:
            self._soft_end_at = self._heard
            events.append(SoftEnd(self._segments, self._heard * FRAME))
        if self._quiet >= self._silence:
            assert self._soft_end_at is not None
            self._stop(self._soft_end_at, "pause", events)

    def _stop(self, end: int, reason: Literal["pause", "split", "flush"], events: list[SpeechEvent]) -> None:
        events.append(SpeechStopped(self._segments, end * FRAME, reason))
        self._segments += 1
        self._earliest = end
        self._spoken, self._started, self._soft_end_at = 0, False, None
        self._needed = self._shortest

    def _split(self, events: list[SpeechEvent]) -> None:
        """End the segment at its last gap and begin the next one there; what follows the gap is heard again."""
        at = _last_gap(self._past, self._options.threshold - self._options.hysteresis, self._soft_end)
        again, began = self._past[at:], self._start
        self._stop(began + at, "split", events)
        self._needed = 1  # not a syllable of what goes on is taken for a noise
        self._heard = began + at
        for probability in again:
            self._hear(probability, events)


def _last_gap(past: list[float], threshold: float, shortest: int) -> int:
    """Where to cut frames of unbroken speech: behind half of them, at the last gap, else at the quietest frame."""
    half = len(past) // 2
    run = 0
    for i in range(len(past) - 1, half - 1, -1):
        run = run + 1 if past[i] < threshold else 0
        if run == shortest:
            return i + shortest
    quietest = min(range(half, len(past)), key=lambda i: (past[i], -i))
    return quietest + 1


def _frames(seconds: float) -> int:
    """How many frames that is, rounded up."""
    return max(1, -int(-seconds // FRAME_S))
