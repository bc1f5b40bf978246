"""Threads share heaps, told in processes of their own: what is set here lasts as long as the process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from vivavoce.machine.heap import HEAPS, share_heaps

GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

# Twelve threads that live at once and allocate: prints how many heaps they were given, as malloc_info(3) tells.
HEAPS_OF_TWELVE_THREADS = """
import ctypes, os, re, tempfile, threading
from vivavoce.machine.heap import share_heaps

{before}
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
together = threading.Barrier(12)

def allocate():
    together.wait()
    library.malloc(100_000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
with tempfile.TemporaryDirectory() as folder:
    library.fopen.restype = ctypes.c_void_p
    told = ctypes.c_void_p(library.fopen(os.fsencode(folder + "/told"), b"w"))
    library.malloc_info(0, told)
    library.fclose(told)
    print(len(re.findall("<heap nr", open(folder + "/told").read())))
"""

SERVE_WITHOUT_A_KEY = """
import contextlib
from vivavoce.cli.main import main

with contextlib.suppress(SystemExit):
    main(["serve", "--host", "0.0.0.0"])
"""


def heaps(before: str) -> int:
    script = HEAPS_OF_TWELVE_THREADS.format(before=before)
    environ = {name: value for name, value in os.environ.items() if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")}
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environ)
    return int(ran.stdout)


@pytest.mark.skipif(not GLIBC, reason="glibc alone gives threads heaps of their own")
def test_threads_share_heaps() -> None:
    assert heaps("share_heaps(environ={})") <= HEAPS
    assert heaps("pass") > HEAPS


@pytest.mark.skipif(not GLIBC, reason="glibc alone gives threads heaps of their own")
def test_a_server_shares_them_before_its_threads_begin() -> None:
    """One that ends for want of a key has come far enough."""
    assert heaps(SERVE_WITHOUT_A_KEY) <= HEAPS


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_who_has_set_the_allocator_up_is_left_alone(name: str) -> None:
    assert not share_heaps(environ={name: "8"})


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_nothing_happens(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert not share_heaps(environ={})


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not share_heaps(environ={})
