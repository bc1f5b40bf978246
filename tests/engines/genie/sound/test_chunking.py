"""When to vocode and how much: numbers in, a number out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.genie.shape import FIRST_FRAMES, LAG_FRAMES
from vivavoce.engines.genie.sound.chunking import POLICY as CHOSEN
from vivavoce.engines.genie.sound.chunking import ChunkPolicy, Pace
from vivavoce.engines.genie.sound.latent import LOOKAHEAD_FRAMES

POLICY = ChunkPolicy(first_frames=22, sizes=(8, 10, 40), lead_s=0.2)


def test_the_first_chunk_of_all_waits_for_its_frames_and_for_nothing_else() -> None:
    assert POLICY.next(0, 21, final=False, buffered_s=0.0) == 0
    assert POLICY.next(0, 22, final=False, buffered_s=0.0) == 22


def test_the_first_chunk_of_a_later_sentence_waits_for_the_one_before() -> None:
    assert POLICY.next(0, 50, final=False, buffered_s=1.0) == 0
    assert POLICY.next(0, 50, final=False, buffered_s=0.45) == 22
    assert POLICY.next(1, 50, final=False, buffered_s=0.45) == 0, "it needs less time: its sound comes at once"
    assert POLICY.next(0, 50, final=False, buffered_s=math.inf) == 0


def test_a_slow_machine_begins_sooner() -> None:
    quick, slow = Pace(step_s=0.1), Pace(step_s=0.3)
    assert POLICY.next(1, 30, final=False, buffered_s=0.4, pace=quick) == 0
    assert POLICY.next(1, 30, final=False, buffered_s=0.4, pace=slow) == 8
    assert POLICY.next(0, 30, final=False, buffered_s=0.8, pace=slow) == 22
    assert POLICY.next(0, 30, final=False, buffered_s=0.9, pace=slow) == 0


def test_enough_is_kept_for_the_next_sentence_to_open() -> None:
    pace = Pace(opening_s=0.8)
    assert POLICY.next(1, 30, final=False, buffered_s=0.9, pace=pace) == 8
    assert POLICY.next(1, 30, final=False, buffered_s=1.0, pace=pace) == 0
    assert POLICY.next(0, 30, final=False, buffered_s=0.8, pace=pace) == 0, "the sentence has opened already"


def test_the_usual_time_follows_slow_steps_at_once_and_quick_ones_slowly() -> None:
    assert Pace().after_step(0.1) == Pace(step_s=0.1), "the first one is all that is known"
    pace = Pace(step_s=0.1)
    assert pace.after_step(0.3).step_s == pytest.approx(0.2)
    assert pace.after_step(0.0).step_s == pytest.approx(0.09)
    assert pace.after_opening(1.0) == Pace(step_s=0.1, opening_s=1.0)


def test_later_chunks_come_just_in_time() -> None:
    assert POLICY.next(1, 30, final=False, buffered_s=0.20) == 0
    assert POLICY.next(1, 30, final=False, buffered_s=0.19) == 8
    assert POLICY.next(1, 7, final=False, buffered_s=0.0) == 0
    assert POLICY.next(1, 30, final=False, buffered_s=math.inf) == 0
    assert POLICY.next(1, 30, final=True, buffered_s=math.inf) == 8, "with all tokens known there is no reason to wait"


def test_chunks_grow_and_the_last_size_repeats() -> None:
    assert [POLICY.next(chunks, 99, final=False, buffered_s=0.0) for chunks in (1, 2, 3, 4, 9)] == [8, 10, 40, 40, 40]


def test_a_short_rest_is_taken_whole() -> None:
    assert POLICY.next(3, 40 + LAG_FRAMES + 1, final=True, buffered_s=9.0) == 52
    assert POLICY.next(3, 53, final=True, buffered_s=9.0) == 40
    assert POLICY.next(0, 3, final=True, buffered_s=0.0) == 3
    assert POLICY.next(0, 0, final=True, buffered_s=0.0) == 0


def test_the_first_chunk_starts_the_vocoder() -> None:
    assert CHOSEN.first_frames >= FIRST_FRAMES
    assert list(CHOSEN.sizes) == sorted(CHOSEN.sizes)
    assert (CHOSEN.first_frames + LOOKAHEAD_FRAMES) % 2 == 0, "half a token would be waited for and not used"


@given(st.lists(st.floats(0, 1), min_size=80, max_size=80), st.integers(1, 300))
def test_every_frame_is_vocoded_once_and_the_loop_ends(buffers: list[float], total: int) -> None:
    """A sentence of `total` frames that come two at a time, with any buffer levels."""
    policy, done, chunks, known = CHOSEN, 0, 0, 0
    for turn in range(2000):
        final = known >= total
        frames = policy.next(chunks, known - done, final=final, buffered_s=buffers[turn % len(buffers)])
        assert 0 <= frames <= known - done
        if frames == 0:
            assert not final, "with all tokens known there is nothing to wait for"
            known = min(total, known + 2)
            continue
        done, chunks = done + frames, chunks + 1
        if final and done == total:
            return
    pytest.fail("the loop did not end")
