"""FFmpeg without threads of its own: a stream of speech is encoded in a millisecond, by the thread that asks for it.

PyAV sends every frame for a codec through a filter graph, and FFmpeg gives each graph a thread a core, up to sixteen,
and keeps them as long as the stream: a hundred listeners on a large machine are sixteen hundred threads that do
nothing. PyAV has no switch for it, FFmpeg has one for the whole process. Called where a codec is opened.
"""

from __future__ import annotations

import ctypes
import functools

import av.frame


@functools.cache
def without_threads() -> None:
    """Whatever FFmpeg opens from now on in this process works in its caller's thread.

    Where the symbol cannot be found (Windows looks into no library's own libraries) all stays as it is.

    Source: FFmpeg, libavutil/cpu.h, `av_cpu_force_count`.
    """
    force_count = getattr(ctypes.CDLL(av.frame.__file__), "av_cpu_force_count", None)
    if force_count is not None:
        force_count(1)
