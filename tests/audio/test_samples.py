"""The guard, 16-bit conversion and fades."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vivavoce.audio.samples import fade_out, guard, to_pcm16

any_float = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(hnp.arrays(np.float32, st.integers(0, 200), elements=any_float))
def test_guarded_samples_are_always_safe(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    before = samples.copy()
    result = guard(samples)
    assert result.samples.dtype == np.float32
    assert len(result.samples) == len(samples)
    assert np.isfinite(result.samples).all()
    assert (np.abs(result.samples) <= 1.0).all()
    assert result.bad == np.count_nonzero(~np.isfinite(samples))
    assert result.clipped == np.count_nonzero(np.abs(samples[np.isfinite(samples)]) > 1.0)
    np.testing.assert_array_equal(samples, before)


def test_whole_samples_pass_uncopied() -> None:
    samples = np.linspace(-1, 1, 100, dtype=np.float32)
    result = guard(samples)
    assert result.samples is samples
    assert (result.bad, result.clipped, result.unusable) == (0, 0, False)


def test_a_broken_sample_is_bridged_not_silenced() -> None:
    result = guard(np.array([0.2, np.nan, 0.4, np.inf, -np.inf, 0.1], np.float32))
    np.testing.assert_allclose(result.samples, [0.2, 0.3, 0.4, 0.3, 0.2, 0.1], atol=1e-6)
    assert result.bad == 3


def test_over_range_is_clipped_and_counted() -> None:
    result = guard(np.array([0.5, 1.5, -7.0, 1.0], np.float32))
    np.testing.assert_array_equal(result.samples, np.array([0.5, 1.0, -1.0, 1.0], np.float32))
    assert (result.bad, result.clipped, result.unusable) == (0, 2, False)


@pytest.mark.parametrize(("bad", "unusable"), [(0, False), (10, False), (11, True), (1000, True)])
def test_more_than_one_percent_broken_is_unusable(bad: int, unusable: bool) -> None:
    samples = np.zeros(1000, np.float32)
    samples[:bad] = np.nan
    assert guard(samples).unusable is unusable


def test_nothing_whole_becomes_silence() -> None:
    result = guard(np.full(5, np.nan, np.float32))
    np.testing.assert_array_equal(result.samples, np.zeros(5, np.float32))


def test_refuses_two_channels() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        guard(np.zeros((2, 3), np.float32))


def test_pcm16_rounds_to_the_nearest_and_never_wraps() -> None:
    samples = np.array([0, 0.4 / 32768, 0.6 / 32768, -0.6 / 32768, 1.0, 5.0, -1.0, -5.0], np.float32)
    assert to_pcm16(samples).tolist() == [0, 0, 1, -1, 32767, 32767, -32768, -32768]


def test_every_16_bit_value_survives_the_round_trip() -> None:
    values = np.arange(-32768, 32768).astype(np.int16)
    np.testing.assert_array_equal(to_pcm16(values.astype(np.float32) / np.float32(32768.0)), values)


def test_a_fade_touches_five_milliseconds_and_nothing_else() -> None:
    falling = fade_out(np.ones(1000, np.float32), 24_000)
    assert (np.diff(falling[-120:]) < 0).all()
    assert 0 < falling[-1] < 0.001
    np.testing.assert_array_equal(falling[:-120], np.ones(880, np.float32))
    assert falling.dtype == np.float32


@pytest.mark.parametrize("length", [0, 1, 60])
def test_a_fade_takes_what_is_shorter_than_it_is(length: int) -> None:
    faded = fade_out(np.ones(length, np.float32), 24_000)
    assert len(faded) == length
    assert (faded < 1).all()
