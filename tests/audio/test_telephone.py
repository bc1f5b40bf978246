"""Telephone sound, held against FFmpeg's own codecs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from vivavoce.audio.encoders import open_encoder
from vivavoce.audio.pcm import PcmReader, SampleFormat

SCALES: list[tuple[str, SampleFormat, str]] = [("pcmu", "mulaw", "pcm_mulaw"), ("pcma", "alaw", "pcm_alaw")]


@pytest.mark.parametrize(("name", "scale", "codec"), SCALES)
def test_every_code_comes_back(name: str, scale: SampleFormat, codec: str) -> None:
    levels = PcmReader(scale).read(bytes(range(256)))
    again = PcmReader(scale).read(open_encoder(name, 8000).encode(levels))
    np.testing.assert_array_equal(again, levels)  # but for the two zeros of µ-law, which are one level


@pytest.mark.parametrize(("name", "scale", "codec"), SCALES)
def test_it_is_at_least_as_near_as_ffmpeg(name: str, scale: SampleFormat, codec: str) -> None:
    said = np.random.default_rng(1).normal(0, 0.3, 8000).clip(-1, 0.9999).astype(np.float32)
    ours = PcmReader(scale).read(open_encoder(name, 8000).encode(said))
    theirs = PcmReader(scale).read(ffmpeg(codec, said))
    assert len(ours) == len(theirs) == len(said)
    assert np.abs(ours - said).mean() <= np.abs(theirs - said).mean() + 1e-6
    assert np.abs(ours - theirs).max() <= 0.04  # one step of the coarsest part of the scale


def test_broken_samples_do_no_harm() -> None:
    encoder = open_encoder("pcmu", 8000)
    data = encoder.encode(np.array([np.nan, np.inf, -9.0, 9.0], np.float32)) + encoder.flush()
    assert len(data) == 4


def ffmpeg(codec: str, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    context: Any = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.format = 8000, "mono", "s16"
    context.time_base = Fraction(1, 8000)
    pcm = np.rint(samples * 32768).clip(-32768, 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate = 8000
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
