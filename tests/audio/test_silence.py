"""Trimming: what is heard stays, what is not is cut to the promised length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.silence import QUIET, trim_silence

RATE = 24_000


@given(lead=st.integers(0, 9000), body=st.integers(1, 3000), tail=st.integers(0, 9000))
def test_keeps_the_sound_and_the_promised_quiet(lead: int, body: int, tail: int) -> None:
    sound = np.random.default_rng(body).uniform(0.1, 0.5, body).astype(np.float32)
    trimmed = trim_silence(np.pad(sound, (lead, tail)), RATE, lead_s=0.02, tail_s=0.1)
    assert len(trimmed) == min(lead, 480) + body + min(tail, 2400)
    np.testing.assert_array_equal(trimmed[min(lead, 480) :][:body], sound)


def test_soft_sounds_count() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[12_000] = QUIET * 1.01
    assert len(trim_silence(samples, RATE, lead_s=0.0, tail_s=0.0)) == 1


@pytest.mark.parametrize("length", [0, 1, 5000])
def test_silence_alone_stays_whole(length: int) -> None:
    assert len(trim_silence(np.full(length, QUIET / 2, np.float32), RATE)) == length
