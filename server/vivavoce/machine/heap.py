"""How the C library keeps memory that was freed: in two heaps that all threads share, not in one for each of them.

glibc gives threads heaps of their own, up to eight a core, and a heap keeps what was freed in it for the threads that
use it. Steps of some ten megabytes that wander among a dozen threads fill one heap after the other: nothing is lost,
and the process grows for hours. Threads seldom allocate at the same moment here, so sharing costs no time. Called by
the command that serves, before its threads begin; other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from typing import Final

HEAPS: Final = 2  # the main one and one more
_ARENA_MAX: Final = -8  # M_ARENA_MAX of glibc's malloc.h
_OWN_WISHES: Final = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def share_heaps(heaps: int = HEAPS, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Let threads that have allocated nothing yet share that many heaps; those that have keep theirs.

    Args:
        heaps: at least 1.
        environ: who has set the allocator up there knows better, and is left alone.

    Returns:
        True where it took effect: with glibc.
    """
    if sys.platform != "linux" or any(name in environ for name in _OWN_WISHES):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl has one heap
        return False
    return bool(library.mallopt(_ARENA_MAX, max(1, heaps)) == 1)
