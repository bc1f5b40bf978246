"""Ends what is left of a Ray cluster when its tests have ended, however they ended: they may have been killed.

    python ray_reaper.py FOLDER MARK < PIPE

Waits until the other end of the pipe is closed, which it is when the tests' process is gone. Then it ends every process
that has MARK in its environment, itself excepted, and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 10.0  # for what is still writing into the folder


def marked(mark: str) -> list[int]:
    """Processes that have it in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # gone, or somebody else's
            continue
    return [pid for pid in found if pid != os.getpid()]


def reap(folder: str, mark: str) -> None:
    """End them, and remove the folder."""
    end_s = time.monotonic() + PATIENCE_S
    while (left := marked(mark)) and time.monotonic() < end_s:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    reap(sys.argv[1], sys.argv[2])
