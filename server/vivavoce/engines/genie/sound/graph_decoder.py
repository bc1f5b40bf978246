"""The decoder as the graph of `decoder_graph.py`, run by ONNX Runtime: on any processor.

`kernel_decoder.py` takes its place where it is faster. Called by `vocoder.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import WideSession, open_wide

Array = NDArray[np.float32]

STATES = "vivavoce.states"  # metadata key of a graph: JSON [[name, channels, initial length], ...]


class GraphVocoder:
    """The graph of one voice, opened.

    Args:
        session: the graph.

    Raises:
        VoiceUnavailable: If the graph does not say which states it has.
    """

    frames_per_step = 24  # 0.1 s of compute on a fast core, 0.2 s on a slow one; 12 cost 10 % more a frame

    def __init__(self, session: WideSession) -> None:
        described = session.get_modelmeta().custom_metadata_map.get(STATES)
        if described is None:
            raise VoiceUnavailable("the decoder graph has no description of its states; prepare the voice again")
        self._session = session
        self._states: list[tuple[str, int, int]] = [tuple(state) for state in json.loads(described)]
        self._outputs = ["samples", *(f"next_{name}" for name, _, _ in self._states)]

    @classmethod
    def open(cls, graph: Path, threads: int) -> GraphVocoder:
        """A file; `threads` are the most that a call is given.

        Raises:
            VoiceUnavailable: If it is missing, damaged or no decoder.
        """
        return cls(open_wide(graph, threads=threads))

    def start(self) -> tuple[Array, ...]:
        """float32 [1, channels, length] each."""
        return tuple(np.zeros((1, channels, length), np.float32) for _, channels, length in self._states)

    def decode(
        self, frames: Array, condition: Array, layers: tuple[Array, ...], seen: int, *, flush: bool, threads: int
    ) -> tuple[Samples, tuple[Array, ...]]:
        """See `vocoder.Decoder`."""
        feeds = {"z": frames, "condition": condition, "flush": np.array([flush], np.int64)}
        feeds |= {name: layer for (name, _, _), layer in zip(self._states, layers, strict=True)}
        samples, *after = self._session.run(self._outputs, feeds, threads=threads)
        return samples.reshape(-1), tuple(after)
