"""The tail is made once with the model, and weighs as much as the whole of it would."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import synthetic_whisper
from vivavoce.engines.whisper.loaded_model import WhisperModel, load


@cache
def model() -> WhisperModel:
    return load("small", synthetic_whisper.folder(), synthetic_whisper.cache(), synthetic_whisper.short_sounds, 1)


def test_it_begins_where_the_shortest_sound_has_ended() -> None:
    assert model().tail.first == 15 + 20  # 0.3 s of sound, and 0.4 s until it is silence


@pytest.mark.parametrize("count", [35, 99, 100, 101, 109, 750, 1489, 1490, 1499])
def test_together_they_stand_for_all_positions(count: int) -> None:
    window = np.ones((2, 2, 2, count, 64), np.float32)
    cross, bias = model().tail.behind(window)
    assert cross.shape[3] == len(bias)
    assert cross.flags.c_contiguous
    np.testing.assert_array_equal(cross[:, :, :, :count], window)
    assert not bias[:count].any()
    assert np.exp(bias).sum() == pytest.approx(1500, rel=1e-5)
    assert np.isfinite(bias).all()
