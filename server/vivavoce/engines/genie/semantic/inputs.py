"""What the text-to-semantic models are given besides tokens: positions, the mask of the prompt, names of their caches.

Written into graphs by `preparing.text_to_semantic_graphs`, fed by `model.py`, `graph_step.py` and `kernel_step.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.shape import LAYERS, MAX_POSITIONS, WIDTH

Array = NDArray[np.float32]


def cache_names(prefix: str) -> list[str]:
    """Names of keys and values: key_0, value_0, key_1 ... each with `prefix`."""
    return [f"{prefix}{kind}_{layer}" for layer in range(LAYERS) for kind in ("key", "value")]


def prefill_mask(phonemes: int, prompts: int) -> Array:
    """What may be seen: float32 [1, 1, n, n], 0 where allowed and -1e9 where not."""
    size = phonemes + prompts
    mask = np.triu(np.full((size, size), -1e9, np.float32), k=1)
    mask[:, :phonemes] = 0.0
    return mask[None, None]


def position_table() -> Array:
    """Sines on even and cosines on odd channels: float32 [MAX_POSITIONS, 512].

    Source: Vaswani et al. 2017, section 3.5.
    """
    rate = np.exp(np.arange(0, WIDTH, 2, dtype=np.float32) * np.float32(-np.log(10000.0) / WIDTH))
    angle = np.arange(MAX_POSITIONS, dtype=np.float32)[:, None] * rate
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(MAX_POSITIONS, WIDTH)
