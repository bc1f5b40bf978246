"""Latent frames -> samples, each frame once, in chunks of any size; the samples are those of one shot.

All that a stream carries from chunk to chunk is a `VocoderState`: made by `start`, passed into `decode` and replaced
by what it returns. It is never changed in place, so keeping one is a way back. Knows nothing of tokens or text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.engines.genie.graph_builder import STATES
from vivavoce.engines.genie.vocoder_graph import FIRST_FRAMES, LATENT_WIDTH
from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import AdaptiveSession

Latent = NDArray[np.float32]  # [1, 192, n]

SAMPLE_RATE_HZ = 32_000


@dataclass(frozen=True, slots=True, eq=False)
class VocoderState:
    """What lies between two chunks of one stream.

    Attributes:
        condition: float32 [1, C, 1], of the speaker.
        layers: float32 [1, channels, length] each, the past of the graph's layers; under 1 MB together.
        waiting: float32 [1, 192, n], frames taken in before there were enough to begin; empty once it runs.
        running: the graph has been called.
    """

    condition: NDArray[np.float32]
    layers: tuple[NDArray[np.float32], ...]
    waiting: Latent
    running: bool = False


class Vocoder:
    """The decoder of one voice; holds no stream's state.

    Args:
        session: the graph of `vocoder_graph.py`.

    Raises:
        VoiceUnavailable: If the graph does not say which states it has.
    """

    def __init__(self, session: AdaptiveSession) -> None:
        described = session.get_modelmeta().custom_metadata_map.get(STATES)
        if described is None:
            raise VoiceUnavailable("the decoder graph has no description of its states; prepare the voice again")
        self._session = session
        self._states: list[tuple[str, int, int]] = [tuple(state) for state in json.loads(described)]
        self._outputs = ["samples", *(f"next_{name}" for name, _, _ in self._states)]

    def start(self, condition: NDArray[np.float32]) -> VocoderState:
        """The state before the first frame, for a speaker's `condition` float32 [1, C, 1]."""
        layers = tuple(np.zeros((1, channels, length), np.float32) for _, channels, length in self._states)
        return VocoderState(condition, layers, np.zeros((1, LATENT_WIDTH, 0), np.float32))

    def decode(self, latent: Latent, state: VocoderState, *, flush: bool = False) -> tuple[Samples, VocoderState]:
        """The samples that are certain now.

        Args:
            latent: float32 [1, 192, n], the next frames; n may be 0.
            state: from `start` or the last `decode`.
            flush: no frame will follow: give out everything. The returned state is then of no further use.

        Returns:
            float32 [k] within -1..1. Over a stream 640 samples a frame; the last 11 frames' worth comes with the
            flush, and nothing before `FIRST_FRAMES` frames have come.
        """
        frames = np.concatenate([state.waiting, latent], axis=2) if state.waiting.shape[2] else latent
        too_few = 0 if state.running else FIRST_FRAMES - 1
        if frames.shape[2] <= too_few and not (flush and (state.running or frames.shape[2])):
            return np.zeros(0, np.float32), VocoderState(state.condition, state.layers, frames, state.running)
        feeds = {"z": frames, "condition": state.condition, "flush": np.array([flush], np.int64)}
        feeds |= {name: layer for (name, _, _), layer in zip(self._states, state.layers, strict=True)}
        samples, *layers = self._session.run(self._outputs, feeds)
        return samples.reshape(-1), VocoderState(state.condition, tuple(layers), frames[:, :, :0], running=True)
