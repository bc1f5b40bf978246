"""Progress of long work on the command line: a bar on a terminal, a few lines in a log."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO


class ProgressBar:
    """Told `(what, fraction 0..1)`; use as a context manager, so that the line is ended whatever happens."""

    def __init__(self, label: str, out: TextIO | None = None) -> None:
        self._label, self._out = label, out or sys.stderr
        self._live = self._out.isatty()
        self._tenths = -1
        self._shown = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live and self._shown:
            print(file=self._out)

    def __call__(self, what: str, fraction: float) -> None:
        fraction = min(1.0, max(0.0, fraction))
        if self._live:
            self._draw(what, fraction)
        elif int(fraction * 10) != self._tenths:
            self._tenths = int(fraction * 10)
            print(f"{self._label}: {fraction:4.0%} {what}", file=self._out, flush=True)

    def _draw(self, what: str, fraction: float) -> None:
        filled = round(fraction * 24)
        line = f"{self._label} [{'#' * filled}{'.' * (24 - filled)}] {fraction:4.0%} {what}"
        line = line[: shutil.get_terminal_size().columns - 1]
        if line != self._shown:
            print(f"\r\033[K{line}", end="", file=self._out, flush=True)
            self._shown = line
