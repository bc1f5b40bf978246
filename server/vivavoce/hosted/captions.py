"""Pictures into words: what may be sent to a model elsewhere, and the wished part of what it answers.

A picture is looked at before it leaves: by what its bytes say, not its name, and by its number of pixels. Only headers
are read, nothing is decoded. Pure; called by `routes/hosted.py` and the command line.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from vivavoce.errors import HostedModelFailed, InvalidRequest

MAX_PIXELS = 50_000_000  # a 50 megapixel camera; beyond it a few bytes may stand for gigabytes
MAX_SEGMENTS = 1000  # of a JPEG before its picture


class InvalidPicture(InvalidRequest):
    """The picture cannot be used."""

    code = "invalid_image"

    def __init__(self, message: str, *, param: str = "input_image") -> None:
        super().__init__(message, param=param)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's header says.

    Attributes:
        width, height: pixels.
    """

    media_type: str
    width: int
    height: int


def look_at(data: bytes, *, param: str = "input_image") -> Picture:
    """The kind and size of a JPEG, PNG or WebP.

    Raises:
        InvalidPicture: If it is none of these, is cut off, or has no or too many pixels.
    """
    try:
        picture = _read(data)
    except (struct.error, IndexError):
        raise InvalidPicture("the picture is cut off", param=param) from None
    if picture is None:
        raise InvalidPicture("the picture must be a JPEG, a PNG or a WebP", param=param)
    if not 0 < picture.width * picture.height <= MAX_PIXELS:
        size = f"{picture.width} x {picture.height}"
        raise InvalidPicture(f"the picture has {size} pixels; at most {MAX_PIXELS:,} are taken", param=param)
    return picture


def wished(answer: Any, desired_output: str | None) -> Any:
    """The part of a model's answer that was asked for.

    Args:
        answer: JSON: a list of objects, or one object.
        desired_output: a field's name; None: everything.

    Returns:
        Of a list, `{field: value}` of each object that has the field; of one object, the bare value.

    Raises:
        HostedModelFailed: If the answer has no such field.
    """
    if desired_output is None:
        return answer
    if isinstance(answer, list):
        found = [{desired_output: o[desired_output]} for o in answer if isinstance(o, dict) and desired_output in o]
        if found:
            return found
    elif isinstance(answer, dict) and desired_output in answer:
        return answer[desired_output]
    raise HostedModelFailed("the model's answer has no field of the name in desired_output", param="desired_output")


def _read(data: bytes) -> Picture | None:
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        if data[12:16] != b"IHDR":
            return None
        return Picture("image/png", *struct.unpack_from(">II", data, 16))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _jpeg(data: bytes) -> Picture | None:
    """Source: ITU-T T.81, B.1: segments of a marker and a length, up to the frame header that holds the size."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        if data[at] == 0xFF and data[at + 1] == 0xFF:  # a fill byte
            at += 1
            continue
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0xD8, 0xD9, 0xDA):
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Picture("image/jpeg", width, height)
        at += 2
        if not (marker == 0x01 or 0xD0 <= marker <= 0xD7):  # those have no length
            at += max(2, struct.unpack_from(">H", data, at)[0])
    return None


def _webp(data: bytes) -> Picture | None:
    """Source: RFC 9649, sections 2.5 to 2.7: lossy, lossless, extended."""
    kind = data[12:16]
    if kind == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            return None
        width, height = struct.unpack_from("<HH", data, 26)
        return Picture("image/webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Picture("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        width, height = struct.unpack("<I", data[24:27] + b"\0")[0], struct.unpack("<I", data[27:30] + b"\0")[0]
        return Picture("image/webp", width + 1, height + 1)
    return None
