"""The file that the decoder's kernel maps: a line of JSON that says where each layer lies, then float32 numbers.

`preparing.decoder_weights` writes it, `kernel_decoder.py` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METHODS = 4  # ways to compute a convolution that `kernels/convolution.h` numbers: the plain one is 0
_HEADER_BYTES_MAX = 1 << 18


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """What the first line of the file says, and at which byte the numbers begin.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no such file.
    """
    with path.open("rb") as file:
        line = file.readline(_HEADER_BYTES_MAX)
    if not line.endswith(b"\n"):
        raise ValueError("it has no header")
    header: dict[str, Any] = json.loads(line)
    return header, len(line)
