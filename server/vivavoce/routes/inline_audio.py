"""A recording written as base64, in a JSON body or alone: decoded while it arrives, so that nobody ever holds it whole.

In JSON, strings longer than anything else in such a body go to a file, decoded; what is left is small and is read like
every other body. Pure but for the file it is given; fed by `uploads.py`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vivavoce.audio.containers import sniff
from vivavoce.errors import InvalidRequest, PayloadTooLarge

BASE64_HEAD_BYTES = 512  # what tells base64: a data address, or the head of a container
LONG = 4096  # characters of a string that is taken out
_NAME_BYTES = 64
_NAMED = re.compile(  # what holds sound
    rb'"(?:data|inputs|input_audio|audio|file|content|base64|audio_base64|audio_data|audio_content|audio_file)"\s*:\s*"$'
)
_PREFIX = re.compile(rb"data:[\w.+/-]{0,80}(?:;[\w=.+-]{0,80}){0,4};base64,|data:;base64,")
SOUND_NAMES = ("inputs", "input_audio", "file", "audio", "audio_base64", "audio_data", "audio_content", "data")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ALPHABET = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_ESCAPES = ((b"\\/", b"/"), (b"\\n", b""), (b"\\r", b""))  # what writers of JSON do to base64


class Base64Reader:
    """Bytes of a base64 text that comes in pieces: with the head of a data address, line breaks, either alphabet."""

    def __init__(self) -> None:
        self._begun = False
        self._rest = b""  # characters that wait for their fourth
        self._ended = False  # padding was seen

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; the first one holds the whole head.

        Raises:
            InvalidRequest: If it is no base64.
        """
        if not self._begun:
            self._begun, piece = True, _PREFIX.sub(b"", piece, count=1)
        characters = self._rest + piece
        whole = len(characters) - characters.endswith(b"\\")  # an escape cut in two waits for its other half
        characters, self._rest = characters[:whole], characters[whole:]
        for escape, meant in _ESCAPES:
            characters = characters.replace(escape, meant)
        characters = b"".join(characters.split()).translate(_URL_SAFE)
        whole = len(characters) // 4 * 4
        block, self._rest = characters[:whole], characters[whole:] + self._rest
        if block and self._ended:
            raise _no_base64()
        self._ended = block.endswith(b"=")
        return _decoded(block, last=False)

    def flush(self) -> bytes:
        """The last group, which may lack its padding."""
        rest, self._rest = self._rest, b""
        return _decoded(rest, last=True)


def holds_base64(head: bytes) -> bool:
    """Whether a file that begins so is a recording written as base64, and not one itself.

    Args:
        head: its first BASE64_HEAD_BYTES, or all.
    """
    if _PREFIX.match(head):
        return True
    plain = b"".join(head.split())
    if len(plain) < 24 or _ALPHABET.fullmatch(plain) is None:
        return False
    return sniff(_decoded(plain[: len(plain) // 4 * 4].translate(_URL_SAFE), last=True)) is not None


class InlineAudio:
    """Splits a JSON text into sound and the rest.

    Args:
        max_json_bytes: of the rest.

    Attributes:
        json: the rest so far, the sound's string empty.
        has_sound: whether a long string was found.
    """

    def __init__(self, max_json_bytes: int) -> None:
        self.json = bytearray()
        self.has_sound = False
        self._max_json_bytes = max_json_bytes
        self._in_string = False
        self._escaped = False  # the last byte was a backslash
        self._head = bytearray()  # of a string that may become long
        self._is_sound = False
        self._base64 = Base64Reader()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take a piece of the body, yield sound.

        Raises:
            InvalidRequest: If the long string is no base64, or there are two.
            PayloadTooLarge: If the rest is too long.
        """
        place = 0
        while place < len(data):
            if not self._in_string:
                quote = data.find(b'"', place)
                end = len(data) if quote < 0 else quote + 1
                self._keep(data[place:end])
                self._in_string, place = quote >= 0, end
            else:
                piece, place, closed = self._string_piece(data, place)
                yield from self._string(piece)
                if closed:
                    yield from self._close()

    def short(self, text: str) -> bytes:
        """Sound that was too short to be told from the rest: the base64 of a field."""
        data = _PREFIX.sub(b"", text.encode("ascii", "replace"), count=1)
        return _decoded(b"".join(data.split()).translate(_URL_SAFE), last=True)

    def _string_piece(self, data: bytes, place: int) -> tuple[bytes, int, bool]:
        """Up to the end of the string, or of the data."""
        end = place
        while end < len(data):
            if self._escaped:
                self._escaped = False
                end += 1
                continue
            quote, slash = data.find(b'"', end), data.find(b"\\", end)
            if slash >= 0 and (quote < 0 or slash < quote):
                self._escaped = True
                end = slash + 1
            elif quote >= 0:
                return data[place:quote], quote + 1, True
            else:
                end = len(data)
        return data[place:], len(data), False

    def _string(self, piece: bytes) -> Iterator[bytes]:
        if self._is_sound:
            yield self._base64.feed(piece)
            return
        self._head += piece
        if len(self._head) > LONG and _NAMED.search(self.json[-_NAME_BYTES:]):
            if self.has_sound:
                raise InvalidRequest("the body holds two recordings; send one")
            self._is_sound = self.has_sound = True
            head, self._head = bytes(self._head), bytearray()
            yield self._base64.feed(head)
        elif len(self._head) > self._max_json_bytes:
            raise PayloadTooLarge(self._max_json_bytes)

    def _close(self) -> Iterator[bytes]:
        if self._is_sound:
            yield self._base64.flush()
            self._is_sound = False
        self._keep(bytes(self._head) + b'"')
        self._head.clear()
        self._in_string = False

    def _keep(self, data: bytes) -> None:
        self.json += data
        if len(self.json) > self._max_json_bytes:
            raise PayloadTooLarge(self._max_json_bytes)


def _decoded(block: bytes, *, last: bool) -> bytes:
    """Whole groups of four characters; the last one may lack its padding."""
    if last:
        block = block.translate(_URL_SAFE)
        block += b"=" * (-len(block) % 4)
    try:
        return base64.b64decode(block, validate=True)
    except binascii.Error:
        raise _no_base64() from None


def _no_base64() -> InvalidRequest:
    return InvalidRequest("the recording must be written in base64")


def short_sound(fields: Mapping[str, Any]) -> str:
    """The base64 of a recording that was too short to be told from the rest of the JSON.

    Raises:
        InvalidRequest: If there is none.
    """
    for name in SOUND_NAMES:
        value = fields.get(name)
        if isinstance(value, Mapping):  # OpenAI's input_audio, Google's audio
            value = value.get("data") or value.get("content") or value.get("base64")
        if isinstance(value, str) and value:
            return value
    raise InvalidRequest("the body holds no recording: `input_audio.data` or `inputs`, in base64", param="file")
