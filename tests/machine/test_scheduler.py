"""The scheduler: values in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.machine.scheduler import MARGIN_S, Candidate, choose, deadline, fair_order


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
    chosen = choose(streams, 0.0, {"g"})
    assert (chosen.ids, chosen.group) == ((2,), "own-2")
    alone = choose(streams[:1], 0.0, {"g"})
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
