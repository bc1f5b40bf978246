"""What comes to an ear, in the order it came: sound, what the client does with it, and new wishes.

Pure. Called by `turn_ear.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.protocols.realtime.audio_format import AudioFormat
from vivavoce.protocols.realtime.commands import ClearInput, Commit, Hear, HearItem

_LONGEST_BYTES: Final = 240_000  # of sound taken at once: 5 s of PCM; an even number, so no sample is cut


@dataclass(frozen=True, slots=True)
class NewWishes:
    """From here on the sound is to be heard otherwise."""


Incoming = Hear | ClearInput | Commit | HearItem | Samples | NewWishes


def joined(came: list[Incoming]) -> Iterator[Incoming]:
    """Neighbouring pieces of sound as one, but none longer than a few seconds: threads are shared."""
    for (kind, format), group in itertools.groupby(came, _alike):
        if format is not None:
            data = b"".join(each.data for each in group if isinstance(each, Hear))
            yield from (Hear(data[at : at + _LONGEST_BYTES], format) for at in range(0, len(data), _LONGEST_BYTES))
        elif kind is np.ndarray:
            yield np.concatenate([each for each in group if isinstance(each, np.ndarray)])
        else:
            yield from group


def _alike(each: Incoming) -> tuple[type, AudioFormat | None]:
    return type(each), each.format if isinstance(each, Hear) else None
