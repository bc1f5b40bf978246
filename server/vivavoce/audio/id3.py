"""Skips the ID3 tags in front of a recording: they may hold pictures of many megabytes, and no sound.

MP3 files have them, and so have AAC segments of web radio, and FLAC and WAV files that were tagged like MP3. What is
skipped is not kept. Source: https://id3.org/id3v2.4.0-structure, 3.1 and 3.4. Called by `decoders.py` before it looks
for a container.
"""

from __future__ import annotations

_MAGIC = b"ID3"
_HEADER_BYTES = 10
_HAS_FOOTER = 0x10  # of the flags: the header once more, at the end


class TagSkipper:
    """Bytes in, in pieces of any length; out come those behind the tags.

    Attributes:
        found: there was a tag.
    """

    def __init__(self) -> None:
        self.found = False
        self._held = b""
        self._left = 0  # bytes of the present tag
        self._is_past = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return what is sound or may be."""
        if self._is_past:
            return data
        data = self._held + data
        self._held = b""
        while True:
            skipped = min(self._left, len(data))
            self._left, data = self._left - skipped, data[skipped:]
            if self._left or not data:
                return b""
            if not _MAGIC.startswith(data[:3]):
                self._is_past = True
                return data
            if len(data) < _HEADER_BYTES:
                self._held = data
                return b""
            self.found = True
            self._left = _length(data)

    def flush(self) -> bytes:
        """The recording is over: what could have become a tag."""
        held, self._held = self._held, b""
        return held


def _length(tag: bytes) -> int:
    """Bytes of a tag, from its header: seven bits of each byte count."""
    size = 0
    for byte in tag[6:_HEADER_BYTES]:
        size = size << 7 | byte & 0x7F
    return _HEADER_BYTES + size + (_HEADER_BYTES if tag[5] & _HAS_FOOTER else 0)
