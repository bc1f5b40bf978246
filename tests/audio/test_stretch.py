"""Stretching: the promised length, the same pitch, events in their places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.chunk import Samples
from vivavoce.audio.stretch import TimeStretcher

RATE = 24_000
TEMPI = [0.25, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0]


def tone(length: int, hz: float = 440.0) -> Samples:
    wave: Samples = (0.5 * np.sin(2 * np.pi * hz * np.arange(length) / RATE)).astype(np.float32)
    return wave


def stretch(samples: Samples, tempo: float, *, step: int = 1200, rate: int = RATE) -> Samples:
    stretcher = TimeStretcher(rate, tempo)
    pieces = [stretcher.process(samples[at : at + step]) for at in range(0, len(samples), step)]
    out: Samples = np.concatenate([*pieces, stretcher.flush()])
    return out


@pytest.mark.parametrize("tempo", TEMPI)
@pytest.mark.parametrize("length", [1, 500, 7200, 48_001])
def test_length_follows_the_tempo(tempo: float, length: int) -> None:
    assert len(stretch(tone(length), tempo)) == round(length / tempo)


@pytest.mark.parametrize("tempo", TEMPI)
@pytest.mark.parametrize("hz", [150.0, 440.0, 1800.0])
def test_pitch_stays(tempo: float, hz: float) -> None:
    out = stretch(tone(3 * RATE, hz), tempo)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out)), 1 << 19))
    heard = np.argmax(spectrum) * RATE / (1 << 19)
    assert heard == pytest.approx(hz, rel=0.005)


@pytest.mark.parametrize("tempo", TEMPI)
def test_loudness_stays(tempo: float) -> None:
    out = stretch(tone(2 * RATE), tempo)
    middle = out[len(out) // 10 : -len(out) // 10]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("tempo", TEMPI)
def test_events_keep_their_places(tempo: float) -> None:
    samples = np.zeros(3 * RATE, np.float32)
    samples[RATE : 2 * RATE] = tone(RATE)
    loud = np.flatnonzero(np.abs(stretch(samples, tempo)) > 0.1) / RATE
    window_s = 0.09 / min(tempo, 1.0)  # the filter moves pieces of up to this length
    assert loud[0] == pytest.approx(1 / tempo, abs=window_s)
    assert loud[-1] == pytest.approx(2 / tempo, abs=window_s)


@pytest.mark.parametrize("tempo", TEMPI)
def test_the_last_sound_is_not_lost(tempo: float) -> None:
    samples = np.zeros(RATE, np.float32)
    samples[-RATE // 5 :] = tone(RATE // 5)
    out = stretch(samples, tempo)
    loud_s = np.count_nonzero(np.abs(out) > 0.1) / RATE
    assert loud_s > 0.6 * 0.2 / tempo  # a sine is above 0.1 of 0.5 for 87 % of the time


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 9000), max_size=8), tempo=st.sampled_from([0.25, 0.8, 3.0]))
def test_does_not_depend_on_the_cuts(cuts: list[int], tempo: float) -> None:
    samples = tone(9000) + np.random.default_rng(0).normal(0, 0.01, 9000).astype(np.float32)
    stretcher = TimeStretcher(RATE, tempo)
    pieces = [stretcher.process(piece) for piece in np.split(samples, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate([*pieces, stretcher.flush()]), stretch(samples, tempo))


@pytest.mark.parametrize("tempo", TEMPI)
def test_streams_with_little_held_back(tempo: float) -> None:
    stretcher = TimeStretcher(RATE, tempo)
    given_so_far, made = 0, 0
    for _ in range(20):
        made += len(stretcher.process(tone(2400)))
        given_so_far += 2400
        assert made >= (given_so_far - (0.1 if 0.5 <= tempo <= 2 else 0.3) * RATE) / tempo
        assert made <= given_so_far / tempo


def test_tempo_one_passes_untouched() -> None:
    samples = tone(100)
    assert TimeStretcher(RATE, 1.0).process(samples) is samples


def test_ends_without_a_click() -> None:
    assert abs(stretch(np.full(RATE, 0.5, np.float32), 3.0)[-1]) < 0.01


def test_an_empty_stream_stays_empty() -> None:
    assert len(TimeStretcher(RATE, 2.0).flush()) == 0


@pytest.mark.parametrize("tempo", [0.0, 0.2, 4.1, float("nan"), -1.0])
def test_refuses_what_cannot_be_understood(tempo: float) -> None:
    with pytest.raises(ValueError, match="tempo"):
        TimeStretcher(RATE, tempo)
