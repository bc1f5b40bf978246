"""Telephone sound: G.711, eight bits a sample on a logarithmic scale, as µ-law (`pcmu`) or A-law (`pcma`).

Each sample becomes the code that decodes nearest to it; the scales are those of `pcm.py`, which reads them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.pcm import PcmReader, SampleFormat
from vivavoce.audio.samples import guard

_SCALES: dict[str, SampleFormat] = {"pcmu": "mulaw", "pcma": "alaw"}


class TelephoneEncoder:
    """Bare G.711 codes; see `AudioEncoder`."""

    is_light = True

    def __init__(self, name: Literal["pcmu", "pcma"], sample_rate: int) -> None:
        self.name: str = name
        self.media_type = f"audio/{name}"
        self.sample_rate = self.stream_rate = sample_rate
        levels = PcmReader(_SCALES[name]).read(bytes(range(256)))  # float32 [256]
        order = np.argsort(levels, kind="stable")
        self._codes = order.astype(np.uint8)
        self._between = (levels[order][1:] + levels[order][:-1]) / 2  # float32 [255]: where one code gives way

    def encode(self, samples: Samples) -> bytes:
        return self._codes[np.searchsorted(self._between, guard(samples).samples)].tobytes()

    def flush(self) -> bytes:
        return b""
