"""Turns from probabilities: the rules one by one, and what must hold for every timeline."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.recognition.turn_events import (
    FRAME_S,
    AssistantFalls,
    AssistantSpeaks,
    BackChannel,
    FalseAlarm,
    Frames,
    SoftEnd,
    TurnEnds,
    TurnEvent,
    TurnInput,
    TurnOptions,
    UserBegins,
    UserIsIdle,
    UserResumes,
    Verdict,
    Words,
)
from vivavoce.recognition.turns import TurnDetector


class Room:
    """A detector with a clock that moves with the sound."""

    def __init__(self, options: TurnOptions | None = None) -> None:
        self.detector = TurnDetector(options or TurnOptions())
        self.now_s = 100.0
        self.told: list[TurnEvent] = []

    def hear(self, probability: float, seconds: float) -> list[TurnEvent]:
        """Sound of one kind, frame by frame."""
        return self.tell(*[Frames((probability,))] * round(seconds / FRAME_S))

    def speech(self, seconds: float) -> list[TurnEvent]:
        return self.hear(0.95, seconds)

    def silence(self, seconds: float) -> list[TurnEvent]:
        return self.hear(0.01, seconds)

    def tell(self, *events: TurnInput) -> list[TurnEvent]:
        fresh: list[TurnEvent] = []
        for event in events:
            self.now_s += FRAME_S if isinstance(event, Frames) else 0.0
            fresh += self.detector.feed(event, self.now_s)
        self.told += fresh
        return fresh

    def wait(self, seconds: float) -> list[TurnEvent]:
        """No sound comes."""
        fresh: list[TurnEvent] = []
        for _ in range(round(seconds / 0.05)):
            self.now_s += 0.05
            fresh += self.detector.tick(self.now_s)
        self.told += fresh
        return fresh


def kinds(events: list[TurnEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


# -- ends ------------------------------------------------------------------------------------------------------------


def test_a_finished_sentence_ends_after_a_fifth_of_a_second() -> None:
    room = Room()
    room.silence(1.0)
    assert kinds(room.speech(1.0)) == ["UserBegins"]
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    assert (
        room.tell(Verdict(soft.soft_end, 0.9), Words(0, "What time is it?", soft.soft_end)) == []
    )  # not before 200 ms
    (end,) = room.silence(0.15)
    assert end == TurnEnds(0, soft.end_s)


def test_words_that_break_off_are_waited_for_however_finished_they_sound() -> None:
    for words in (
        Words(0, "Send a letter to the", 0, None, "en"),
        Words(0, "Ich möchte einen", 0, None, "de"),
        Words(0, "I need milk, eggs,", 0),
        Words(0, "She put the old letters.", 0, 0.6),  # the recognizer itself doubts its full stop
    ):
        room = Room()
        room.speech(1.0)
        assert kinds(room.silence(0.1)) == ["SoftEnd"]
        room.tell(Verdict(0, 0.99), words)
        assert room.silence(1.3) == [], words
        assert kinds(room.speech(1.0)) == ["UserResumes"]


def test_who_says_nothing_more_is_answered_before_the_longest_silence() -> None:
    room = Room()
    room.speech(1.0)
    room.silence(0.1)
    room.tell(Verdict(0, 0.01), Words(0, "Send a letter to the", 0, 0.2, "en"))
    assert kinds(room.silence(3.0)) == ["TurnEnds"]


def test_words_that_never_come_are_not_waited_for() -> None:
    room = Room()
    room.speech(1.0)
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    room.tell(Verdict(soft.soft_end, 0.98))
    assert room.silence(0.7) == []
    assert kinds(room.silence(0.7)) == ["TurnEnds"]


def test_the_turn_holds_sound_from_before_the_speech() -> None:
    room = Room()
    room.silence(0.992)
    (begin,) = room.speech(0.32)
    assert isinstance(begin, UserBegins)
    assert begin.start_s == pytest.approx(0.992 - 0.3)


def test_an_unfinished_sentence_is_waited_for_and_then_ended_by_silence() -> None:
    room = Room(TurnOptions.semantic_vad("high"))
    room.speech(1.0)
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    room.tell(Verdict(soft.soft_end, 0.1), Words(0, "I would like", soft.soft_end, 0.2))
    assert room.silence(1.7) == []
    assert kinds(room.silence(0.3)) == ["TurnEnds"]


def test_a_verdict_that_comes_late_ends_the_turn_when_it_comes() -> None:
    room = Room()
    room.speech(1.0)
    (soft,) = room.silence(0.5)
    assert isinstance(soft, SoftEnd)
    assert room.tell(Words(0, "What time is it?", soft.soft_end)) == []
    assert kinds(room.tell(Verdict(soft.soft_end, 0.9))) == ["TurnEnds"]


def test_a_verdict_that_never_comes_is_not_waited_for() -> None:
    room = Room()
    room.speech(1.0)
    assert kinds(room.silence(0.1)) == ["SoftEnd"]
    room.tell(Words(0, "What time is it?", 0))
    assert kinds(room.silence(1.5)) == ["TurnEnds"]


def test_resumed_speech_makes_the_soft_end_void() -> None:
    room = Room()
    room.speech(1.0)
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    assert room.speech(0.3) == [UserResumes(0, soft.soft_end)]
    assert room.tell(Verdict(soft.soft_end, 1.0)) == []  # of a silence that is over
    assert kinds(room.silence(0.4)) == ["SoftEnd"]


def test_a_click_does_not_prolong_a_silence() -> None:
    room = Room(TurnOptions.server_vad(silence_s=0.5))
    room.speech(1.0)
    room.silence(0.3)
    room.speech(FRAME_S)
    assert kinds(room.silence(0.2)) == ["TurnEnds"]


@pytest.mark.parametrize("silence_s", [0.0, 0.02, 0.2, 0.5, 2.0])
def test_server_vad_ends_after_its_silence_whatever_is_judged(silence_s: float) -> None:
    room = Room(TurnOptions.server_vad(silence_s=silence_s))
    room.speech(1.0)
    events = room.silence(max(FRAME_S, silence_s - FRAME_S))
    if silence_s > 0.1:
        (soft,) = events
        assert isinstance(soft, SoftEnd)
        assert room.tell(Verdict(soft.soft_end, 1.0)) == []
        events = room.silence(2 * FRAME_S)
    assert isinstance(events[-1], TurnEnds)


@pytest.mark.parametrize(("eagerness", "silence_s"), [("low", 8.0), ("medium", 4.0), ("high", 2.0), ("auto", 4.0)])
def test_eagerness_is_as_openai_writes_it(eagerness: str, silence_s: float) -> None:
    assert TurnOptions.semantic_vad(eagerness).silence_s == silence_s  # type: ignore[arg-type]


def test_a_noise_is_no_turn() -> None:
    room = Room()
    room.silence(0.5)
    room.speech(0.128)
    assert kinds(room.silence(1.6))[-1] == "FalseAlarm"


def test_sound_that_stops_coming_is_silence() -> None:
    room = Room(TurnOptions.server_vad())
    room.speech(1.0)
    assert room.wait(1.0) == []
    assert kinds(room.wait(0.1)) == ["SoftEnd", "TurnEnds"]
    assert room.detector.heard_s == pytest.approx(31 * FRAME_S)  # places in the sound are not moved by it
    assert kinds(room.speech(0.5)) == ["UserBegins"]


def test_a_flood_of_sound_is_cut_as_if_it_were_spoken() -> None:
    """A client may send a whole file at once: one call, one time."""
    detector = TurnDetector(TurnOptions.server_vad())
    told = detector.feed(Frames(((0.9,) * 40 + (0.0,) * 30) * 3), 5.0)
    assert kinds(told) == ["UserBegins", "SoftEnd", "TurnEnds"] * 3


def test_endless_speech_is_cut_into_turns_without_a_gap() -> None:
    room = Room(TurnOptions(longest_s=5.0))
    told = room.speech(12.0)
    begins = [event.start_s for event in told if isinstance(event, UserBegins)]
    ends = [event.end_s for event in told if isinstance(event, TurnEnds)]
    assert len(ends) == 2
    assert begins[1:] == ends


def test_a_commit_ends_the_turn_at_once() -> None:
    room = Room()
    room.speech(1.0)
    assert kinds(room.detector.end(room.now_s)) == ["TurnEnds"]
    assert room.detector.end(room.now_s) == []
    assert kinds(room.speech(0.1)) == ["UserBegins"]  # who goes on speaking begins another one


def test_what_a_detector_still_hears_of_a_turn_that_was_ended_is_no_turn() -> None:
    room = Room(TurnOptions.server_vad())
    room.speech(1.0)
    room.detector.end(room.now_s)
    told = [*room.speech(0.064), *room.silence(2.0)]
    assert [event.reason for event in told if isinstance(event, FalseAlarm)] == ["short"]
    assert not [event for event in told if isinstance(event, TurnEnds)]


def test_a_user_who_says_nothing_is_told_of_once() -> None:
    room = Room(TurnOptions.server_vad(idle_s=5.0))
    room.tell(AssistantSpeaks("How are you?"))
    assert room.silence(6.0) == []
    room.tell(AssistantFalls())
    assert room.silence(4.9) == []
    assert kinds(room.silence(0.2)) == ["UserIsIdle"]
    assert room.silence(20.0) == []


def test_the_idle_time_runs_also_where_no_sound_comes() -> None:
    room = Room(TurnOptions.server_vad(idle_s=5.0))
    room.silence(0.1)
    room.tell(AssistantSpeaks(), AssistantFalls())
    assert kinds(room.wait(5.2)) == ["UserIsIdle"]


# -- interruptions ---------------------------------------------------------------------------------------------------

SETTLED = TurnOptions(settle_s=0.0)


def speaking(said: str = "The museum opens at nine and closes at five.", options: TurnOptions = SETTLED) -> Room:
    room = Room(options)
    room.silence(0.5)
    room.tell(AssistantSpeaks(said))
    return room


def test_speech_of_six_frames_interrupts() -> None:
    room = speaking()
    assert room.speech(5 * FRAME_S) == []
    (begin,) = room.speech(FRAME_S)
    assert isinstance(begin, UserBegins)
    assert begin.interrupts


def test_the_threshold_is_higher_while_the_assistant_speaks() -> None:
    room = speaking()
    assert room.hear(0.6, 2.0) == []
    room.tell(AssistantFalls())
    assert kinds(room.hear(0.6, 0.3)) == ["UserBegins"]


def test_at_first_only_words_interrupt() -> None:
    """Echo cancellers need a moment; what they let through is the assistant itself."""
    room = speaking(options=TurnOptions())
    assert room.speech(0.5) == []
    assert room.tell(Words(None, "museum opens at")) == []
    assert room.tell(Words(None, "mm-hmm yeah")) == []
    assert kinds(room.tell(Words(None, "no, wait"))) == ["UserBegins"]
    later = speaking(options=TurnOptions())
    later.silence(2.0)
    assert kinds(later.speech(0.3)) == ["UserBegins"]


def test_the_words_of_an_interruption_decide_what_it_was() -> None:
    for words, kind in {
        "What about Sundays?": TurnEnds,
        "uh-huh": BackChannel,
        "嗯": BackChannel,
        "": FalseAlarm,
        "opens at nine and closes": FalseAlarm,
        "Stop.": TurnEnds,
    }.items():
        room = speaking()
        room.speech(0.5)
        (soft,) = room.silence(0.1)
        assert isinstance(soft, SoftEnd)
        room.tell(Verdict(soft.soft_end, 0.9), AssistantFalls())
        room.silence(0.15)
        room.tell(Words(0, words, soft.soft_end))
        assert isinstance(room.told[-1], kind), words


def test_an_interruption_without_words_is_a_false_alarm_after_two_seconds() -> None:
    room = speaking()
    room.speech(0.5)
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    room.tell(Verdict(soft.soft_end, 0.9))
    assert room.silence(1.9) == []
    assert room.silence(0.3) == [FalseAlarm(0, soft.end_s, "wordless")]


def test_a_noise_that_goes_on_is_ignored_until_it_stops() -> None:
    room = speaking()
    room.speech(2.5)
    assert kinds(room.tell(Words(0, ""))) == ["FalseAlarm"]
    assert room.speech(5.0) == []
    room.silence(0.3)
    assert kinds(room.speech(0.5)) == ["UserBegins"]


def test_an_interruption_whose_words_are_known_ends_like_any_turn() -> None:
    room = speaking()
    room.speech(1.0)
    room.tell(Words(0, "and what does it cost"))
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    room.tell(Verdict(soft.soft_end, 0.9), Words(0, "And what does it cost?", soft.soft_end))
    assert kinds(room.silence(0.15)) == ["TurnEnds"]


@pytest.mark.parametrize(
    ("after_s", "words", "kind"),
    [
        (0.1, "leaves at nine.", "FalseAlarm"),
        (0.5, "leaves at nine.", "TurnEnds"),
        (0.1, "Nine.", "TurnEnds"),  # a word that was offered may be taken at once
    ],
)
def test_the_end_of_what_was_said_is_an_echo_where_it_comes_at_once(after_s: float, words: str, kind: str) -> None:
    room = Room()
    room.tell(AssistantSpeaks("The train leaves at nine."), AssistantFalls())
    room.silence(after_s)
    begin, soft = room.speech(0.4) + room.silence(0.1)
    assert isinstance(begin, UserBegins)
    assert isinstance(soft, SoftEnd)
    assert not begin.interrupts
    room.tell(Verdict(soft.soft_end, 0.9), Words(0, words, soft.soft_end))
    room.silence(0.2)
    assert kinds(room.told)[-1] == kind


def test_listening_sounds_are_an_answer_where_nobody_is_interrupted() -> None:
    room = Room()
    room.speech(0.5)
    (soft,) = room.silence(0.1)
    assert isinstance(soft, SoftEnd)
    room.tell(Words(0, "Yeah.", soft.soft_end), Verdict(soft.soft_end, 0.9))
    assert kinds(room.silence(0.15)) == ["TurnEnds"]


# -- every timeline --------------------------------------------------------------------------------------------------

RUNS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.45, 0.6, 0.75, 1.0]), st.integers(1, 40)), min_size=1, max_size=12
)
OPTIONS = st.builds(
    TurnOptions,
    threshold=st.sampled_from([0.3, 0.5, 0.9]),
    silence_s=st.sampled_from([0.0, 0.1, 0.5, 4.0]),
    judged=st.booleans(),
    padding_s=st.sampled_from([0.0, 0.3, 1.0]),
    longest_s=st.sampled_from([1.0, 120.0]),
    settle_s=st.sampled_from([0.0, 2.0]),
    idle_s=st.sampled_from([None, 1.0]),
)
EVENTS = st.one_of(
    st.builds(Frames, st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0]), max_size=30).map(lambda some: tuple(some * 3))),
    st.builds(Verdict, st.integers(0, 4), st.sampled_from([0.0, 0.6, 1.0])),
    st.builds(
        Words,
        st.sampled_from([None, 0, 1, 2, 3]),
        st.sampled_from(["", "uh-huh", "what is it", "good morning to you"]),
        st.sampled_from([None, 0, 1, 2, 3]),
    ),
    st.sampled_from([AssistantSpeaks("good morning to you"), AssistantSpeaks(), AssistantFalls()]),
    st.sampled_from([0.03, 0.5, 3.0]),  # seconds in which nothing comes
)


def check_order(told: list[TurnEvent], heard_s: float) -> None:
    """Begin, then soft ends and resumptions in pairs, then exactly one end; places never go back."""
    turns, soft_ends = itertools.count(), itertools.count()
    open_turn: int | None = None
    open_soft: int | None = None
    floor_s = 0.0
    for event in told:
        match event:
            case UserBegins(turn, start_s):
                assert open_turn is None
                assert turn == next(turns)
                assert floor_s <= start_s <= heard_s
                open_turn, floor_s = turn, start_s
            case SoftEnd(turn, soft_end, end_s):
                assert (turn, open_soft) == (open_turn, None)
                assert soft_end == next(soft_ends)
                assert floor_s <= end_s <= heard_s
                open_soft = soft_end
            case UserResumes(turn, soft_end):
                assert (turn, soft_end) == (open_turn, open_soft)
                open_soft = None
            case TurnEnds(turn, end_s) | FalseAlarm(turn, end_s) | BackChannel(turn, end_s):
                assert turn == open_turn
                assert floor_s <= end_s <= heard_s
                open_turn = open_soft = None
                floor_s = end_s
            case UserIsIdle(start_s, end_s):
                assert open_turn is None
                assert start_s <= end_s <= heard_s
    assert open_turn is None


def test_a_click_that_words_made_a_turn_of_ends_not_before_it_began() -> None:
    detector = TurnDetector(TurnOptions(onset_s=0.128, silence_s=0.0, judged=False, padding_s=0.0, settle_s=0.0))
    detector.feed(AssistantSpeaks("good morning to you"), 0.0)
    told = detector.feed(Frames((0.0, 0.9, 0.0, 0.9, 0.0, 0.9)), 0.2)
    told += detector.feed(Words(None, "what is it"), 0.2)
    told += detector.feed(Frames((0.0, 0.0, 0.0)), 0.3)
    told += detector.end(0.3)
    check_order(told, detector.heard_s)
    assert any(isinstance(event, SoftEnd) for event in told)


@given(OPTIONS, st.lists(EVENTS, max_size=25))
@settings(max_examples=400, deadline=None)
def test_every_begin_has_one_end_and_nothing_is_out_of_order(
    options: TurnOptions, events: list[TurnInput | float]
) -> None:
    detector, now_s = TurnDetector(options), 0.0
    told: list[TurnEvent] = []
    for event in events:
        if isinstance(event, float):
            now_s += event
            told += detector.tick(now_s)
        else:
            now_s += FRAME_S * len(event.probabilities) if isinstance(event, Frames) else 0.0
            told += detector.feed(event, now_s)
    told += detector.end(now_s)
    assert detector.turn is None
    check_order(told, detector.heard_s)


@given(OPTIONS, RUNS, st.lists(st.integers(1, 50), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_how_the_frames_were_cut_changes_nothing(
    options: TurnOptions, runs: list[tuple[float, int]], sizes: list[int]
) -> None:
    frames = [probability for probability, count in runs for _ in range(count)]
    whole, pieces = TurnDetector(options), TurnDetector(options)
    expected = whole.feed(Frames(tuple(frames)), 0.0) + whole.end(0.0)
    told: list[TurnEvent] = []
    lengths = itertools.cycle(sizes)
    while frames:
        count = next(lengths)
        told += pieces.feed(Frames(tuple(frames[:count])), 0.0)
        del frames[:count]
    assert told + pieces.end(0.0) == expected


@given(OPTIONS, RUNS)
@settings(max_examples=200, deadline=None)
def test_a_long_silence_ends_every_turn(options: TurnOptions, runs: list[tuple[float, int]]) -> None:
    room = Room(options)
    for probability, count in runs:
        room.hear(probability, count * FRAME_S)
    room.silence(9.0)
    assert room.detector.turn is None
    check_order(room.told, room.detector.heard_s)
