"""How loud a recording is, whatever clicks in it, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.audio.chunk import Samples
from vivavoce.recognition.listener import SAMPLE_RATE
from vivavoce.recognition.quiet_recordings import SPEECH, gain_of


def noise(level: float, seconds: float = 3.0) -> Samples:
    """float32 [n], with this root of the mean square."""
    return (level * np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.05, 0.5, 3.0, 30.0])
def test_a_quiet_recording_becomes_as_loud_as_speech(seconds: float) -> None:
    assert gain_of([noise(1e-3, seconds)]) == pytest.approx(SPEECH / 1e-3, rel=0.15)


def test_it_is_the_same_in_16_bits_and_in_parts() -> None:
    sound = noise(2e-3)
    coarse = np.rint(sound * 32768).astype(np.int16)
    assert gain_of([coarse]) == pytest.approx(gain_of([sound]), rel=0.01)
    assert gain_of([sound[:SAMPLE_RATE], sound[SAMPLE_RATE:]]) == pytest.approx(gain_of([sound]), rel=0.01)


@pytest.mark.parametrize("level", [0.0, 3e-5, 0.01, 0.3])
def test_what_is_loud_enough_or_nothing_at_all_is_left_alone(level: float) -> None:
    assert gain_of([noise(level)]) == 1.0


@pytest.mark.parametrize("margin_s", [0.0, 0.05, 60.0])
def test_a_short_word_is_enough_whatever_is_around_it(margin_s: float) -> None:
    word = noise(0.05, 0.25) * np.hanning(4000).astype(np.float32)
    room = noise(1e-4, margin_s)
    assert gain_of([np.concatenate([room, word, room])]) == 1.0
    assert gain_of([np.concatenate([room, 0.02 * word, room])]) > 30


def test_a_click_does_not_make_it_loud() -> None:
    sound = noise(1e-3)
    sound[5000:5010] = 1.0
    assert gain_of([sound]) > 30


def test_no_sound_and_no_numbers() -> None:
    assert gain_of([]) == gain_of([np.zeros(0, np.float32)]) == 1.0
    assert gain_of([np.full(SAMPLE_RATE, np.nan, np.float32)]) == 1.0
