"""Somebody is listened to, live: segments found by silence, their words in order. Lives on the event loop.

Recognition of a segment begins at the first 64 ms of silence and is over, as a rule, before 200 ms have shown that the
segment has ended. While somebody speaks, a draft is made when there is room and a second of new speech has come; what
is said is never fixed before its segment has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard
from vivavoce.recognition import speech_detector
from vivavoce.recognition.ear import LiveEar, Segment
from vivavoce.recognition.listener import (
    SAMPLE_RATE,
    HeardSegment,
    HearingEvent,
    SpeechStarted,
    SpeechStopped,
)
from vivavoce.recognition.speech_detector import FRAME, DetectorOptions, SpeechDetector, SpeechEvent

DRAFT_EVERY = SAMPLE_RATE  # samples of new speech
SEGMENTS_OF_A_FILE = 4  # heard together: they share the passes over the model's weights
READ_AHEAD = 20 * SAMPLE_RATE  # samples of a recording before what was looked at: two steps of the detector


@dataclass(slots=True, eq=False)
class _Open:
    """A segment whose words are still to come."""

    number: int
    segment: Segment
    stopped: bool = False
    drafted: int = 0  # sample up to which a draft was asked for
    waiting: deque[Heard] = field(default_factory=deque)  # words that wait for those of the segment before; few


class LiveHearing:
    """See `listener.Hearing`.

    Args:
        ear: listens.
        options: when speech is speech.
        drafts: tell also what is understood while somebody speaks.
        beginnings: tell also the beginning of a text while the rest is being understood, as far as it is certain.
        recording: pieces of sound that are taken as fast as they can be heard, instead of what is written.
        position: told after every look, silence or not, up to which second all words are known; it never goes back.

    Attributes:
        open_segments: those whose words are still to come, in the order of speech.
    """

    def __init__(
        self,
        ear: LiveEar,
        options: DetectorOptions,
        *,
        drafts: bool = False,
        beginnings: bool = False,
        recording: Iterator[Samples] | None = None,
        position: Callable[[float], None] | None = None,
    ) -> None:
        self._ear = ear
        self._position, self._known = position, 0  # sample
        self._recording = recording
        self._live = recording is None
        self._detector = SpeechDetector(options)
        self._options = options
        self._drafts, self._beginnings = drafts, beginnings
        self._heard = 0  # samples whose frames were looked at
        self._base = 0  # samples before the detector began afresh
        self._segments = 0  # that have begun
        self.open_segments: deque[_Open] = deque()
        self._events: deque[HearingEvent] = deque()
        self._flush_at: deque[int] = deque()  # samples up to which a flush reaches
        self._ended = False

    def write(self, samples: Samples) -> None:
        """See `Hearing`."""
        if not self._ended:
            self._ear.write(samples)

    def flush(self) -> None:
        """What was said is complete."""
        if not self._ended:
            self._ear.flush()
            self._flush_at.append(self._ear.written)
            self._ear.wake()

    def end(self) -> None:
        """No more sound will come."""
        if not self._ended:
            self.flush()
            self._ended = True

    async def __aiter__(self) -> AsyncIterator[HearingEvent]:
        while True:
            self._refill()
            self._look()
            self._tell_position()
            while self._events:
                yield self._events.popleft()
            if self._ended and not self._flush_at and not self.open_segments:
                return
            if self._recording is None or not self._has_room():  # else nothing might ever change
                await self._ear.changed()

    def _refill(self) -> None:
        """Take more of a recording while little of it waits."""
        while self._recording is not None and self._has_room():
            piece = next(self._recording, None)
            if piece is None:
                self._recording = None
                self.end()
            else:
                self.write(piece)

    def _has_room(self) -> bool:
        """What the detector has seen and nobody has looked at counts too: a segment in it may still be cut out."""
        return len(self.open_segments) < SEGMENTS_OF_A_FILE and self._ear.written - self._heard < READ_AHEAD

    def _tell_position(self) -> None:
        if self._position is not None:
            known = self.open_segments[0].segment.start if self.open_segments else self._heard
            self._known = max(self._known, known)
            self._position(self._known / SAMPLE_RATE)

    # -- one look at what has come

    def _look(self) -> None:
        for probability in self._ear.frames():
            self._heard += FRAME
            self._act(self._detector.feed([probability]))
            while self._flush_at and self._flush_at[0] <= self._heard:
                self._flush_at.popleft()
                self._begin_afresh()
        if self._flush_at and self._flush_at[0] <= self._heard:  # nothing came between
            self._flush_at.clear()
            self._begin_afresh()
        self._draft()
        self._collect()

    def _begin_afresh(self) -> None:
        """A flush ends the segment that is open; the detector's model goes on as if there were silence."""
        self._act(self._detector.flush())
        self._detector = SpeechDetector(self._options)
        self._base = self._heard

    def _act(self, events: list[SpeechEvent]) -> None:
        for event in events:
            match event:
                case speech_detector.SpeechStarted(_, start):
                    self._start(self._base + start)
                case speech_detector.SoftEnd(_, end):
                    if self._live:
                        self.open_segments[-1].segment.draft(self._base + end)
                        self.open_segments[-1].drafted = self._base + end
                case speech_detector.SpeechResumed():
                    pass  # the next draft takes the place of the one under way
                case speech_detector.SpeechStopped(_, end, reason):
                    last = self.open_segments[-1]
                    last.segment.finish(self._base + end)
                    last.stopped = True
                    self._events.append(SpeechStopped(last.number, (self._base + end) / SAMPLE_RATE, reason))
                case _:
                    assert_never(event)

    def _start(self, start: int) -> None:
        self.open_segments.append(_Open(self._segments, self._ear.open(start), drafted=start))
        self._events.append(SpeechStarted(self._segments, start / SAMPLE_RATE))
        self._segments += 1

    def _draft(self) -> None:
        """A glance at what is being said, if there is room for it."""
        if not (self._drafts and self.open_segments):
            return
        last = self.open_segments[-1]
        if not last.stopped and self._heard - last.drafted >= DRAFT_EVERY and last.segment.is_idle():
            last.drafted = self._heard
            last.segment.draft(self._heard, urgent=False)

    def _collect(self) -> None:
        """Words in the order of their segments."""
        for each in self.open_segments:
            each.waiting.extend(each.segment.take())
            while len(each.waiting) > 1 and not each.waiting[0].is_final:
                each.waiting.popleft()
        while self.open_segments:
            first = self.open_segments[0]
            while first.waiting:
                heard = first.waiting.popleft()
                if self._is_told(heard):
                    self._events.append(_placed(first, heard))
                if heard.is_final:
                    self.open_segments.popleft()
                    if not self._live:
                        self._ear.settle(heard)
                    break
            else:
                return

    def _is_told(self, heard: Heard) -> bool:
        if heard.is_final or (self._drafts and heard.is_whole):
            return True
        return self._beginnings and not heard.is_whole and bool(heard.tokens)


def _placed(opened: _Open, heard: Heard) -> HeardSegment:
    start_s = opened.segment.start / SAMPLE_RATE
    return HeardSegment(opened.number, start_s, start_s + heard.duration_s, heard)
