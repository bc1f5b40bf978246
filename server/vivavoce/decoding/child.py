"""The decoder process: frames in on standard input, frames out on standard output.

Before it reads a byte it takes its own rights away: memory, descriptors and files are limited, and no core is dumped.
For each recording it gets some seconds of processor time; who uses more is ended by the kernel. It knows no network
and no file. Started by `process.py`; nothing of the server may import it.
"""

from __future__ import annotations

import ctypes
import json
import resource
import sys
from pathlib import Path
from typing import BinaryIO

from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import AudioDecoder, DecodingRules
from vivavoce.decoding.frames import HEADER, MAX_FRAME_BYTES, pack, unpack_header
from vivavoce.errors import InvalidAudio

MAX_DESCRIPTORS = 16
_PR_SET_NO_NEW_PRIVS = 38  # of Linux' prctl


def run() -> None:
    """The program: its arguments are those of `main`."""
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))


def main(memory_bytes: int, cpu_s: float, cpu_share: float) -> None:
    """Serve until standard input ends.

    Args:
        memory_bytes: address space beyond what the program itself takes.
        cpu_s: processor time for one recording.
        cpu_share: further time for each second of sound that came of it: a live stream has no end.
    """
    _confine(memory_bytes)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    decoder: AudioDecoder | None = None
    begun_s = 0.0
    while (frame := _next_frame(requests)) is not None:
        kind, content = frame
        try:
            if kind in (b"B", b"X") and decoder is not None:
                decoder.close()
                decoder = None
            if kind == b"B":
                begun_s = _used_s()
                decoder = _begun(content)
                _limit_time(begun_s + cpu_s)
                answers.write(_whole(decoder))
            elif decoder is not None:
                _limit_time(begun_s + cpu_s + cpu_share * decoder.duration_s)
                _send(answers, decoder.decode(content) if kind == b"D" else decoder.flush())
                answers.write(_whole(decoder))
        except Exception as error:  # whatever a stranger's bytes lead to, it is this recording's end and no more
            answers.write(_refusal(error))
            if decoder is not None:
                decoder.close()
                decoder = None
        answers.flush()


def _next_frame(requests: BinaryIO) -> tuple[bytes, bytes] | None:
    header = requests.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, length = unpack_header(header)
    content = requests.read(length)
    return (kind, content) if len(content) == length else None


def _begun(content: bytes) -> AudioDecoder:
    wish = json.loads(content)
    rules = wish["rules"]
    return AudioDecoder(wish["sample_rate"], DecodingRules(**rules | {"containers": tuple(rules["containers"])}))


def _send(answers: BinaryIO, samples: Samples) -> None:
    data = samples.tobytes()
    for start in range(0, len(data), MAX_FRAME_BYTES):
        answers.write(pack(b"S", data[start : start + MAX_FRAME_BYTES]))


def _whole(decoder: AudioDecoder) -> bytes:
    return pack(b"A", json.dumps({"sample_rate": decoder.sample_rate, "duration_s": decoder.duration_s}).encode())


def _refusal(error: Exception) -> bytes:
    message = (
        error.message if isinstance(error, InvalidAudio) else f"the file cannot be decoded ({type(error).__name__})"
    )
    return pack(b"R", json.dumps({"message": message}).encode())


def _confine(memory_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory_bytes)
    _limit(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, value))


def _used_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _limit_time(until_s: float) -> None:
    """The kernel ends this process at the next full second of processor time."""
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(until_s) + 1, hard))
