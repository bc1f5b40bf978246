"""The border between decoding and what computes it: a graph everywhere, a kernel where the processor has what it needs.

A `Memory` is all that the decoder knows of one hearing: what the encoder made of the sound, and the keys and values of
the tokens so far. One `run` takes the tokens of several hearings further in one pass over the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vivavoce.engines.whisper.weights import Array, Shape

_PLACES_AT_FIRST = 64


@dataclass(slots=True, eq=False)
class Memory:
    """What the decoder knows of one hearing.

    Attributes:
        cross: float32 [layers, 2 (keys, values), heads, n, head], contiguous.
        bias: float32 [n], added to the scores of cross-attention.
        sound: the first places of `cross`, whose scores are told.
        past: float32 [layers, 2, heads, places, head]; `length` places are filled.
    """

    cross: Array
    bias: Array
    sound: int
    past: Array
    length: int = 0

    @classmethod
    def of(cls, shape: Shape, cross: Array, bias: Array, sound: int) -> Memory:
        """The memory of a sound before its first token."""
        places = min(_PLACES_AT_FIRST, shape.text_positions)
        past = np.empty((shape.decoder_layers, 2, shape.decoder_heads, places, shape.head), np.float32)
        return cls(cross, bias, sound, past)

    def make_room(self, tokens: int) -> None:
        """See that so many more places can be filled."""
        needed, places = self.length + tokens, self.past.shape[3]
        if needed > places:
            grown = np.empty((*self.past.shape[:3], max(needed, 2 * places), self.past.shape[4]), np.float32)
            grown[:, :, :, : self.length] = self.past[:, :, :, : self.length]
            self.past = grown


@dataclass(frozen=True, slots=True)
class Ask:
    """Tokens to go through, and which of them want to know their successor."""

    memory: Memory
    tokens: Sequence[int]
    wanted: Sequence[int] = field(default=(-1,))


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The logits and attention scores of one pass of the decoder.

    Attributes:
        logits: float32 [wanted, vocabulary].
        scores: float32 [alignment heads, sound], where the last token looked, before softmax.
    """

    logits: Array
    scores: Array


class Decoder(Protocol):
    """Runs the decoder's layers; its answer for a hearing does not depend on the others, nor on the threads."""

    def run(self, asks: Sequence[Ask], threads: int) -> list[Answer]:
        """Put the tokens of each ask into its memory and tell what may follow.

        Raises:
            ValueError: If a memory has no place left for them.
        """
        ...
