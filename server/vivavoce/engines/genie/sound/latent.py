"""Semantic tokens so far -> committed latent frames, a sentence at a time.

The front reads all tokens there are; of its frames those with enough look-ahead are committed and never change again:
the drawn latent before the flow is frozen, so the sound that has left fits the sound to come and needs no cross-fade.
Noise belongs to the frame, not to the call: frame f of a seed always gets the same numbers.

Knows nothing of sound; `engine.py` asks what may be committed, `chunking.py` decides when, `vocoder.py` takes it.
Speed changes the number of frames: means and deviations are interpolated along time, pitch stays.

    frames of the front     2 a token
    frames of the latent    2 a token / speed, the only ones this module's callers count
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.reference import Reference
from vivavoce.engines.genie.shape import FLOW_CONTEXT_FRAMES, FRAMES_PER_TOKEN, LATENT_WIDTH, NOISE_SCALE, VOCABULARY
from vivavoce.engines.genie.sound.vits_model import Frames, FrontOutput, VitsModel

LOOKAHEAD_FRAMES = 8
_NOISE_BLOCK = 64  # frames drawn together


class FrameNoise:
    """Standard normal noise by frame index: the same seed and frame always give the same 192 numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._blocks: list[NDArray[np.float32]] = []

    def __getitem__(self, frames: slice) -> Frames:
        """float32 [1, 192, n] of a plain slice with start and stop."""
        while len(self._blocks) * _NOISE_BLOCK < frames.stop:
            key = np.array([self._seed % 2**64, len(self._blocks)], np.uint64)
            generator = np.random.Generator(np.random.Philox(key=key))
            self._blocks.append(generator.standard_normal((_NOISE_BLOCK, LATENT_WIDTH), np.float32))
        first = frames.start // _NOISE_BLOCK
        last = -(-frames.stop // _NOISE_BLOCK)
        rows = np.concatenate([np.zeros((0, LATENT_WIDTH), np.float32), *self._blocks[first:last]])
        offset = first * _NOISE_BLOCK
        return np.ascontiguousarray(rows[frames.start - offset : frames.stop - offset].T[np.newaxis])


class LatentStream:
    """The latent of one sentence as it becomes certain. A value of its stream: share the model, not this.

    Args:
        model: the voice.
        phonemes: int64 [1, P] of the sentence, P at least 1.
        reference: whose timbre it speaks with.
        seed: of the noise.
        speed: 0.25..4; 2 is twice as fast.
        noise_scale: 0 speaks the mean.
        lookahead_frames: frames of the front kept back until later tokens are known; see `LOOKAHEAD_FRAMES`.

    Attributes:
        speaker: what the vocoder is conditioned with.
        committed: frames made certain so far.
        attention: of the last call of the front, from which word times are read; None before the first.
        past_z_p: float32 [1, 192, n], the last committed frames before the flow, n at most `FLOW_CONTEXT_FRAMES`.
    """

    def __init__(
        self,
        model: VitsModel,
        phonemes: NDArray[np.int64],
        reference: Reference,
        *,
        seed: int,
        speed: float = 1.0,
        noise_scale: float = NOISE_SCALE,
        lookahead_frames: int = LOOKAHEAD_FRAMES,
    ) -> None:
        if phonemes.ndim != 2 or phonemes.shape[1] < 1:
            raise ValueError("phonemes must have the shape [1, P] with P at least 1")
        if not 0.25 <= speed <= 4:
            raise ValueError(f"the speed must be between 0.25 and 4, not {speed}")
        self.speaker = model.speaker(reference.ge)
        self.committed = 0
        self.attention: NDArray[np.float32] | None = None
        self._model = model
        self._text = model.read(phonemes)
        self._ge_advanced = reference.ge_advanced
        self._speed, self._noise_scale, self._lookahead = speed, noise_scale, lookahead_frames
        self._noise = FrameNoise(seed)
        self.past_z_p = np.zeros((1, LATENT_WIDTH, 0), np.float32)

    def total_frames(self, n_tokens: int) -> int:
        """Frames of a sentence of that many tokens."""
        return math.ceil(n_tokens * FRAMES_PER_TOKEN / self._speed - 1e-9)

    def available(self, n_tokens: int, *, final: bool) -> int:
        """Frames that may be committed now, those committed before not counted.

        Without `final`, the look-ahead is held back: `lookahead_frames` of the front and as many of the latent.
        """
        total = self.total_frames(n_tokens)
        if not final:
            held = self._lookahead * max(1.0, self._speed)
            # The last frame j that still reads, at (j + 0.5) * speed - 0.5, from before the held ones.
            last = (n_tokens * FRAMES_PER_TOKEN - 1 - held + 0.5) / self._speed - 0.5
            total = min(total, math.floor(last + 1e-9) + 1)
        return max(0, total - self.committed)

    def commit(self, tokens: Sequence[int], n_frames: int, *, final: bool = False, threads: int = 1) -> Frames:
        """Make the next `n_frames` frames certain.

        Args:
            tokens: all semantic tokens so far, 0..1023, without the end of speech; a longer list than last time or
                the same.
            n_frames: 1..`available(len(tokens), final=final)`.
            final: no further token will come.
            threads: to compute with.

        Returns:
            float32 [1, 192, n_frames], to be vocoded as it is.

        Raises:
            ValueError: If that many frames are not available, or a token is out of range.
        """
        if not 1 <= n_frames <= self.available(len(tokens), final=final):
            raise ValueError(
                f"{n_frames} frames cannot be committed; available: {self.available(len(tokens), final=final)}"
            )
        row = np.asarray(tokens, np.int64)
        if row.min() < 0 or row.max() >= VOCABULARY - 1:
            raise ValueError("semantic tokens must be within 0..1023")
        front = self._model.plan(row.reshape(1, 1, -1), self._text, self._ge_advanced, threads=threads)
        self.attention = front.attention
        return self._draw(front, n_frames, len(tokens), threads)

    def _draw(self, front: FrontOutput, n_frames: int, n_tokens: int, threads: int) -> Frames:
        start, stop = self.committed, self.committed + n_frames
        seen = min(self.total_frames(n_tokens), stop + FLOW_CONTEXT_FRAMES)  # what lies further the flow cannot see
        z, z_p = self._model.latent(
            _at_speed(front.m_p, start, seen, self._speed),
            _at_speed(front.logs_p, start, seen, self._speed),
            self._noise[start:seen],
            self.speaker,
            noise_scale=self._noise_scale,
            past_z_p=self.past_z_p,
            threads=threads,
        )
        past = self.past_z_p.shape[2]
        self.past_z_p = np.concatenate([self.past_z_p, z_p[:, :, :n_frames]], axis=2)[:, :, -FLOW_CONTEXT_FRAMES:]
        self.committed = stop
        return np.ascontiguousarray(z[:, :, past : past + n_frames])


def _at_speed(frames: Frames, start: int, stop: int, speed: float) -> Frames:
    """Frames start..stop of the sentence spoken at `speed`: linear between the front's own, held at the ends.

    Source: `torch.nn.functional.interpolate(mode="linear")`, which GPT-SoVITS applies one layer earlier; that layer
    is linear in each frame, so the result is the same.
    """
    if speed == 1.0:
        return np.ascontiguousarray(frames[:, :, start:stop])
    last = frames.shape[2] - 1
    position = np.clip((np.arange(start, stop) + 0.5) * speed - 0.5, 0, last)
    left = np.minimum(position.astype(np.int64), last)
    right = np.minimum(left + 1, last)
    weight = (position - left).astype(np.float32)
    between: Frames = frames[:, :, left] * (1 - weight) + frames[:, :, right] * weight
    return between
