"""The scheduler: values in, values out."""

from __future__ import annotations

import math
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.machine.scheduler import (
    FETCHED_S,
    MARGIN_S,
    MAX_THREADS,
    WAITED_FOR_S,
    WHEN_THERE_IS_ROOM,
    Candidate,
    Running,
    choose,
    deadline,
    detector_deadline,
    fair_order,
    final_deadline,
)


def candidate(
    number: int, deadline_s: float, group: str = "", max_batch: int = 4, ready_at_s: float = 0.0
) -> Candidate:
    return Candidate(number, group or f"own-{number}", max_batch, deadline_s, ready_at_s)


def test_the_earliest_deadline_goes_first() -> None:
    assert choose([candidate(1, 3.0), candidate(2, 1.0), candidate(3, 2.0)], 0.0).ids == (2,)


def test_mates_of_the_same_group_come_along_up_to_the_batch() -> None:
    streams = [candidate(1, 5.0, "g", 3), candidate(2, 1.0, "g", 3), candidate(3, 2.0), candidate(4, 9.0, "g", 3)]
    assert choose([*streams, candidate(5, 4.0, "g", 3)], 0.0).ids == (2, 5, 1)


def test_a_stream_far_ahead_waits_and_says_how_long() -> None:
    choice = choose([candidate(1, 1.0, ready_at_s=7.5)], 5.0)
    assert choice.ids == ()
    assert choice.wait_s == pytest.approx(2.5)


def test_a_stream_far_ahead_is_no_mate_either() -> None:
    streams = [candidate(1, 1.0, "g"), candidate(2, 2.0, "g", ready_at_s=9.0)]
    assert choose(streams, 5.0).ids == (1,)


def test_a_group_that_is_in_a_pass_waits_for_the_next_one() -> None:
    streams = [candidate(1, 1.0, "g"), candidate(2, 2.0)]
    chosen = choose(streams, 0.0, [Running("g")], workers=2)
    assert (chosen.ids, chosen.group) == ((2,), "own-2")
    alone = choose(streams[:1], 0.0, [Running("g")], workers=2)
    assert (alone.ids, alone.wait_s) == ((), None), "the pass that ends will tell"


def test_nothing_to_do_waits_to_be_told() -> None:
    choice = choose([], 1.0)
    assert choice.ids == ()
    assert choice.wait_s is None


def test_a_first_chunk_is_due_at_the_target_and_later_ones_before_the_buffer_runs_dry() -> None:
    assert deadline(arrival_s=10.0, first_audio_target_s=0.3, dry_at_s=None) == pytest.approx(10.3)
    assert deadline(arrival_s=10.0, first_audio_target_s=0.3, dry_at_s=12.0) == pytest.approx(12.0 - MARGIN_S)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from("abc"), st.floats(0, 20)), min_size=1, max_size=20),
    st.floats(0, 20),
)
def test_whoever_is_chosen_is_ready_and_nobody_ready_is_more_urgent(
    rows: list[tuple[float, str, float]], now_s: float
) -> None:
    streams = [Candidate(i, group, 3, due, ready) for i, (due, group, ready) in enumerate(rows)]
    chosen = choose(streams, now_s)
    ready = [s for s in streams if s.ready_at_s <= now_s]
    if not ready:
        assert chosen.ids == ()
        assert chosen.wait_s is not None
        assert chosen.wait_s > 0
        return
    assert 1 <= len(chosen.ids) <= 3
    assert {streams[i].group for i in chosen.ids} == {streams[chosen.ids[0]].group}
    assert all(streams[i].ready_at_s <= now_s for i in chosen.ids)
    assert streams[chosen.ids[0]].deadline_s == min(s.deadline_s for s in ready)


def test_owners_take_turns() -> None:
    waiting = [("greedy", 1.0), ("greedy", 1.1), ("greedy", 1.2), ("modest", 2.0)]
    assert fair_order(waiting, {}) == [0, 3, 1, 2]


def test_who_already_speaks_stands_behind_who_does_not() -> None:
    assert fair_order([("busy", 1.0), ("idle", 2.0)], {"busy": 2}) == [1, 0]


# -- threads ---------------------------------------------------------------------------------------------------------


def test_a_step_that_is_alone_gets_all_threads() -> None:
    assert choose([candidate(1, 1.0)], 0.0, workers=2).threads == 2
    assert choose([candidate(1, 1.0)], 0.0, workers=64).threads == MAX_THREADS
    assert choose([candidate(1, 1.0, "g"), candidate(2, 1.0, "g")], 0.0, workers=2).threads == 2, "one pass for both"


def test_a_step_beside_another_gets_one() -> None:
    assert choose([candidate(1, 1.0)], 0.0, [Running("other")], workers=4).threads == 1


def test_a_step_gets_one_where_another_is_about_to_run() -> None:
    assert choose([candidate(1, 1.0), candidate(2, 2.0)], 0.0, workers=2).threads == 1
    assert choose([candidate(1, 1.0), candidate(2, 2.0, ready_at_s=9.0)], 0.0, workers=2).threads == 2, "not yet"


# -- long steps ------------------------------------------------------------------------------------------------------

LENGTHS: dict[Hashable, float] = {"encode": 0.3, "decode": 0.02, "detect": 0.002}


def job(number: int, kind: str, deadline_s: float, *, ready_at_s: float = 0.0, live: bool = True) -> Candidate:
    return Candidate(number, f"own-{number}", 1, deadline_s, ready_at_s, live, kind)


def chosen(*jobs: Candidate, now_s: float = 10.0, running: int = 0, workers: int = 2) -> tuple[int, ...]:
    others = [Running(f"running-{k}") for k in range(running)]
    return choose(jobs, now_s, others, workers=workers, step_s=LENGTHS).ids


def test_a_long_step_leaves_the_last_worker_to_who_is_due_while_it_would_run() -> None:
    """An encoder of 0.3 s at 10.0, a listener who runs dry at 10.25: the listener goes first, whoever is due first."""
    encode, chunk = job(1, "encode", 10.2), job(2, "decode", 10.25)
    assert chosen(encode, chunk, running=1) == (2,)
    assert chosen(encode, chunk, running=0) == (1,), "the other worker is there for it"
    assert chosen(encode, job(2, "decode", 10.31), running=1) == (1,), "due after it"
    assert chosen(job(1, "decode", 10.2), chunk, running=1) == (1,), "a short step is in nobody's way"


def test_a_long_step_waits_for_a_frame_that_is_about_to_come() -> None:
    encode, frame = job(1, "encode", 10.3), job(2, "detect", 10.052, ready_at_s=10.02)
    assert chosen(encode, frame, running=1) == ()
    waiting = choose([encode, frame], 10.0, [Running("x")], workers=2, step_s=LENGTHS)
    assert waiting.wait_s == pytest.approx(0.02)


def test_a_long_step_that_is_late_itself_waits_no_longer() -> None:
    """Or it would wait for ever where frames come all the time."""
    encode, frame = job(1, "encode", 9.99), job(2, "detect", 10.052, ready_at_s=10.02)
    assert chosen(encode, frame, running=1) == (1,)


def test_of_two_long_steps_the_one_due_first_goes() -> None:
    assert chosen(job(1, "encode", 10.2), job(2, "encode", 10.1), running=1) == (2,)


def test_what_was_never_measured_is_taken_for_short() -> None:
    assert chosen(job(1, "unknown", 10.1), job(2, "decode", 10.15), running=1) == (1,)


# -- kinds of work ---------------------------------------------------------------------------------------------------


def test_when_recognition_is_due() -> None:
    assert final_deadline(10.0) == pytest.approx(10.3)
    assert detector_deadline(10.0) == pytest.approx(10.032)


def test_a_partial_transcript_comes_when_there_is_room_and_a_file_after_it() -> None:
    partial = job(1, "decode", WHEN_THERE_IS_ROOM)
    file = job(2, "decode", WHEN_THERE_IS_ROOM, live=False)
    final, chunk = job(3, "decode", final_deadline(10.0)), job(4, "decode", 99.0)
    assert chosen(file, partial, chunk, final) == (3,)
    assert chosen(file, partial, chunk) == (4,)
    assert chosen(file, partial) == (1,)
    assert chosen(file) == (2,)


AHEAD = Running("far", due_s=20.0)  # of its listener


def test_who_is_due_goes_beside_a_step_that_could_wait() -> None:
    newcomer = candidate(1, 10.3)
    assert choose([newcomer], 10.0, [AHEAD, Running("x", due_s=10.2)], workers=2, beside=True).ids == (1,)
    assert choose([newcomer], 10.0, [AHEAD], workers=1, beside=True).ids == (1,)
    assert choose([newcomer], 10.0, [AHEAD, AHEAD], workers=2).ids == (), "the workers have enough to do"
    assert choose([newcomer], 10.0, [AHEAD], workers=2, beside=True).ids == (), "a worker will"
    due = [Running("x", due_s=10.2), Running("y", due_s=10.9)]
    assert choose([newcomer], 10.0, due, workers=2, beside=True).ids == (), "nobody there can wait"


def test_only_one_goes_beside_and_only_what_is_due_and_short() -> None:
    newcomer = candidate(1, 10.3)
    assert choose([newcomer], 10.0, [AHEAD, AHEAD, Running("x", due_s=10.2)], workers=2, beside=True).ids == ()
    assert choose([candidate(2, 10.6)], 10.0, [AHEAD, AHEAD], workers=2, beside=True).ids == (), "it can wait, too"
    assert choose([job(3, "encode", 10.2)], 10.0, [AHEAD, AHEAD], workers=2, step_s=LENGTHS, beside=True).ids == (), (
        "long"
    )
    file = job(4, "decode", WHEN_THERE_IS_ROOM, live=False)
    assert choose([file], 10.0, [AHEAD, AHEAD], workers=2, beside=True).ids == ()


def test_a_choice_says_when_its_group_is_due() -> None:
    assert choose([candidate(1, 3.0, "g"), candidate(2, 1.0, "g")], 0.0).due_s == 1.0


def ahead(number: int, by_s: float = FETCHED_S + 1) -> Candidate:
    """Of somebody who has that much sound still to hear at 0."""
    return candidate(number, by_s)


def running_ahead(group: str) -> Running:
    return Running(group, due_s=FETCHED_S + 1)


@pytest.mark.parametrize(("workers", "fetches"), [(1, 1), (2, 1), (3, 2), (8, 7)])
def test_who_takes_sound_faster_than_it_is_heard_leaves_a_worker_free(workers: int, fetches: int) -> None:
    begun = [running_ahead(f"fetch-{number}") for number in range(fetches)]
    assert choose([ahead(1)], 0.0, begun[1:], workers=workers).ids == (1,)
    if workers > 1:
        assert choose([ahead(1)], 0.0, begun, workers=workers).ids == ()
        assert choose([ahead(1), candidate(2, 1.0)], 0.0, begun, workers=workers).ids == (2,)
        assert choose([ahead(1, by_s=FETCHED_S - 1)], 0.0, begun, workers=workers).ids == (1,), "no longer far ahead"


def test_nobody_far_ahead_begins_beside_a_first_sound_on_two_cores() -> None:
    somebody_new = Running("new", due_s=0.3)
    assert choose([ahead(1)], 0.0, [somebody_new], workers=2).ids == ()
    assert choose([candidate(1, 5.0)], 0.0, [somebody_new], workers=2).ids == (1,)
    assert choose([ahead(1)], 0.0, [Running("listener", due_s=5.0)], workers=2).ids == (1,)
    assert choose([ahead(1)], 0.0, [somebody_new], workers=8).ids == (1,), "there are cores enough"
    partial = candidate(1, WHEN_THERE_IS_ROOM)
    assert choose([partial], 0.0, [somebody_new], workers=2).ids == (1,), "words of somebody who speaks now"


def test_files_are_stepped_one_at_a_time() -> None:
    first, second = job(1, "decode", WHEN_THERE_IS_ROOM, live=False), job(2, "decode", WHEN_THERE_IS_ROOM, live=False)
    running = choose([first, second], 0.0, workers=4)
    assert running.ids == (1,)
    assert choose([second], 0.0, [Running("own-1", live=False)], workers=4).ids == ()
    assert choose([second], 0.0, [Running("x", due_s=9.0)], workers=4).ids == (2,)
    assert choose([second], 0.0, [Running("x", threads=4, due_s=9.0)], workers=4).ids == (), "no core is left"


@pytest.mark.parametrize(("due_s", "ids"), [(0.0, ()), (0.032, ()), (WAITED_FOR_S, ()), (1.5, (2,)), (math.inf, (2,))])
def test_no_step_of_a_file_is_begun_beside_somebody_who_waits(due_s: float, ids: tuple[int, ...]) -> None:
    """A first chunk would share its cores with it; a listener who has a second of sound in store loses nothing."""
    file = Candidate(2, "file", 1, WHEN_THERE_IS_ROOM, live=False)
    assert choose([file], 10.0, [Running("first", due_s=10.0 + due_s)], workers=2).ids == ids
    assert choose([file], 10.0, [], workers=2).ids == (2,)


def test_a_step_of_a_file_takes_no_threads_from_the_live() -> None:
    """It is over in a moment, and no other is begun meanwhile."""
    file = Running("file", live=False)
    assert choose([candidate(1, 0.3)], 0.0, [file], workers=2).threads == 2
    assert choose([candidate(1, 0.3), candidate(2, 0.4)], 0.0, [file], workers=2).threads == 1


def test_a_file_does_not_take_threads_from_nobody_but_gives_way_to_the_live() -> None:
    file, chunk = job(1, "decode", WHEN_THERE_IS_ROOM, live=False), job(2, "decode", 99.0)
    assert choose([file], 0.0, workers=2).threads == 2
    assert choose([file, chunk], 0.0, workers=2).threads == 2, "the live step: a file that waits is none of its matter"
    assert choose([file, chunk], 0.0, workers=2).ids == (2,)


@given(
    st.lists(
        st.tuples(st.floats(0, 5), st.sampled_from(["encode", "decode", "detect"]), st.floats(0, 5), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 3),
)
def test_somebody_goes_or_it_is_known_when_to_look_again(
    rows: list[tuple[float, str, float, bool]], running: int
) -> None:
    """Nothing waits for ever: either a step begins, or a time to look is named, or a running step will tell."""
    jobs = [job(i, kind, due, ready_at_s=ready, live=live) for i, (due, kind, ready, live) in enumerate(rows)]
    choice = choose(jobs, 2.0, [Running(f"r{k}") for k in range(running)], workers=4, step_s=LENGTHS)
    assert choice.ids or choice.wait_s is not None or running
    assert choice.wait_s is None or choice.wait_s > 0
