"""A decoded recording on disk: two hours of sound are half a gigabyte in memory, and most of it waits to be heard."""

from __future__ import annotations

import logging
import tempfile
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.errors import Overloaded

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 10.0  # a full disk is not emptied at once


class Recording:
    """Mono sound, written once and then read. Close it in any case.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._samples = 0
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by `close`

    @property
    def duration_s(self) -> float:
        """Seconds of sound."""
        return self._samples / self.sample_rate

    def append(self, samples: Samples) -> None:
        """More sound; may wait for the disk.

        Args:
            samples: float32 [n]; what is beyond +-1 is clipped.

        Raises:
            Overloaded: If the disk is full.
        """
        data = memoryview(np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16).tobytes())
        try:
            while len(data):
                data = data[self._file.write(data) :]
        except OSError as error:
            logger.error("a recording could not be kept: %s", error.strerror)
            raise Overloaded("the server has no room for the file now", retry_after_s=RETRY_AFTER_S) from error
        self._samples += len(samples)

    def sound(self) -> NDArray[np.int16]:
        """All of it, int16 [n], mapped: what is looked at is read from disk."""
        if not self._samples:
            return np.zeros(0, np.int16)
        return np.memmap(self._file, np.int16, "r", shape=(self._samples,))

    def close(self) -> None:
        """Delete it, once nobody looks at the sound. Any number of times."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
