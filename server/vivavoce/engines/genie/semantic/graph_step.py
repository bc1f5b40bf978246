"""The decode step as a graph of ONNX Runtime: for 8-bit weights, and wherever `kernel_step.py` cannot run.

The graph runs over the first rows of the cache, as many as the highest row asked for; keys and values are bound to
the cache's memory once and written in place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vivavoce.engines.genie.semantic.inputs import cache_names
from vivavoce.engines.genie.semantic.key_value_cache import Holder, KeyValueCache
from vivavoce.engines.genie.shape import VOCABULARY
from vivavoce.onnx_session import WideSession

Array = NDArray[np.float32]

_WASTE_BEFORE_SWAP = 16  # row-steps; swapping two rows of 300 places costs about as much


class GraphStep:
    """Decodes rows of a cache.

    Args:
        session: a graph of `text_to_semantic_graphs.step_graph`.
        cache: the rows.
    """

    def __init__(self, session: WideSession, cache: KeyValueCache) -> None:
        self._session, self._cache = session, cache
        self._bindings: dict[tuple[int, int], _Binding] = {}  # by session and rows
        self._wasted = 0

    def run(
        self, holders: Sequence[Holder], tokens: Sequence[int], positions: Sequence[int], *, threads: int = 1
    ) -> Array:
        """One pass over the weights: each holder's token at its position; logits float32 [n, 1025].

        The pass covers the rows up to the highest of these. Rows between that wait compute what is thrown away: they
        write behind their length, where their next step writes over it.
        """
        self._bring_together(holders)
        rows = [holder.row for holder in holders if holder.row is not None]
        binding = self._binding(self._session.of(threads), max(rows) + 1)
        return self._run(binding, rows, tokens, positions)

    def _run(self, binding: _Binding, rows: list[int], tokens: Sequence[int], positions: Sequence[int]) -> Array:
        covered = self._cache.holders[: binding.rows]
        binding.lengths[:] = [holder.length for holder in covered]
        binding.total[...] = binding.lengths.max() + 1
        binding.tokens[rows, 0] = tokens
        binding.positions[rows, 0] = positions
        self._cache.touch(covered)
        binding.session.run_with_iobinding(binding.io)
        return binding.logits[rows]

    def _bring_together(self, holders: Sequence[Holder]) -> None:
        """Swap a row that waits with one that runs, once waiting rows have cost as much as a swap."""
        rows = sorted(holder.row for holder in holders if holder.row is not None)
        self._wasted += rows[-1] + 1 - len(rows)
        if self._wasted >= _WASTE_BEFORE_SWAP:
            self._wasted = 0
            waiting = sorted(set(range(rows[-1])) - set(rows))
            if waiting:
                self._cache.swap(waiting[0], rows[-1])

    def _binding(self, session: ort.InferenceSession, rows: int) -> _Binding:
        key = (id(session), rows)
        if key not in self._bindings:
            self._bindings[key] = _Binding(session, self._cache.arrays, rows)
        return self._bindings[key]


class _Binding:
    """Inputs and outputs of the step graph for a number of rows, bound once; values change in place."""

    def __init__(self, session: ort.InferenceSession, arrays: Sequence[Array], rows: int) -> None:
        self.session, self.rows = session, rows
        self.tokens = np.zeros((rows, 1), np.int64)
        self.positions = np.zeros((rows, 1), np.int64)
        self.lengths = np.zeros(rows, np.int32)
        self.total = np.zeros((), np.int32)
        self.logits = np.zeros((rows, VOCABULARY), np.float32)
        self.io = session.io_binding()
        for name in ("tokens", "positions", "lengths", "total"):
            array = getattr(self, name)
            self.io.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        self.io.bind_output("logits", "cpu", 0, np.float32, self.logits.shape, self.logits.ctypes.data)
        shape = (rows, *arrays[0].shape[1:])
        for past, present, array in zip(cache_names("past_"), cache_names("present_"), arrays, strict=True):
            self.io.bind_input(past, "cpu", 0, np.float32, shape, array.ctypes.data)
            self.io.bind_output(present, "cpu", 0, np.float32, shape, array.ctypes.data)
