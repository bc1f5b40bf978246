"""What users say to the assistant in `conversation.py`: questions of varied length, and speech with pauses inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from recognition_clips import SAMPLE_RATE, Clip, voice_clips
from vivavoce.audio.chunk import Samples

RATE = 24_000
AUDIBLE = 10 ** (-45 / 20)
PAUSES_S = (0.25, 0.4, 0.6, 0.8)
_LEVEL_S = 0.04  # the quietest stretch of this length is where people breathe


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One thing that is said.

    Attributes:
        text: its words.
        sound: float32 [n], 24 kHz, from its first to its last audible sample.
    """

    text: str
    sound: Samples


def turns(count: int) -> list[Turn]:
    """As many as are wanted; over and over, if they are more than there are sentences."""
    clips = list(voice_clips())
    return [_turn(clips[n % len(clips)]) for n in range(count)]


def paused_turns(whole: Sequence[Turn]) -> Iterator[Turn]:
    """Sentences of more than a second and a half, with a silence in the middle, where the voice is quietest."""
    long_ones = [turn for turn in whole if len(turn.sound) > 1.5 * RATE]
    for n, turn in enumerate(long_ones):
        at = _quietest(turn.sound)
        pause = np.zeros(round(PAUSES_S[n % len(PAUSES_S)] * RATE), np.float32)
        yield Turn(turn.text, np.concatenate([turn.sound[:at], pause, turn.sound[at:]]))


def _turn(clip: Clip) -> Turn:
    sound = soxr.resample(clip.sound, SAMPLE_RATE, RATE).astype(np.float32)
    audible = np.flatnonzero(np.abs(sound) > AUDIBLE)
    return Turn(clip.text, sound[audible[0] : audible[-1] + 1])


def _quietest(sound: Samples) -> int:
    """A place in the middle half."""
    window = round(_LEVEL_S * RATE)
    levels = np.convolve(sound * sound, np.ones(window) / window, "same")
    quarter = len(sound) // 4
    return quarter + int(np.argmin(levels[quarter : 3 * quarter]))
