"""The process that reads pictures: `python -m vivavoce.hosted.picture_child`, pictures in, JSON out.

Each picture and each answer is a length of four bytes and so many bytes. The process takes its own rights away before
it reads one: memory and descriptors are limited, no core is dumped. Started by `pictures.py`.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import struct
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2 << 30  # beyond what the program itself takes; a picture of 50 megapixels needs 0.6 GB
MAX_DESCRIPTORS = 32
MAX_LINES = 1000
THREADS = 1  # the other cores speak
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    reader = _reader()
    _confine()
    name = f"rapidocr {version('rapidocr')}"
    while len(header := sys.stdin.buffer.read(4)) == 4:
        image = sys.stdin.buffer.read(struct.unpack("<I", header)[0])
        try:
            answer = {**_words(reader(_pixels(image))), "model": name}
        except Exception as error:  # whatever a stranger's bytes lead to, it is this picture's end and no more
            answer = {"error": type(error).__name__}
        data = json.dumps(answer).encode()
        answers.write(struct.pack("<I", len(data)) + data)
        answers.flush()


def _reader() -> Any:
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": THREADS}
    return RapidOCR(params={"Global.log_level": "critical", **threads})


def _pixels(image: bytes) -> Any:
    """uint8 [height, width, 3], blue first, upright, on white: what the reader's own loader takes for grey, for
    transparent or for nothing (four inks, 16 bits) is text all the same.
    """
    import numpy as np
    from PIL import Image, ImageOps

    picture: Any = ImageOps.exif_transpose(Image.open(io.BytesIO(image), formats=("JPEG", "PNG", "WEBP")))
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def _words(found: Any) -> dict[str, Any]:
    """The lines of a picture from top to bottom, as the reader found them."""
    lines = list(zip(found.txts or (), found.scores or (), strict=True))[:MAX_LINES]
    return {
        "generated_text": "\n".join(text for text, _ in lines),
        "lines": [{"text": text, "score": round(float(score), 3)} for text, score in lines],
    }


def _confine() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for what, value in [
        (resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, MAX_DESCRIPTORS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ]:
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))
    os.nice(5)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    main()
