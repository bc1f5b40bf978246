"""How much louder a recording has to be made before speech is looked for in it. Pure.

A microphone at its lowest setting leaves speech at a thousandth of full scale: a recognizer still understands it, but
the detector of speech takes it for silence. A recording is known as a whole, so its loudness is, too; somebody who
speaks now is heard as he is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from vivavoce.recognition.listener import SAMPLE_RATE, AnySamples

BLOCK = SAMPLE_RATE // 10  # samples
LOUD_BLOCKS = 2  # the loudest may hold a click; the shortest word fills two
QUIET = 5e-3  # root of the mean square of a loud block, full scale is 1; speech has 0.05 to 0.3
SPEECH = 0.1
_ROUNDING = 4e-5  # below this nothing was recorded but the rounding of 16 bits
_AT_ONCE = 50 * BLOCK


def gain_of(sound: Sequence[AnySamples]) -> float:
    """What to multiply a recording with; 1 where it is loud enough, which is soon found out.

    Args:
        sound: its parts, 16 kHz.
    """
    loudest: list[float] = []  # a heap of mean squares
    for powers in _powers(sound):
        loudest = heapq.nlargest(LOUD_BLOCKS, [*loudest, *powers])
        if len(loudest) == LOUD_BLOCKS and loudest[-1] >= QUIET**2:
            return 1.0
    level = float(np.sqrt(loudest[-1])) if loudest else 0.0
    return SPEECH / level if _ROUNDING < level < QUIET else 1.0


def _powers(sound: Sequence[AnySamples]) -> Iterator[list[float]]:
    """Mean squares of blocks."""
    for part in sound:
        scale = 32768.0 if part.dtype == np.int16 else 1.0
        for start in range(0, len(part), _AT_ONCE):
            piece = np.nan_to_num(part[start : start + _AT_ONCE].astype(np.float32) / np.float32(scale))
            whole = piece[: len(piece) // BLOCK * BLOCK] if len(piece) >= BLOCK else piece
            if len(whole):
                blocks = whole.reshape(-1, min(BLOCK, len(whole))).astype(np.float64)
                yield np.mean(blocks**2, axis=1).tolist()
