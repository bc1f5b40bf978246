"""Where a command writes what it made: a file, standard output, or a player."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivavoce.errors import VivaVoceError


class UnwritableFile(VivaVoceError):
    """The file cannot be written; the sentence says which and why."""

    code = "unwritable_file"


class Output:
    """A file (written beside and renamed when whole), standard output, or a player's input."""

    def __init__(self, path: Path | None, player: tuple[str, ...] | None) -> None:
        self._path = path
        self._process = subprocess.Popen(player, stdin=subprocess.PIPE) if player else None
        self._part = path.with_name(f".{path.name}.part") if path else None
        with self._telling_why():
            self._file = self._part.open("wb") if self._part else None
        self.name = str(path) if path else player[0] if player else "standard output"

    def write(self, data: bytes) -> None:
        if self._file is not None:
            with self._telling_why():
                self._file.write(data)
        elif self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(data)
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def finish(self) -> None:
        """The speech is whole: the file takes its name."""
        if self._file is not None and self._part is not None and self._path is not None:
            with self._telling_why():
                self._file.close()
                self._part.replace(self._path)

    def close(self) -> None:
        if self._file is not None and self._part is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    @contextmanager
    def _telling_why(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableFile(f"cannot write {self._path}: {error.strerror}") from error
