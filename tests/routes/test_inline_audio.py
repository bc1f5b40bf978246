"""Base64 in JSON, taken out piece by piece."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import InvalidRequest
from vivavoce.routes.inline_audio import LONG, Base64Reader, InlineAudio, holds_base64

SOUND = bytes(range(256)) * 40


def split(body: bytes, *, step: int = 1 << 16) -> tuple[bytes, Any, bool]:
    inline = InlineAudio(1 << 16)
    sound = b"".join(part for k in range(0, len(body), step) for part in inline.feed(body[k : k + step]))
    return sound, json.loads(bytes(inline.json)), inline.has_sound


@given(st.integers(1, 300), st.binary(min_size=LONG, max_size=LONG + 9), st.booleans(), st.booleans())
def test_however_it_is_cut(step: int, sound: bytes, escaped: bool, urlsafe: bool) -> None:
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(sound).decode()
    body = json.dumps({"model": 'a"b\\', "input_audio": {"format": "wav", "data": text}, "language": "é"})
    if escaped:
        body = body.replace("/", "\\/").replace("A", "A\\n", 3)
    found, rest, has_sound = split(body.encode(), step=step)
    assert has_sound
    assert found == sound
    assert rest == {"model": 'a"b\\', "input_audio": {"format": "wav", "data": ""}, "language": "é"}


def test_a_long_text_under_another_name_stays_a_text() -> None:
    body = json.dumps({"prompt": "長" * 5000, "inputs": base64.b64encode(SOUND).decode()})
    found, rest, _ = split(body.encode())
    assert found == SOUND
    assert rest["prompt"] == "長" * 5000


@pytest.mark.parametrize("text", ["?" * 9000, "AAAA" * 2000 + "=" + "AAAA" * 2000, "A" * 9001, "\\u0041" * 2000])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(InvalidRequest):
        split(b'{"inputs": "' + text.encode() + b'"}')


def test_two_recordings_are_one_too_many() -> None:
    text = base64.b64encode(SOUND)
    with pytest.raises(InvalidRequest, match="two recordings"):
        split(b'{"inputs": "' + text + b'", "data": "' + text + b'"}')


@given(st.binary(max_size=300), st.integers(1, 20))
def test_no_bytes_raise_anything_else(body: bytes, step: int) -> None:
    inline = InlineAudio(1 << 16)
    try:
        for k in range(0, len(body), step):
            list(inline.feed(body[k : k + step]))
    except InvalidRequest:
        return
    assert bytes(inline.json) == body[: len(inline.json)]


@given(st.integers(1, 300), st.binary(min_size=1, max_size=900), st.booleans())
def test_base64_alone_however_it_is_cut(step: int, sound: bytes, padded: bool) -> None:
    text = b"data:audio/wav;base64," + base64.b64encode(sound)
    text = text if padded else text.rstrip(b"=")
    reader = Base64Reader()
    head = max(step, 30)  # the first piece holds the whole head
    pieces = [text[:head], *(text[at : at + step] for at in range(head, len(text), step))]
    assert b"".join(map(reader.feed, pieces)) + reader.flush() == sound


@pytest.mark.parametrize(
    ("head", "is_text"),
    [
        (base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"), True),
        (b"data:;base64,AAAA", True),
        (b"data:audio/mp3;base64,AAAA", True),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00", False),
        (b"#!AMR\n" + b"a" * 40, False),
        (b"hello there, this is no recording", False),
        (b"a" * 400, False),
        (b"AAA=", False),
        (b"", False),
    ],
)
def test_a_recording_written_as_text_is_told_from_one(head: bytes, is_text: bool) -> None:
    assert holds_base64(head) is is_text
