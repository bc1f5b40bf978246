"""Frames of one length, whatever the pieces were."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.frames import FrameCutter


@given(st.lists(st.integers(0, 40), max_size=12))
def test_nothing_is_lost_and_nothing_moves(sizes: list[int]) -> None:
    sound = np.arange(1, sum(sizes) + 1, dtype=np.float32)
    cutter = FrameCutter(16)
    ends = np.cumsum([0, *sizes])
    frames = [cutter.feed(sound[a:b]) for a, b in itertools.pairwise(ends)]
    out = np.concatenate([*frames, cutter.flush()]) if frames else cutter.flush()
    assert out.shape == (-(-len(sound) // 16), 16)
    np.testing.assert_array_equal(out.ravel()[: len(sound)], sound)
    assert not out.ravel()[len(sound) :].any()
    assert cutter.flush().shape == (0, 16)
