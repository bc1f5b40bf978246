"""A sound as one file on its way: in memory while it is small, then on disk, and never over a limit.

For answers whose header states the true length, so that nothing of them can leave before their end. Written by the
encoders in threads; read piece by piece. Knows no format.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from vivavoce.errors import Overloaded, SoundTooLong

IN_MEMORY = 1 << 20
MOST_BYTES = 256 << 20  # 46 minutes of 48 kHz wav
PIECE_BYTES = 3 << 16  # whole groups of base64
RETRY_AFTER_S = 10.0  # a full disk is not emptied at once


class Spool:
    """The file that an encoder writes while nothing of it may leave yet.

    Args:
        most_bytes: it may have.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by `close`

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes) -> int:
        """As a file does.

        Raises:
            SoundTooLong: If there is too much of it.
            Overloaded: If the disk has no room.
        """
        if self._file.tell() + len(data) > self._most_bytes:
            raise SoundTooLong(self._most_bytes)
        try:
            return self._file.write(data)
        except OSError as error:
            raise Overloaded("the server has no room for the file now", retry_after_s=RETRY_AFTER_S) from error

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As a file does."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """As a file does."""
        return self._file.read(size)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.seek(0, 2)

    def pieces(self) -> Iterator[bytes]:
        """All of it, from the beginning."""
        self._file.seek(0)
        while piece := self._file.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        """Nothing is left of it; any number of times."""
        self._file.close()
