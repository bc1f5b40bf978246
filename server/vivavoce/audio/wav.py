"""Reads WAV files without a codec library: the header, then plain numbers.

A WAV that is still being written has no length yet and says 0 or the largest number there is; its sound goes on to the
end of the bytes. A length that is longer than the file means a file that was cut: what is there is read. Fields that
contradict each other are refused. Knows nothing of limits; opened by `decoders.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator

from vivavoce.audio.chunk import Samples
from vivavoce.audio.pcm import BYTES_PER_SAMPLE, PcmReader, SampleFormat
from vivavoce.audio.sound_source import Acceptance, SoundFormat, UnreadableSound

MAX_FORMAT_BYTES = 1024  # a `fmt ` chunk has 16 to 40
SKIP_BYTES = 1 << 16
_EXTENSIBLE = 0xFFFE

# (format tag, bits) -> how a sample is written.
_FORMATS: dict[tuple[int, int], SampleFormat] = {
    (1, 8): "u8",
    (1, 16): "s16",
    (1, 24): "s24",
    (1, 32): "s32",
    (3, 32): "f32",
    (3, 64): "f64",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}


class WavReader:
    """The bytes of one file, in pieces of any length, to samples at the file's own rate.

    Args:
        accept: told what the header says before a sample is read.
    """

    def __init__(self, accept: Acceptance) -> None:
        self._accept = accept
        self._held = bytearray()
        self._header = self._read_header()
        self._wanted = next(self._header)  # bytes the header's next step takes
        self._pcm: PcmReader | None = None
        self._sample_rate = 0
        self._left: int | None = None  # bytes of sound still to come; None: until the file ends
        self._in_sound = False

    def read(self, data: bytes) -> Iterator[tuple[Samples, int]]:
        """Yield (float32 [n], rate in Hz)."""
        if not self._in_sound:
            self._held += data
            while not self._in_sound and len(self._held) >= self._wanted:
                taken = bytes(self._held[: self._wanted])
                del self._held[: self._wanted]
                self._wanted = self._header.send(taken)
            if not self._in_sound:
                return
            data = bytes(self._held)
            self._held.clear()
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        assert self._pcm is not None
        samples = self._pcm.read(data)
        if len(samples):
            yield samples, self._sample_rate

    def end(self) -> Iterator[tuple[Samples, int]]:
        """What is mixed together waited; a file that ends inside its header holds no sound."""
        if not self._in_sound or self._pcm is None:
            raise UnreadableSound("ends before its sound begins")
        samples = self._pcm.flush()
        if len(samples):
            yield samples, self._sample_rate

    def close(self) -> None:
        self._header.close()

    def _read_header(self) -> Generator[int, bytes, None]:
        """Yields how many bytes it wants next and is sent them; the sound begins where it says so."""
        riff = yield 12
        if riff[8:] != b"WAVE":
            raise UnreadableSound("is a RIFF file, but not WAV")
        whole = struct.unpack_from("<I", riff, 4)[0]
        held = b""  # of the next chunk's name
        while True:
            name, size = struct.unpack("<4sI", held + (yield 8 - len(held)))
            held = b""
            if name == b"data":
                self._begin_sound(size, whole)
                yield 0
            if name == b"fmt ":
                if not 16 <= size <= MAX_FORMAT_BYTES:
                    raise UnreadableSound(f"has a format chunk of {size} bytes")
                self._read_format((yield size))
            left = 0 if name == b"fmt " else size
            while left:
                left -= len((yield min(left, SKIP_BYTES)))
            if size % 2:
                padding = yield 1
                held = b"" if padding == b"\0" else padding  # some leave it out; a name has no zeros

    def _read_format(self, chunk: bytes) -> None:
        tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
        if tag == _EXTENSIBLE and len(chunk) >= 26:
            tag = struct.unpack_from("<H", chunk, 24)[0]
        name = _FORMATS.get((tag, (bits + 7) // 8 * 8))  # 20 bits are written as 24
        self._accept(SoundFormat("wav", f"pcm_{name}" if name else f"tag {tag:#06x}, {bits} bits", rate, channels))
        assert name is not None  # only what begins with "pcm_" is accepted
        if block != BYTES_PER_SAMPLE[name] * channels:
            raise UnreadableSound(f"contradicts itself: {channels} channels of {bits} bits in blocks of {block} bytes")
        self._pcm, self._sample_rate = PcmReader(name, channels), rate

    def _begin_sound(self, size: int, whole: int) -> None:
        """Args: the lengths that the sound and the whole file claim."""
        if self._pcm is None:
            raise UnreadableSound("has its sound before its format")
        unknown = size >= 0x7FFFF000 or size == 0
        self._left = None if unknown else size
        self._in_sound = True
