"""The silent tail: what the encoder makes of silence, shown to the decoder behind a window as short as the speech.

Whisper was trained on windows of 30 s. With less the decoder does not see that nothing more follows, and says it all
again; with 30 s most of the encoder's work is on silence. But what it makes of silence hardly depends on the speech
before it: so it is made once for a model, as the mean over a few short sentences, position by position, and put behind
whatever is heard. Neighbouring positions are nearly alike, too: one of them stands for `THINNED`, its scores raised by
the logarithm of how many it stands for, which gives it the weight of all of them in the softmax.
Measured in experiments/LOG.md.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import FRAMES_PER_S, HOP, log_mel
from vivavoce.engines.whisper.encoder import Encoder
from vivavoce.engines.whisper.weights import Array, Shape

THINNED = 10  # positions one stands for; 1 to 20 gave the same words, without the logarithm 5 repeated itself
FORMAT = 1  # raise it when the tail is made in another way
_AFTER_SPEECH = 20  # positions after the last sound until it is silence: 0.4 s


class SilentTail:
    """The thinned tail of a model.

    Args:
        hidden: float32 [audio positions, width], the mean output for silence; positions before `first` mean nothing.
        first: the first position of silence.
        encoder: of the model.
    """

    def __init__(self, hidden: Array, first: int, encoder: Encoder) -> None:
        self.first = first
        self._positions = len(hidden)
        self._cross = encoder.cross(np.ascontiguousarray(hidden[THINNED // 2 :: THINNED])[None], 1)

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


def silent_tail(
    encoder: Encoder, shape: Shape, speech: Callable[[], Sequence[Samples]], path: Path, threads: int
) -> SilentTail:
    """The tail of a model, from the cache or made from speech, which takes a window of 30 s for each piece.

    Args:
        speech: makes short sentences, float32 [n] of 16 kHz, ending with the last sound; the shortest one decides how
            short a window may be.
        path: of the cached file, named by model and `FORMAT`.
    """
    try:
        with path.open("rb") as file, np.load(file) as found:
            return SilentTail(found["hidden"], int(found["first"]), encoder)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        pass
    hidden, first = _mean_of_silence(encoder, shape, speech(), threads)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, building = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    with os.fdopen(handle, "wb") as file:
        np.savez(file, hidden=hidden, first=first)
    Path(building).replace(path)
    return SilentTail(hidden, first, encoder)


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
