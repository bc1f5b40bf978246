"""Pictures by their headers, and the wished part of an answer."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictures import picture
from vivavoce.errors import HostedModelFailed
from vivavoce.hosted.captions import MAX_PIXELS, InvalidPicture, Picture, look_at, wished


@pytest.mark.parametrize(
    ("codec", "media_type", "lossless"),
    [
        ("mjpeg", "image/jpeg", False),
        ("png", "image/png", False),
        ("libwebp", "image/webp", False),
        ("libwebp", "image/webp", True),
    ],
)
def test_a_picture_is_known_by_its_bytes(codec: str, media_type: str, lossless: bool) -> None:
    assert look_at(picture(codec, lossless=lossless)) == Picture(media_type, 320, 200)


def test_an_extended_webp_tells_its_canvas() -> None:
    header = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")
    assert look_at(header) == Picture("image/webp", 640, 480)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a\x01\x00\x01\x00", b"%PDF-1.7", b"<svg xmlns='x'/>", b"BM" + bytes(60), b"II*\0" + bytes(60)]
)
def test_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidPicture, match="must be a JPEG, a PNG or a WebP"):
        look_at(data)


@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (50_001, 1_000), (2**31 - 1, 2**31 - 1)])
def test_pixels_are_counted_before_anything_is_decoded(width: int, height: int) -> None:
    assert width * height == 0 or width * height > MAX_PIXELS
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"
    with pytest.raises(InvalidPicture, match="pixels"):
        look_at(bomb)


def test_a_picture_without_its_header_is_cut_off() -> None:
    for codec in ("mjpeg", "png", "libwebp"):
        with pytest.raises(InvalidPicture):
            look_at(picture(codec)[:18])


@pytest.mark.timeout(5)
def test_no_header_takes_long() -> None:
    for filler in (b"\xff", b"\xff\xd0", b"\xff\xe0\0\0", b"\0"):
        with pytest.raises(InvalidPicture):
            look_at(b"\xff\xd8\xff" + filler * (4 << 20))


@given(st.binary(max_size=80), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]))
def test_any_bytes_are_a_picture_or_none(rest: bytes, start: bytes) -> None:
    try:
        found = look_at(start + rest)
    except InvalidPicture:
        return
    assert 0 < found.width * found.height <= MAX_PIXELS


LIST = [{"generated_text": "two cats", "score": 1}, {"label": "x"}, "text", {"generated_text": None}]


@pytest.mark.parametrize(
    ("answer", "field", "result"),
    [
        (LIST, None, LIST),
        (LIST, "generated_text", [{"generated_text": "two cats"}, {"generated_text": None}]),
        (LIST, "label", [{"label": "x"}]),
        ({"generated_text": "a dog"}, "generated_text", "a dog"),
        ({"generated_text": "a dog"}, None, {"generated_text": "a dog"}),
        ({"n": 0}, "n", 0),
    ],
)
def test_the_wished_field_of_lists_and_objects(answer: object, field: str | None, result: object) -> None:
    assert wished(answer, field) == result


@pytest.mark.parametrize("answer", [[], [{"label": 1}], {"label": 1}, "generated_text", 7, None, [["generated_text"]]])
def test_a_field_that_is_not_there_is_told(answer: object) -> None:
    with pytest.raises(HostedModelFailed, match="no field"):
        wished(answer, "generated_text")
