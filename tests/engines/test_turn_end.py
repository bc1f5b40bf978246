"""How far a voice has faded, and what that makes of a verdict."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.audio.chunk import Samples
from vivavoce.engines.smart_turn import SAMPLE_RATE, SmartTurn
from vivavoce.engines.turn_end import TurnEndJudge, fade, faded


def voice(seconds: float, dies_s: float) -> Samples:
    """A buzz that dies away in the end, and a little silence."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    level = np.clip((seconds - times) / dies_s, 0, 1) ** 2 if dies_s else np.ones_like(times)
    sound = 0.3 * np.sign(np.sin(2 * np.pi * 120 * times)) * level
    return np.concatenate([sound, np.zeros(1024)]).astype(np.float32)


def test_a_voice_that_dies_away_has_faded_further_than_one_that_is_cut() -> None:
    assert fade(voice(1.0, 0.3)) < fade(voice(1.0, 0.1)) < fade(voice(1.0, 0.0))


def test_loudness_and_the_silence_behind_change_nothing() -> None:
    sound = voice(1.0, 0.2)
    assert fade(0.05 * sound) == pytest.approx(fade(sound), abs=0.01)
    assert fade(np.concatenate([sound, np.zeros(4000, np.float32)])) == pytest.approx(fade(sound), abs=0.3)


@pytest.mark.parametrize("length", [0, 100, 640, 5000])
def test_silence_says_nothing_bad(length: int) -> None:
    assert np.isfinite(fade(np.zeros(length, np.float32)))
    assert fade(np.zeros(100, np.float32)) == -5.0


def test_a_voice_that_is_broken_off_has_hardly_finished() -> None:
    assert 0 < faded(0.5, -3.0) < faded(0.5, -3.5) < faded(0.5, -4.0) == faded(0.5, -6.0) == 0.5
    assert faded(1.0, 0.0) < 0.01


def test_the_model_has_its_say() -> None:
    assert 0.2 < faded(0.0, -5.0) < faded(0.1, -5.0) < faded(0.9, -5.0) < faded(1.0, -5.0) < 0.8


def test_the_judge_weighs_the_model_with_the_fading() -> None:
    turns = [voice(1.5, 0.3), voice(1.5, 0.0)]
    sounding = SmartTurn().finished(turns)
    assert TurnEndJudge().finished(turns) == [faded(v, fade(turn)) for v, turn in zip(sounding, turns, strict=True)]
