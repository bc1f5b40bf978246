"""What fails, or kills the process, at the n-th call to the file system, and at the n-th byte of a file."""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable

# Whatever asks the file system for something that can fail.
CALLS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod", "shutil.copyfile", "disk"}


class Trap:
    """Lets the first calls through and does something at the next one."""

    def __init__(self) -> None:
        self.act: Callable[[], None] | None = None
        self.root = ""
        self.left = 0

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.act is None or event not in CALLS or not str(arguments[0]).startswith(self.root):
            return
        if event == "open" and not self._writes(arguments):
            return
        self.left -= 1
        if self.left < 0:
            act, self.act = self.act, None
            act()

    @staticmethod
    def _writes(arguments: tuple[object, ...]) -> bool:
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


TRAP = Trap()
sys.addaudithook(TRAP)


def in_a_child(act: Callable[[], object]) -> int:
    """The exit status of a process of its own that does it; 1: it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child only touches files
        child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def with_room_for(file_bytes: int) -> None:
    """From now on no file of this process grows beyond that: the write that would fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
