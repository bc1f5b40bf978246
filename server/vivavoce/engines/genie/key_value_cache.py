"""Keys and values of all streams of a voice, in memory that the step graph writes in place.

For each of 24 layers keys and values float32 [rows, 16, places, 32]. A stream holds a row; its first `length` places
are valid and a step writes place `length`. Rows in use are 0 .. n-1 without holes, because the graph runs over a
prefix of the rows. Not safe for threads; `semantic.py` holds a lock around it.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from vivavoce.engines.genie.text_to_semantic_graphs import HEAD, HEADS, LAYERS, VOCABULARY, cache_names
from vivavoce.errors import Overloaded
from vivavoce.onnx_session import AdaptiveSession

Array = NDArray[np.float32]

PLACE_BYTES = 2 * LAYERS * HEADS * HEAD * 4  # 98 KB for every phoneme and token
_WASTE_BEFORE_SWAP = 16  # row-steps; swapping two rows of 300 places costs about as much


class Holder(Protocol):
    """A stream that holds a row."""

    row: int | None
    length: int


class KeyValueCache:
    """The rows of one voice.

    Args:
        session: the step graph.
        rows: streams at once.
        places: phonemes and tokens of one stream, at most. Only what is used takes memory.
    """

    def __init__(self, session: AdaptiveSession, rows: int, places: int) -> None:
        self._session = session
        self._maps = [_lazy_memory(rows * HEADS * places * HEAD * 4) for _ in range(2 * LAYERS)]
        shape = (rows, HEADS, places, HEAD)
        self._arrays = [np.frombuffer(memory, np.float32).reshape(shape) for memory in self._maps]
        self._bindings: dict[tuple[int, int], _Binding] = {}  # by session and rows
        self._wasted = 0
        self._touched = [0] * rows  # places written since the row's memory was last given back
        self.holders: list[Holder] = []  # by row

    @property
    def memory_bytes(self) -> int:
        """What is in use; rows nobody holds were given back."""
        return sum(self._touched) * PLACE_BYTES

    def take(self, holder: Holder, caches: Sequence[Array]) -> None:
        """Give a row, filled with what the prefill computed: 48 arrays float32 [1, 16, n, 32].

        Raises:
            Overloaded: If every row is taken.
        """
        row = len(self.holders)
        if row == len(self._touched):
            raise Overloaded("all rows of the voice are taken")
        holder.row, holder.length = row, caches[0].shape[2]
        for array, filled in zip(self._arrays, caches, strict=True):
            array[row, :, : holder.length] = filled[0]
        self._touched[row] = holder.length
        self.holders.append(holder)

    def give_back(self, holder: Holder) -> None:
        """Free a row and its memory; the last row moves into the hole."""
        assert holder.row is not None
        last = self.holders.pop()
        if last is not holder:
            self._move(last, holder.row)
        holder.row = None
        self._release(len(self.holders))

    def run(self, holders: Sequence[Holder], tokens: Sequence[int], positions: Sequence[int]) -> Array:
        """One pass over the weights: each holder's token at its position; logits float32 [n, 1025].

        The pass covers the rows up to the highest of these. Rows between that wait compute what is thrown away: they
        write behind their length, where their next step writes over it.
        """
        self._bring_together(holders)
        rows = [holder.row for holder in holders if holder.row is not None]
        with self._session.chosen() as session:
            return self._run(self._binding(session, max(rows) + 1), rows, tokens, positions)

    def _run(self, binding: _Binding, rows: list[int], tokens: Sequence[int], positions: Sequence[int]) -> Array:
        binding.lengths[:] = [waiting.length for waiting in self.holders[: binding.rows]]
        binding.total[...] = binding.lengths.max() + 1
        binding.tokens[rows, 0] = tokens
        binding.positions[rows, 0] = positions
        for row, length in enumerate(binding.lengths.tolist()):
            self._touched[row] = max(self._touched[row], length + 1)
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
                self._swap(waiting[0], rows[-1])

    def _move(self, holder: Holder, row: int) -> None:
        for array in self._arrays:
            array[row, :, : holder.length] = array[holder.row, :, : holder.length]
        self._touched[row] = max(self._touched[row], holder.length)
        holder.row = row
        self.holders[row] = holder

    def _swap(self, row: int, other: int) -> None:
        places = max(self.holders[row].length, self.holders[other].length)
        for array in self._arrays:
            array[[row, other], :, :places] = array[[other, row], :, :places]
        touched = max(self._touched[row], self._touched[other])
        self._touched[row] = self._touched[other] = touched
        self.holders[row], self.holders[other] = self.holders[other], self.holders[row]
        self.holders[row].row, self.holders[other].row = row, other

    def _release(self, row: int) -> None:
        """Return the pages of a row that nobody holds to the system."""
        row_bytes = self._arrays[0][0].nbytes
        if hasattr(mmap, "MADV_DONTNEED"):
            for memory in self._maps:
                memory.madvise(mmap.MADV_DONTNEED, row * row_bytes, row_bytes)
            self._touched[row] = 0

    def _binding(self, session: ort.InferenceSession, rows: int) -> _Binding:
        key = (id(session), rows)
        if key not in self._bindings:
            self._bindings[key] = _Binding(session, self._arrays, rows)
        return self._bindings[key]


def _lazy_memory(size: int) -> mmap.mmap:
    """Zeroed memory whose pages exist once they are written, small ones: numpy asks for pages of 2 MB, which would
    fill a row's unused places too."""
    memory = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory


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
