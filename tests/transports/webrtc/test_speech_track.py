"""The encoder of a call's sound."""

from __future__ import annotations

import os

import numpy as np

from vivavoce.transports.webrtc.speech_track import FRAME_SAMPLES, OpusEncoder


def test_a_calls_encoder_has_no_thread_of_its_own() -> None:
    silence = np.zeros(FRAME_SAMPLES, np.float32)
    before = len(os.listdir("/proc/self/task"))
    encoders = [OpusEncoder() for _ in range(5)]
    assert all(encoder.encode(silence) for encoder in encoders)
    assert len(os.listdir("/proc/self/task")) <= before
