"""Puts the pauses of the sound between words: attention knows where a word is, but not where its silence begins.

Pure. `pauses_of` finds them by loudness, `settle` gives each to the nearest border between two words, sooner to one
with punctuation, and moves the words out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import SAMPLE_RATE
from vivavoce.engines.recognizer import HeardWord

FRAME_S = 0.01
_SHORTEST_S = 0.12  # a stop consonant closes the mouth for less
_SMOOTHED = 5  # frames
_QUIET_DB = 30.0  # below the loud parts
_ABOVE_NOISE_DB = 6.0
_LEAST_CONTRAST_DB = 12.0  # with less, noise hides the pauses
_FARTHEST_S = 0.6  # from a border to its pause
_PUNCTUATION_S = 0.2  # how much nearer punctuation makes a border

Pause = tuple[float, float]  # seconds


def pauses_of(sound: Samples) -> list[Pause]:
    """Stretches without speech, those at both ends included."""
    size = round(FRAME_S * SAMPLE_RATE)
    count = len(sound) // size
    if count == 0:
        return []
    frames = sound[: count * size].reshape(count, size)
    level = _smoothed(10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12))
    loud, noise = np.percentile(level, [95, 5])
    border = max(loud - _QUIET_DB, noise + _ABOVE_NOISE_DB)
    if border > loud - _LEAST_CONTRAST_DB:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level < border, [0]])))
    runs = edges.reshape(-1, 2) * FRAME_S
    return [(float(a), float(b)) for a, b in runs if b - a >= _SHORTEST_S or a == 0 or b >= count * FRAME_S]


def _smoothed(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median over neighbouring frames: noise has louder ones, and an edge stays where it is."""
    padded = np.pad(level, _SMOOTHED // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHED), axis=-1))


def settle(words: Sequence[HeardWord], pauses: Sequence[Pause], end_s: float) -> tuple[HeardWord, ...]:
    """The words with each pause between two of them, before the first or behind the last.

    Args:
        words: in order.
        pauses: in order, apart from each other.
        end_s: of the sound.
    """
    if not words:
        return ()
    starts = [word.start_s for word in words]
    ends = [word.end_s for word in words]
    taken: set[int] = set()
    for begin, stop in pauses:
        if stop >= end_s - FRAME_S:
            place = len(words)
        elif begin <= FRAME_S:
            place = 0
        else:
            place = _nearest(words, starts, ends, (begin, stop), taken)
        if place < 0:
            continue
        taken.add(place)
        for k in range(place):  # those before end before it
            starts[k], ends[k] = min(starts[k], begin), min(ends[k], begin)
        for k in range(place, len(words)):
            starts[k], ends[k] = max(starts[k], stop), max(ends[k], stop)
        if place > 0:  # and the two beside it reach to it
            ends[place - 1] = max(begin, starts[place - 1])
        if place < len(words):
            starts[place] = stop
    return tuple(replace(word, start_s=a, end_s=b) for word, a, b in zip(words, starts, ends, strict=True))


def _nearest(
    words: Sequence[HeardWord], starts: Sequence[float], ends: Sequence[float], pause: Pause, taken: set[int]
) -> int:
    """The border before word k that this pause belongs to; -1 where all are too far."""
    best, least = -1, _FARTHEST_S
    for k in range(1, len(words)):
        if k in taken:
            continue
        distance = max(0.0, pause[0] - starts[k], min(starts[k], ends[k - 1] + FRAME_S) - pause[1])
        if words[k - 1].text[-1:] in ".,;:!?…。、，！？；：":
            distance -= _PUNCTUATION_S
        if distance < least:
            best, least = k, distance
    return best
