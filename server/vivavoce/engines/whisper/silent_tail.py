"""The silent tail: what the encoder makes of silence, shown to the decoder behind a window as short as the speech.

Whisper was trained on windows of 30 s. With less the decoder does not see that nothing more follows, and says it all
again; with 30 s most of the encoder's work is on silence. But what it makes of silence hardly depends on the speech
before it: so it is made once for a model, as the mean over a few short sentences, position by position, and put behind
whatever is heard. Neighbouring positions are nearly alike, too: one of them stands for `THINNED`, its scores raised by
the logarithm of how many it stands for, which gives it the weight of all of them in the softmax.
Made by `building.py`; measured in experiments/LOG.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import FRAMES_PER_S, HOP, log_mel
from vivavoce.engines.whisper.encoder import Encoder
from vivavoce.engines.whisper.weights import Array, Shape

THINNED = 10  # positions one stands for; 1 to 20 gave the same words, without the logarithm 5 repeated itself
TAIL_FILE, FIRST_FILE = "tail.npy", "tail_first.npy"
_AFTER_SPEECH = 20  # positions after the last sound until it is silence: 0.4 s


class SilentTail:
    """The thinned tail of a model.

    Args:
        folder: where `save_silent_tail` put it.
        encoder: of the model.
        positions: of a whole window.

    Attributes:
        first: the first position that may be silence: no window may be shorter.
    """

    def __init__(self, folder: Path, encoder: Encoder, positions: int) -> None:
        hidden = np.load(folder / TAIL_FILE)  # float32 [positions / THINNED, width]
        self.first = int(np.load(folder / FIRST_FILE))
        self._positions = positions
        self._cross = encoder.cross(hidden[None], 1)

    def behind(self, cross: Array) -> tuple[Array, Array]:
        """A window's keys and values with the tail behind them, and the bias of all.

        Args:
            cross: float32 [layers, 2, heads, n, head], n at least `first`.

        Returns:
            cross float32 [layers, 2, heads, n + m, head], bias float32 [n + m].
        """
        count = cross.shape[3]
        block = min(count // THINNED, self._cross.shape[3])
        ends = np.minimum(np.arange(block + 1, self._cross.shape[3] + 1) * THINNED, self._positions)
        standing_for = np.diff(ends, prepend=count)
        bias = np.log(np.maximum(standing_for, 1e-9), dtype=np.float32)
        joined = np.concatenate([cross, self._cross[:, :, :, block:]], axis=3)
        return joined, np.concatenate([np.zeros(count, np.float32), bias.astype(np.float32)])


def save_silent_tail(encoder: Encoder, shape: Shape, speech: Sequence[Samples], folder: Path, threads: int) -> None:
    """Make the tail of a model, which takes a window of 30 s for each piece of speech.

    Args:
        speech: short sentences, float32 [n] of 16 kHz, ending with the last sound; the shortest one decides how short
            a window may be.
    """
    hidden, first = _mean_of_silence(encoder, shape, speech, threads)
    np.save(folder / TAIL_FILE, hidden[THINNED // 2 :: THINNED])
    np.save(folder / FIRST_FILE, first)


def _mean_of_silence(encoder: Encoder, shape: Shape, speech: Sequence[Samples], threads: int) -> tuple[Array, int]:
    """(float32 [audio positions, width], first position that is silence in any piece)."""
    total = np.zeros((shape.audio_positions, shape.width), np.float32)
    counts = np.zeros((shape.audio_positions, 1), np.float32)
    window_s = 2 * shape.audio_positions / FRAMES_PER_S
    for samples in speech:
        features = log_mel(samples, shape.bins, pad_s=window_s - len(samples) / (HOP * FRAMES_PER_S))
        silent_from = min(len(samples) // (2 * HOP) + _AFTER_SPEECH, shape.audio_positions - 1)
        total[silent_from:] += encoder.whole(features, threads)[0, silent_from:]
        counts[silent_from:] += 1
    mean = np.asarray(total / np.maximum(counts, 1), np.float32)
    return mean, int(np.argmax(counts > 0))
