"""Has the speaker finished, or only paused? A small model of intonation, asked at each soft end of a turn.

It looks at the last eight seconds of the turn and needs some tens of milliseconds. Its arithmetic of 8 bits magnifies
the last digits of what it reads: noise of a millionth in the features moved a verdict by up to 0.5, so one near a half
says little, and another processor may say otherwise. Blocking, without state. Source of the model and of how it is fed:
pipecat-ai/smart-turn, version 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import Features, log_mel
from vivavoce.engines.vendored import SMART_TURN
from vivavoce.onnx_session import Signature, open_session

SAMPLE_RATE = 16_000
WINDOW_S = 8
_WINDOW = WINDOW_S * SAMPLE_RATE
_SIGNATURE = Signature(inputs=("input_features",), outputs=("logits",))


class SmartTurn:
    """The model, loaded; shared by all speakers and threads.

    Args:
        threads: of one call.
    """

    def __init__(self, threads: int = 1) -> None:
        self._session = open_session(SMART_TURN, threads=threads, signature=_SIGNATURE)

    def finished(self, turns: Sequence[Samples]) -> list[float]:
        """How probably each speaker has finished, 0..1.

        Args:
            turns: float32 [n] of 16 kHz, each the sound of a turn up to now; what is older than 8 s is not looked at.
        """
        features = np.stack([turn_features(turn) for turn in turns])  # float32 [turns, 80, 800]
        (answers,) = self._session.run(["logits"], {"input_features": features})  # probabilities, in spite of the name
        return [float(answer) for answer in answers[:, 0]]


def turn_features(turn: Samples) -> Features:
    """What the model reads: the last 8 s, silence before a shorter turn, at a loudness of one: float32 [80, 800]."""
    sound = np.zeros(_WINDOW, np.float32)
    if len(turn):
        sound[-min(len(turn), _WINDOW) :] = turn[-_WINDOW:]
    centred = sound - sound.mean()
    return log_mel(centred / np.sqrt(sound.var() + np.float32(1e-7)))
