"""Samples are played in order, counted, and fade out when they are thrown away."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.chunk import Samples
from vivavoce.transports.webrtc.playout import FADE_SAMPLES, Playout


@settings(deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=8), st.integers(20, 2000))
def test_what_is_taken_is_what_was_written(lengths: list[int], frame: int) -> None:
    playout = Playout()
    pieces: list[Samples] = []
    begun: list[int] = []
    for number, length in enumerate(lengths):
        piece = np.random.default_rng(number).uniform(-1, 1, length).astype(np.float32)
        pieces.append(piece)
        playout.write(piece, partial(begun.append, number))
    total = sum(lengths)
    taken = np.concatenate([playout.take(frame) for _ in range(-(-total // frame) + 1)])
    whole = np.concatenate([np.zeros(0, np.float32), *pieces])
    assert np.array_equal(taken[:total], whole)
    assert not taken[total:].any()
    assert (playout.played, playout.queued) == (total, 0)
    assert begun == list(range(len(lengths)))


def test_a_piece_is_announced_when_its_first_sample_is_taken() -> None:
    playout, begun = Playout(), []
    playout.write(np.ones(100, np.float32), lambda: begun.append("a"))
    playout.write(np.ones(100, np.float32), lambda: begun.append("b"))
    playout.take(100)
    assert begun == ["a"]
    playout.take(1)
    assert begun == ["a", "b"]


def test_clear_fades_and_is_silent_after_5_ms() -> None:
    playout, begun = Playout(), []
    playout.write(np.ones(150, np.float32))
    playout.write(np.ones(96_000, np.float32), lambda: begun.append("second"))
    playout.take(50)
    playout.clear()
    assert (playout.queued, playout.played, playout.is_silent) == (0, 50, False)
    after = playout.take(960)
    assert after[0] == 1
    assert np.all(np.diff(after[:FADE_SAMPLES]) < 0)
    assert not after[FADE_SAMPLES:].any()
    assert playout.played == 50  # a fade is not speech
    assert playout.is_silent
    assert begun == []


def test_clear_twice_does_not_begin_the_fade_again() -> None:
    playout = Playout()
    playout.write(np.ones(4800, np.float32))
    playout.take(10)
    playout.clear()
    first = playout.take(100)
    playout.clear()
    second = playout.take(960)
    assert second[0] < first[-1] + 1e-6
    assert not second[FADE_SAMPLES:].any()


def test_what_is_written_after_a_clear_is_played_after_the_fade() -> None:
    playout = Playout()
    playout.write(np.ones(4800, np.float32))
    playout.clear()
    playout.write(np.full(480, 0.5, np.float32))
    frame = playout.take(FADE_SAMPLES + 480)
    assert frame[FADE_SAMPLES - 1] == pytest.approx(0, abs=1e-6)
    assert np.all(frame[FADE_SAMPLES:] == 0.5)
    assert playout.played == 480
