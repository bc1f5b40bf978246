"""How finished a turn sounds: the model of intonation, and how far the voice has died away at its end.

Phrases that break off in the middle do so at the loudness of their middle. Of the synthetic voices 19 of 20 faded
beyond -3.8 behind a whole utterance, and half of those that were cut in mid-sentence did not; six ends of recorded
people lay between -3.9 and -5.7. Once the words are known the model adds little to them with those voices, and is
weighed so. Blocking, without state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.smart_turn import SmartTurn

_LOOKED_AT: Final = 48_000  # samples: three seconds tell how loud the speaker is
_FRAME, _HOP = 640, 160  # samples: 40 ms every 10 ms
_SILENT: Final = -8.06  # 35 dB below loud frames; natural logarithm of energy
_LAST: Final = 6  # frames: 60 ms


_MIDDLE: Final = -5.0  # says nothing either way
_BROKEN: Final = -3.8  # 19 of 20 ends of whole turns have faded further, half of the breaks in mid-sentence have not
_OF_BROKEN: Final = 5.0  # off the log odds for each more, up to
_MOST_BROKEN: Final = 1.2
_OF_MODEL: Final = 0.15  # of its log odds
_SUREST: Final = 0.99


class TurnEndJudge:
    """An `Intonation` of the worker pool; shared by all speakers and threads."""

    def __init__(self) -> None:
        self._intonation = SmartTurn()

    def finished(self, turns: Sequence[Samples]) -> list[float]:
        """How probably each speaker has finished, 0..1; see `SmartTurn`."""
        sounding = self._intonation.finished(turns)
        return [faded(each, fade(turn)) for each, turn in zip(sounding, turns, strict=True)]


def faded(finished: float, fade: float) -> float:
    """How probably a speaker has finished, 0..1, who sounds so and whose voice has faded so far."""
    share = min(max(finished, 1 - _SUREST), _SUREST)
    broken = min(max(fade - _BROKEN, 0.0), _MOST_BROKEN)
    odds = _OF_MODEL * math.log(share / (1 - share)) - _OF_BROKEN * broken
    return 1 / (1 + math.exp(-odds))


def fade(sound: Samples) -> float:
    """Natural logarithm of the energy of its last 60 audible ms over that of loud frames; the middle of the scale where
    there is too little sound to tell.

    Args:
        sound: float32 [n], 16 kHz; silence behind the speech is passed over.
    """
    sound = sound[-_LOOKED_AT:]
    if len(sound) < _FRAME:
        return _MIDDLE
    sums = np.cumsum(np.concatenate([[0.0], np.square(sound, dtype=np.float64)]))
    energies = (sums[_FRAME:] - sums[:-_FRAME])[::_HOP] / _FRAME  # float64 [frames]
    levels = np.log(energies + 1e-9) - np.log(np.quantile(energies, 0.95) + 1e-9)
    last = int(np.flatnonzero(levels > _SILENT)[-1]) + 1
    return float(levels[max(0, last - _LAST) : last].mean())
