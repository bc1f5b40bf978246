"""Log-mel features: the picture of sound that whisper's family of models reads.

Pure functions over arrays. Windows of 25 ms every 10 ms, triangular filters on the mel scale, the logarithm held to 80
dB below the loudest. Source: openai/whisper, audio.py; filters as librosa makes them (Slaney's scale and norm).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples

SAMPLE_RATE = 16_000
WINDOW = 400  # samples a frame looks at
HOP = 160  # samples from frame to frame
FRAMES_PER_S = SAMPLE_RATE // HOP

Features = NDArray[np.float32]  # float32 [bins, frames]


def log_mel(samples: Samples, bins: int = 80, *, pad_s: float = 0.0) -> Features:
    """The features of a sound.

    Args:
        samples: float32 [n], 16 kHz.
        bins: mel bands: 80, or 128 for whisper's third large model.
        pad_s: seconds of silence behind it.

    Returns:
        float32 [bins, (n + pad) // 160], about -1..1.5.
    """
    length = len(samples) + round(pad_s * SAMPLE_RATE)
    frames = length // HOP
    if frames == 0:
        return np.zeros((bins, 0), np.float32)
    sound = np.zeros(max(length, WINDOW), np.float32)
    sound[: len(samples)] = samples
    sound = np.pad(sound, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:frames]
    spectrum = np.fft.rfft(windows * _hann())  # complex [frames, 201]
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)
    energies = filters(bins) @ power.T
    logs = np.log10(np.maximum(energies, 1e-10))
    features: Features = (np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0
    return features


@functools.cache
def filters(bins: int) -> NDArray[np.float32]:
    """Triangles of equal area, evenly spaced on the mel scale from 0 to 8 kHz: float32 [bins, 201]."""
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE / 2), bins + 2))
    grid = np.linspace(0.0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    widths = np.diff(edges)[:, None]
    slopes = edges[:, None] - grid
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    areas = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(triangles * areas[:, None], np.float32)


@functools.cache
def _hann() -> NDArray[np.float32]:
    return np.asarray(np.hanning(WINDOW + 1)[:-1], np.float32)


# Slaney's scale: linear up to 1 kHz, 27 steps to each factor of 6.4 above.
_LINEAR_HZ = 200.0 / 3
_LOG_FROM_MEL = 1000.0 / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27.0


def _hz_to_mel(hz: float) -> float:
    if hz < 1000.0:
        return hz / _LINEAR_HZ
    return float(_LOG_FROM_MEL + np.log(hz / 1000.0) / _LOG_STEP)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mel * _LINEAR_HZ
    return np.where(mel < _LOG_FROM_MEL, linear, 1000.0 * np.exp(_LOG_STEP * (mel - _LOG_FROM_MEL)))
