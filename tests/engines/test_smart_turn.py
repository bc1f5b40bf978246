"""The model of intonation reads what its authors feed it."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.engines.smart_turn import SAMPLE_RATE, SmartTurn, turn_features
from vivavoce.engines.vendored import SMART_TURN


@pytest.fixture(scope="module")
def smart_turn() -> SmartTurn:
    return SmartTurn()


def spoken(text: str) -> Samples:
    from hibari import Hibari

    resampler = Resampler(24_000, SAMPLE_RATE)
    sound = np.concatenate(list(Hibari().stream(text, seed=1)))
    return np.concatenate([resampler.process(sound), resampler.flush()])


def reference_features(turn: Samples) -> NDArray[np.float64]:
    """Log-mel features written out in double precision, after the paper and the published feature extractor."""
    sound = np.pad(turn[-8 * SAMPLE_RATE :], (max(0, 8 * SAMPLE_RATE - len(turn)), 0)).astype(np.float64)
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    padded = np.pad(sound, 200, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.stack([np.abs(np.fft.rfft(padded[i * 160 : i * 160 + 400] * window)) ** 2 for i in range(800)], axis=1)
    mels = np.linspace(0, 15 + 27 * np.log(8.0) / np.log(6.4), 82)  # 8 kHz on Slaney's scale
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))
    grid = np.linspace(0, 8000, 201)
    bank = np.stack(
        [
            np.maximum(0, np.minimum((grid - low) / (mid - low), (high - grid) / (high - mid))) * 2 / (high - low)
            for low, mid, high in zip(edges, edges[1:], edges[2:], strict=False)
        ]
    )
    logs = np.log10(np.maximum(bank @ power, 1e-10))
    features: NDArray[np.float64] = (np.maximum(logs, logs.max() - 8) + 4) / 4
    return features


@pytest.mark.parametrize("seconds", [0.5, 3.0, 8.0, 11.0])
def test_features(seconds: float) -> None:
    turn = np.random.default_rng(2).standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32) * 0.1
    turn *= np.linspace(0, 1, len(turn), dtype=np.float32) ** 2
    found = turn_features(turn)
    assert found.shape == (80, 800)
    np.testing.assert_allclose(found, reference_features(turn), atol=1e-4)


def test_silence_and_nothing() -> None:
    for turn in (np.zeros(0, np.float32), np.zeros(1000, np.float32)):
        assert np.isfinite(turn_features(turn)).all()


def test_verdicts(smart_turn: SmartTurn) -> None:
    finished = spoken("I would like a table for two, please.")
    turns = [finished, finished[: len(finished) // 2], spoken("I was wondering whether you could")]
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(SMART_TURN), options, providers=["CPUExecutionProvider"])
    expected = [float(session.run(None, {"input_features": turn_features(turn)[None]})[0][0, 0]) for turn in turns]
    found = smart_turn.finished(turns)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found[0] > 0.5 > found[1], "the whole request is finished, its half is not"


def test_speakers_do_not_matter_to_each_other(smart_turn: SmartTurn) -> None:
    turns = [spoken("Yes."), spoken("Tomorrow at nine o'clock.")]
    np.testing.assert_allclose(
        smart_turn.finished(turns), [smart_turn.finished([turn])[0] for turn in turns], atol=1e-3
    )
