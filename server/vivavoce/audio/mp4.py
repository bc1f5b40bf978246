"""MP4 as it comes: in fragments, as browsers record it, it is heard at once; any other is read when it is whole.

The table of contents (`moov`) says which: only that of a fragmented file holds `mvex`. Where the sound comes first, the
table comes last. Opened by `decoders.py`. Source of the layout: ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vivavoce.audio.containers import Container
from vivavoce.audio.ffmpeg_reader import Block, PushedReader, WholeFileReader
from vivavoce.audio.sound_source import Acceptance


class Mp4Reader:
    """Reads the first boxes, then leaves the file to one of FFmpeg's two readers."""

    def __init__(self, container: Container, accept: Acceptance) -> None:
        self._container, self._accept = container, accept
        self._held = bytearray()
        self._reader: WholeFileReader | PushedReader | None = None

    def read(self, data: bytes) -> Iterator[Block]:
        if self._reader is not None:
            return self._reader.read(data)
        self._held += data
        fragmented = is_fragmented(self._held)
        return iter(()) if fragmented is None else self._begin(fragmented)

    def end(self) -> Iterator[Block]:
        if self._reader is None:
            yield from self._begin(False)
        assert self._reader is not None
        yield from self._reader.end()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def _begin(self, fragmented: bool) -> Iterator[Block]:
        self._reader = (PushedReader if fragmented else WholeFileReader)(self._container, self._accept)
        held, self._held = bytes(self._held), bytearray()
        return self._reader.read(held)


def is_fragmented(head: bytes | bytearray) -> bool | None:
    """Whether an MP4 that begins so comes in fragments; None: more of it has to be seen."""
    at = 0
    while len(head) >= at + 16:
        size, name = struct.unpack_from(">I4s", head, at)
        if size == 1:
            size = struct.unpack_from(">Q", head, at + 8)[0]
        if size < 8 or name in (b"mdat", b"moof"):
            return False
        if name == b"moov":
            return b"mvex" in head[at : at + size] if len(head) >= at + size else None
        at += size
    return None
