"""The features are those whisper was trained on, for any length and loudness."""

from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import SAMPLE_RATE, log_mel


def sound(length: int, loudness: float = 0.3) -> Samples:
    """A sweep over noise."""
    time = np.arange(length) / SAMPLE_RATE
    noise = np.random.default_rng(length).standard_normal(length)
    return np.float32(loudness) * (np.sin(900 * time**2) + 0.1 * noise).astype(np.float32)


@pytest.mark.parametrize("bins", [80, 128])
@pytest.mark.parametrize("length", [480, 16_000, 48_123, 159_999])
@pytest.mark.parametrize("loudness", [1.0, 1e-3])
def test_they_equal_the_reference(bins: int, length: int, loudness: float) -> None:
    samples = sound(length, loudness)
    expected = FeatureExtractor(feature_size=bins)(samples, padding=0)
    features = log_mel(samples, bins)
    assert features.dtype == np.float32
    assert features.shape == (bins, length // 160)
    np.testing.assert_allclose(features, expected[:, : length // 160], atol=1e-4)


def test_silence_behind_it_is_as_if_it_were_in_the_sound() -> None:
    samples = sound(20_000)
    longer = np.concatenate([samples, np.zeros(16_000, np.float32)])
    np.testing.assert_array_equal(log_mel(samples, pad_s=1.0), log_mel(longer))


@pytest.mark.parametrize("length", [0, 1, 159, 160, 199, 200, 201, 399])
def test_sound_shorter_than_a_window(length: int) -> None:
    features = log_mel(sound(length))
    assert features.shape == (80, length // 160)
    assert np.isfinite(features).all()


def test_nothing_at_all_is_the_floor() -> None:
    assert np.unique(log_mel(np.zeros(16_000, np.float32))) == pytest.approx(-1.5)
