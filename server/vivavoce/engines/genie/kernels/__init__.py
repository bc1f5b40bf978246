"""The parts of Genie's models that this project computes itself, in C, because they decide how many may listen.

The sources lie here and are compiled when the package is installed (`hatch_build.py`). Where there is no compiler, or
the processor lacks what a kernel is made of, ONNX Runtime does the work: `library` says so, callers choose.
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

LIBRARY = Path(__file__).with_name("_kernels.so")


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels; None where they are missing or cannot be loaded. Calls release Python's lock."""
    if not LIBRARY.exists():
        return None
    try:
        return ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        logger.warning("the native kernels cannot be loaded, ONNX Runtime does their work: %s", error)
        return None
