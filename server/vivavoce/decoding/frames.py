"""What travels between the server and its decoder process: one letter, a length, and so many bytes.

    to the decoder      B  a recording begins (JSON: rate, rules)    D  bytes of it     E  it is over     X  drop it
    from the decoder    S  samples, float32                          A  that was all of them (JSON)
                        R  refused (JSON: message)

Each `B`, `D` and `E` is answered by any number of `S` and then one `A` or `R`; an `R` also ends the recording. Pure.
"""

from __future__ import annotations

import struct
from typing import Literal

Request = Literal[b"B", b"D", b"E", b"X"]
Answer = Literal[b"S", b"A", b"R"]

HEADER = struct.Struct("<cI")
MAX_FRAME_BYTES = 1 << 18  # of either direction; longer ones are cut by who sends them


def pack(kind: bytes, content: bytes = b"") -> bytes:
    """One frame of the pipe between the server and a decoder process: kind, length, content.

    Raises:
        ValueError: If it is longer than `MAX_FRAME_BYTES`.
    """
    if len(content) > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(content)} bytes")
    return HEADER.pack(kind, len(content)) + content


def unpack_header(header: bytes) -> tuple[bytes, int]:
    """(kind, length of what follows).

    Raises:
        ValueError: If the length is over `MAX_FRAME_BYTES`.
    """
    kind, length = HEADER.unpack(header)
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes is announced")
    return kind, length
