"""Latent frames -> samples, each frame once, in chunks of any size; the samples are those of one shot.

All that a stream carries from chunk to chunk is a `VocoderState`: made by `start`, passed into `decode` and replaced
by what it returns. It is never changed in place, so keeping one is a way back. Knows nothing of tokens or text, nor
who computes: ONNX Runtime (`graph_decoder.py`) or our own kernel (`kernel_decoder.py`).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.engines.genie.shape import FIRST_FRAMES, LATENT_WIDTH
from vivavoce.engines.genie.sound.graph_decoder import GraphVocoder
from vivavoce.engines.genie.sound.kernel_decoder import KernelVocoder, vocoder_kernel

logger = logging.getLogger(__name__)

Latent = NDArray[np.float32]  # [1, 192, n]
Layers = tuple[NDArray[np.float32], ...]

_TRIALS = 3


class Decoder(Protocol):
    """Who computes. May be called from several threads at once.

    Attributes:
        frames_per_step: how many frames of 20 ms to decode in one call. With fewer, each frame takes more time; with
            more, the call takes so long that other listeners run out of sound.
    """

    frames_per_step: int

    def start(self) -> Layers:
        """What the layers remember before the first frame."""

    def decode(
        self, frames: Latent, condition: NDArray[np.float32], layers: Layers, seen: int, *, flush: bool, threads: int
    ) -> tuple[Samples, Layers]:
        """Decode the next frames of a stream.

        Args:
            frames: float32 [1, 192, n]; n is at least `FIRST_FRAMES` in the first call without a flush.
            condition: float32 [1, C, 1].
            layers: from `start` or the last call; not changed.
            seen: frames in earlier calls.
            flush: the last call.
            threads: to compute with.

        Returns:
            float32 [k], and what the layers remember now.
        """


@dataclass(frozen=True, slots=True, eq=False)
class VocoderState:
    """What lies between two chunks of one stream.

    Attributes:
        condition: float32 [1, C, 1], of the speaker.
        layers: the past of the decoder's layers; under 1 MB together.
        waiting: float32 [1, 192, n], frames taken in before there were enough to begin; empty once it runs.
        seen: frames that the decoder has had.
    """

    condition: NDArray[np.float32]
    layers: Layers
    waiting: Latent
    seen: int = 0

    @property
    def running(self) -> bool:
        """The decoder has been called."""
        return self.seen > 0


class Vocoder:
    """The decoder of one voice; holds no stream's state.

    Args:
        decoder: who computes.
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder

    @property
    def frames_per_step(self) -> int:
        """Frames that a step should decode."""
        return self.decoder.frames_per_step

    @classmethod
    def open(cls, graph: Path, kernel_weights: Path | None, threads: int) -> Vocoder:
        """With the kernel where it can run, else with the graph.

        Args:
            graph: `decoder.onnx` of the voice.
            kernel_weights: a file of `save_vocoder_weights`; None where there is none.
            threads: the most that a call is given.

        Raises:
            VoiceUnavailable: If a file is missing or damaged.
        """
        kernel = vocoder_kernel()
        if kernel is not None and kernel_weights is not None:
            return cls(KernelVocoder(kernel, kernel_weights, threads))
        return cls(GraphVocoder.open(graph, threads))

    def start(self, condition: NDArray[np.float32]) -> VocoderState:
        """The state before the first frame, for a speaker's `condition` float32 [1, C, 1]."""
        return VocoderState(condition, self.decoder.start(), np.zeros((1, LATENT_WIDTH, 0), np.float32))

    def decode(
        self, latent: Latent, state: VocoderState, *, flush: bool = False, threads: int = 1
    ) -> tuple[Samples, VocoderState]:
        """The samples that are certain now.

        Args:
            latent: float32 [1, 192, n], the next frames; n may be 0.
            state: from `start` or the last `decode`.
            flush: no frame will follow: give out everything. The returned state is then of no further use.
            threads: to compute with.

        Returns:
            float32 [k] within -1..1. Over a stream 640 samples a frame; the last 11 frames' worth comes with the
            flush, and nothing before `FIRST_FRAMES` frames have come.
        """
        frames = np.concatenate([state.waiting, latent], axis=2) if state.waiting.shape[2] else latent
        too_few = 0 if state.running else FIRST_FRAMES - 1
        if frames.shape[2] <= too_few and not (flush and (state.running or frames.shape[2])):
            return np.zeros(0, np.float32), VocoderState(state.condition, state.layers, frames, state.seen)
        samples, layers = self.decoder.decode(
            frames, state.condition, state.layers, state.seen, flush=flush, threads=threads
        )
        return samples, VocoderState(state.condition, layers, frames[:, :, :0], state.seen + frames.shape[2])


def kernel_is_faster(graph: Path, kernel_weights: Path) -> bool:
    """Which of the two is the quicker on this machine, measured: 2 to 5 s of one thread.

    The kernel multiplies less; ONNX Runtime has wider registers where a processor has AVX-512, which on some is twice
    as fast and on others not faster at all.

    Args:
        graph: `decoder.onnx` of the voice.
        kernel_weights: a file of `save_vocoder_weights` of the same voice.

    Raises:
        VoiceUnavailable: If a file is missing or damaged.
    """
    kernel = vocoder_kernel()
    if kernel is None:
        return False
    native, portable = KernelVocoder(kernel, kernel_weights, 1), GraphVocoder.open(graph, 1)
    condition = np.zeros((1, native.speaker_channels, 1), np.float32)
    times_s = [(frame_s(native, condition), frame_s(portable, condition)) for _ in range(1 + _TRIALS)][1:]
    native_s, portable_s = min(times[0] for times in times_s), min(times[1] for times in times_s)
    logger.info("a frame takes %.1f ms in the kernel, %.1f ms in the graph", 1000 * native_s, 1000 * portable_s)
    return native_s < portable_s


def frame_s(decoder: Decoder, condition: NDArray[np.float32]) -> float:
    """Seconds for each frame of a step in mid-stream; the first one of a stream holds most of its work back."""
    count = decoder.frames_per_step
    frames = np.random.default_rng(0).standard_normal((1, LATENT_WIDTH, count), np.float32)
    _, layers = decoder.decode(frames, condition, decoder.start(), 0, flush=False, threads=1)
    started_s = time.perf_counter()
    decoder.decode(frames, condition, layers, count, flush=False, threads=1)
    return (time.perf_counter() - started_s) / count
