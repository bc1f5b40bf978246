"""Keys and values of all streams of a voice, in memory that the decode step writes in place.

For each of 24 layers keys and values float32 [rows, 16, places, 32]. A stream holds a row; its first `length` places
are valid and a step writes place `length`. Rows in use are 0 .. n-1 without holes, because a graph runs over a prefix
of the rows. Not safe for threads; `model.py` holds a lock around it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.shape import HEAD, HEADS, LAYERS
from vivavoce.errors import Overloaded

Array = NDArray[np.float32]

PLACE_BYTES = 2 * LAYERS * HEADS * HEAD * 4  # 98 KB for every phoneme and token


class Holder(Protocol):
    """A stream that holds a row."""

    row: int | None
    length: int


class KeyValueCache:
    """The rows of one voice.

    Args:
        rows: streams at once.
        places: phonemes and tokens of one stream, at most. Only what is used takes memory.

    Attributes:
        arrays: keys and values of each layer in turn.
        holders: who holds which row.
    """

    def __init__(self, rows: int, places: int) -> None:
        self.places = places
        self._maps = [_lazy_memory(rows * HEADS * places * HEAD * 4) for _ in range(2 * LAYERS)]
        shape = (rows, HEADS, places, HEAD)
        self.arrays = [np.frombuffer(memory, np.float32).reshape(shape) for memory in self._maps]
        self._touched = [0] * rows  # places written since the row's memory was last given back
        self.holders: list[Holder] = []

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
        for array, filled in zip(self.arrays, caches, strict=True):
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

    def touch(self, holders: Iterable[Holder]) -> None:
        """A step is about to write the next place of their rows."""
        for holder in holders:
            assert holder.row is not None
            self._touched[holder.row] = max(self._touched[holder.row], holder.length + 1)

    def swap(self, row: int, other: int) -> None:
        """Exchange two rows."""
        places = max(self.holders[row].length, self.holders[other].length)
        for array in self.arrays:
            array[[row, other], :, :places] = array[[other, row], :, :places]
        touched = max(self._touched[row], self._touched[other])
        self._touched[row] = self._touched[other] = touched
        self.holders[row], self.holders[other] = self.holders[other], self.holders[row]
        self.holders[row].row, self.holders[other].row = row, other

    def _move(self, holder: Holder, row: int) -> None:
        for array in self.arrays:
            array[row, :, : holder.length] = array[holder.row, :, : holder.length]
        self._touched[row] = max(self._touched[row], holder.length)
        holder.row = row
        self.holders[row] = holder

    def _release(self, row: int) -> None:
        """Return the pages of a row that nobody holds to the system."""
        row_bytes = self.arrays[0][0].nbytes
        if hasattr(mmap, "MADV_DONTNEED"):
            for memory in self._maps:
                memory.madvise(mmap.MADV_DONTNEED, row * row_bytes, row_bytes)
            self._touched[row] = 0


def _lazy_memory(size: int) -> mmap.mmap:
    """Zeroed memory whose pages exist once they are written, small ones: numpy asks for pages of 2 MB, which would
    fill a row's unused places too."""
    memory = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    return memory
