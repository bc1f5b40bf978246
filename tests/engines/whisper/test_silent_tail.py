"""The tail is made once, kept on disk, and weighs as much as the whole of it would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import synthetic_whisper
from vivavoce.audio.chunk import Samples
from vivavoce.engines.whisper.encoder import Encoder
from vivavoce.engines.whisper.silent_tail import SilentTail, silent_tail
from vivavoce.engines.whisper.weights import Weights

WEIGHTS = Weights(synthetic_whisper.folder())
ENCODER = Encoder(WEIGHTS, 7, 1)


def made(path: Path) -> SilentTail:
    return silent_tail(ENCODER, WEIGHTS.shape, synthetic_whisper.short_sounds, path, 1)


def test_it_is_made_once(tmp_path: Path) -> None:
    def refuse() -> Sequence[Samples]:
        raise AssertionError("it was made again")

    path = tmp_path / "cache" / "tail.npz"
    first = made(path)
    again = silent_tail(ENCODER, WEIGHTS.shape, refuse, path, 1)
    assert again.first == first.first == 15 + 20  # 0.3 s of sound, and 0.4 s until it is silence
    np.testing.assert_array_equal(again._cross, first._cross)
    assert [found.name for found in path.parent.iterdir()] == ["tail.npz"]


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "tail.npz"
    expected = made(path)._cross
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_array_equal(made(path)._cross, expected)
    path.write_bytes(b"")
    np.testing.assert_array_equal(made(path)._cross, expected)


@pytest.mark.parametrize("count", [35, 99, 100, 101, 109, 750, 1489, 1490, 1499])
def test_together_they_stand_for_all_positions(tmp_path: Path, count: int) -> None:
    tail = made(tmp_path / "tail.npz")
    window = np.ones((2, 2, 2, count, 64), np.float32)
    cross, bias = tail.behind(window)
    assert cross.shape[3] == len(bias)
    assert cross.flags.c_contiguous
    np.testing.assert_array_equal(cross[:, :, :, :count], window)
    assert not bias[:count].any()
    assert np.exp(bias).sum() == pytest.approx(1500, rel=1e-5)
    assert np.isfinite(bias).all()
