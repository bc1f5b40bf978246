"""Pictures of every kind that people send, read by the reader of this machine in its own process."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vivavoce.hosted.captions import InvalidPicture, look_at
from vivavoce.hosted.pictures import PictureReader

SIDEWAYS = 6  # of the EXIF field that says how a camera was held


@pytest.fixture
async def reader() -> AsyncIterator[PictureReader]:
    reader = PictureReader()
    yield reader
    await reader.aclose()


def written() -> Image.Image:
    image = Image.new("RGB", (500, 100), "white")
    ImageDraw.Draw(image).text((20, 20), "HELLO WORLD", font=ImageFont.load_default(size=48), fill="black")
    return image


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def on_glass() -> Image.Image:
    """Black letters on nothing."""
    image = Image.new("RGBA", (500, 100), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), mask=written().convert("L").point(lambda value: 255 - value))
    return image


def sideways() -> bytes:
    held = Image.Exif()
    held[0x0112] = SIDEWAYS
    return saved(written().rotate(90, expand=True), "JPEG", exif=held.tobytes())


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(written().convert("L")).astype(np.uint16) * 257)


PICTURES: dict[str, Callable[[], bytes]] = {
    "four inks": lambda: saved(written().convert("CMYK"), "JPEG"),
    "grey": lambda: saved(written().convert("L"), "JPEG"),
    "progressive": lambda: saved(written(), "JPEG", progressive=True),
    "sideways": sideways,
    "with an archive behind it": lambda: saved(written(), "JPEG") + b"PK\x03\x04" + b"x" * 100,
    "palette": lambda: saved(written().convert("P"), "PNG"),
    "one bit": lambda: saved(written().convert("1"), "PNG"),
    "16 bits": lambda: saved(sixteen_bits(), "PNG"),
    "on glass": lambda: saved(on_glass(), "PNG"),
    "animated": lambda: saved(written(), "WEBP", save_all=True, append_images=[Image.new("RGB", (500, 100), "red")]),
}


async def test_text_is_read_whatever_the_picture_is(reader: PictureReader) -> None:
    """One reader for all: it is a second's work to start one."""
    read: dict[str, str] = {}
    for kind, make in PICTURES.items():
        data = make()
        look_at(data)
        (found,) = await reader.read("ocr", data)
        read[kind] = "".join(found["generated_text"].split())
    assert read == dict.fromkeys(PICTURES, "HELLOWORLD")


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def test_what_is_no_picture_ends_no_reader(reader: PictureReader) -> None:
    for data in [
        png(7000, 7000, bytes(100)),  # says far more than it has
        saved(written(), "PNG")[:400],
        b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10" + b"GIF89a" * 40,
        b"RIFF\x20\x00\x00\x00WEBPVP8X" + bytes(40),
    ]:
        look_at(data)
        with pytest.raises(InvalidPicture):
            await reader.read("ocr", data)
    (found,) = await reader.read("ocr", saved(written(), "PNG"))
    assert "HELLO" in found["generated_text"]
