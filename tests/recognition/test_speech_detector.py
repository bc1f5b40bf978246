"""Segments: complete, in order, never too long, and the same however the frames were cut into calls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.recognition.speech_detector import (
    FRAME,
    FRAME_S,
    DetectorOptions,
    SoftEnd,
    SpeechDetector,
    SpeechEvent,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
)

OPTIONS = DetectorOptions(longest_s=2.0)
LONGEST = int(2.0 / FRAME_S) * FRAME

SPEECH, SILENCE = 0.9, 0.1
# Runs of speech, of silence and of what lies between the two thresholds, and single frames of anything.
RUNS = st.lists(st.tuples(st.sampled_from([SPEECH, SILENCE, 0.4, 0.0, 1.0, 0.5]), st.integers(1, 90)), max_size=12).map(
    lambda runs: [value for value, count in runs for _ in range(count)]
)


def frames(*runs: tuple[float, int]) -> list[float]:
    return [value for value, count in runs for _ in range(count)]


def events_of(probabilities: Sequence[float], options: DetectorOptions = OPTIONS) -> list[SpeechEvent]:
    detector = SpeechDetector(options)
    return [*detector.feed(probabilities), *detector.flush()]


def segments_of(events: Sequence[SpeechEvent]) -> list[tuple[int, int]]:
    starts = [event.start for event in events if isinstance(event, SpeechStarted)]
    ends = [event.end for event in events if isinstance(event, SpeechStopped)]
    return list(zip(starts, ends, strict=True))


def test_one_word() -> None:
    events = events_of(frames((SILENCE, 30), (SPEECH, 10), (SILENCE, 20)))
    assert events == [
        SpeechStarted(0, (30 - 10) * FRAME),  # 300 ms are ten frames
        SoftEnd(0, (40 + 2) * FRAME),
        SpeechStopped(0, (40 + 2) * FRAME, "pause"),
    ]


def test_a_short_pause_is_no_end() -> None:
    events = events_of(frames((SPEECH, 10), (SILENCE, 4), (SPEECH, 10), (SILENCE, 7)))
    assert [type(event) for event in events] == [SpeechStarted, SoftEnd, SpeechResumed, SoftEnd, SpeechStopped]
    assert segments_of(events) == [(0, 26 * FRAME)]


@pytest.mark.parametrize(
    "noise",
    [
        frames((SPEECH, 4), (SILENCE, 40)),
        frames((1.0, 1), (SILENCE, 8)) * 10,
        frames((0.49, 100)),
        frames((SILENCE, 1000)),
        [],
    ],
)
def test_noises_are_told_of_by_nothing(noise: list[float]) -> None:
    assert events_of(noise) == []


def test_hysteresis() -> None:
    assert segments_of(events_of(frames((SPEECH, 1), (0.4, 20), (SILENCE, 10)))) == [(0, 23 * FRAME)]
    assert events_of(frames((0.4, 50))) == []


def test_the_end_of_the_sound_ends_a_segment() -> None:
    assert events_of(frames((SPEECH, 10)))[-1] == SpeechStopped(0, 10 * FRAME, "flush")
    assert events_of(frames((SPEECH, 10), (SILENCE, 4)))[-1] == SpeechStopped(0, 12 * FRAME, "flush")


def test_a_long_segment_is_split_at_its_last_gap() -> None:
    events = events_of(frames((SPEECH, 40), (SILENCE, 3), (SPEECH, 30), (SILENCE, 10)))
    assert SpeechStopped(0, 43 * FRAME, "split") in events
    assert segments_of(events) == [(0, 43 * FRAME), (43 * FRAME, 75 * FRAME)]


def test_without_a_gap_it_is_split_where_it_is_quietest() -> None:
    probabilities = frames((SPEECH, 62), (SILENCE, 10))
    probabilities[50] = 0.6
    assert segments_of(events_of(probabilities))[0] == (0, 51 * FRAME)


def test_not_a_syllable_is_lost_behind_a_split() -> None:
    events = events_of(frames((SPEECH, 57), (SILENCE, 2), (SPEECH, 3), (SILENCE, 10)))
    assert segments_of(events) == [(0, 59 * FRAME), (59 * FRAME, 64 * FRAME)]


@given(RUNS, st.lists(st.integers(0, 50), max_size=30))
def test_cuts_do_not_matter(probabilities: list[float], sizes: list[int]) -> None:
    detector, events, at = SpeechDetector(OPTIONS), [], 0
    for size in [*sizes, len(probabilities)]:
        events += detector.feed(probabilities[at : at + size])
        at += size
    assert [*events, *detector.flush()] == events_of(probabilities)


@given(RUNS)
def test_segments_are_whole_ordered_and_bounded(probabilities: list[float]) -> None:
    events = events_of(probabilities)
    order = [(event.segment, isinstance(event, SpeechStopped)) for event in events]
    assert order == sorted(order), "one after the other"
    segments = segments_of(events)
    last_end = 0
    for start, end in segments:
        assert last_end <= start < end <= len(probabilities) * FRAME
        assert end - start <= LONGEST
        last_end = end
    for soft in (event for event in events if isinstance(event, SoftEnd)):
        start, _ = segments[soft.segment]
        assert start < soft.end


@given(RUNS)
def test_all_speech_is_in_a_segment(probabilities: list[float]) -> None:
    """Every frame of speech that belongs to a run long enough to be no noise."""
    covered = {
        frame for start, end in segments_of(events_of(probabilities)) for frame in range(start // FRAME, end // FRAME)
    }
    run: list[int] = []
    for i, value in enumerate([*probabilities, 0.0]):
        if value >= OPTIONS.threshold:
            run.append(i)
            continue
        if len(run) >= 5:
            assert set(run) <= covered
        run = []


@given(RUNS)
def test_what_is_not_needed_any_more_is_in_no_segment_to_come(probabilities: list[float]) -> None:
    detector, needed = SpeechDetector(OPTIONS), 0
    for probability in probabilities:
        for event in detector.feed([probability]):
            if isinstance(event, SpeechStarted):
                assert event.start >= needed
        needed = max(needed, detector.needed_from)
        assert detector.speaking or needed >= 0


def test_options_that_cannot_work() -> None:
    for options in ({"threshold": 0.1}, {"threshold": 1.0}, {"soft_end_s": 0.3}, {"longest_s": 1.0}):
        with pytest.raises(ValueError, match=r"threshold|soft end|longest"):
            DetectorOptions(**options)
