"""Resampling: the same for every cut, of the right length, and in agreement with the mathematics of a tone."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler

RATES = [8000, 9001, 11025, 16000, 22050, 24000, 32000, 44100, 48000]


def tone(rate: int, length: int, hz: float = 440.0) -> Samples:
    wave: Samples = (0.5 * np.sin(2 * np.pi * hz * np.arange(length) / rate)).astype(np.float32)
    return wave


def resample(resampler: Resampler, pieces: list[Samples]) -> Samples:
    out: Samples = np.concatenate([*(resampler.process(piece) for piece in pieces), resampler.flush()])
    return out


@settings(max_examples=60, deadline=None)
@example(rates=(24_000, 44_100), length=200, cuts=[])
@given(
    rates=st.sampled_from([(24_000, 48_000), (32_000, 24_000), (24_000, 44_100), (24_000, 8000), (16_000, 16_000)]),
    length=st.integers(0, 12_000),
    cuts=st.lists(st.integers(0, 12_000), max_size=12),
)
def test_streamed_equals_whole_for_every_cut(rates: tuple[int, int], length: int, cuts: list[int]) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    streamed = resample(Resampler(*rates), np.split(samples, sorted(min(cut, length) for cut in cuts)))
    whole = soxr.resample(samples, *rates) if length else samples
    both = min(len(streamed), len(whole))
    np.testing.assert_array_equal(streamed[:both], whole[:both])
    is_tie = 2 * length * rates[1] % rates[0] == 0 and length * rates[1] % rates[0] != 0
    assert len(streamed) - len(whole) in ((0, 1) if is_tie else (0,)), "soxr rounds half a sample up or down"


@pytest.mark.parametrize("rate_in", RATES)
@pytest.mark.parametrize("rate_out", RATES)
def test_length_is_exact(rate_in: int, rate_out: int) -> None:
    for length in (1, 7, 1000, rate_in // 2 + 1):
        out = resample(Resampler(rate_in, rate_out), [tone(rate_in, length)])
        assert abs(len(out) - length * rate_out / rate_in) <= 0.5


@pytest.mark.parametrize("rate_out", RATES)
def test_a_tone_stays_the_tone(rate_out: int) -> None:
    out = resample(Resampler(24_000, rate_out), [tone(24_000, 24_000)])
    middle = slice(rate_out // 10, -rate_out // 10)  # the filter rings at both ends
    np.testing.assert_allclose(out[middle], tone(rate_out, len(out))[middle], atol=1e-3)


def test_what_lies_above_the_new_band_is_gone() -> None:
    out = resample(Resampler(24_000, 8000), [tone(24_000, 24_000, hz=7000)])
    assert np.abs(out[800:-800]).max() < 1e-4


def test_equal_rates_pass_untouched() -> None:
    samples = tone(24_000, 100)
    resampler = Resampler(24_000, 24_000)
    assert resampler.process(samples) is samples
    assert len(resampler.flush()) == 0


def test_flush_starts_afresh() -> None:
    resampler = Resampler(24_000, 48_000)
    first = resample(resampler, [tone(24_000, 5000)])
    assert len(resampler.flush()) == 0
    np.testing.assert_array_equal(resample(resampler, [tone(24_000, 5000)]), first)


def test_holds_less_than_50_ms() -> None:
    for rate_in, rate_out in [(24_000, 48_000), (32_000, 24_000), (24_000, 8000), (32_000, 11_025)]:
        out = Resampler(rate_in, rate_out).process(tone(rate_in, rate_in))
        assert len(out) >= 0.95 * rate_out


@pytest.mark.parametrize("rates", [(0, 24_000), (24_000, 0), (-1, 8000)])
def test_refuses_rates_that_are_none(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Resampler(*rates)
