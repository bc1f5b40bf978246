"""Samples in, bytes of one audio format out, as they come: one `AudioEncoder` for each format of the HTTP contract.

Knows formats, nothing of HTTP or engines. Called by the transports and the command line. Every encoder takes float32
[n] in chunks of any length, returns what is finished, and owes the rest to `flush()`. None opens a file or a thread;
one that is dropped without `flush()` leaves nothing behind.

    format  container, codec      rates of the stream      held back at 24 kHz
    mp3     none, LAME            8..48 kHz, nine of them  100 ms
    opus    Ogg, libopus          heard at 48 kHz          30 ms (60 ms where resampled)
    aac     ADTS, AAC-LC          8..48 kHz, nine of them  130 ms
    flac    FLAC                  any                      27 ms
    wav     RIFF, 16 bit          any                      nothing
    pcm     none, 16 bit          any                      nothing
    ogg     Ogg, libvorbis        any                      one page of 4 KiB: 0.3 to 0.6 s

MP3 and ADTS streams cannot say how much of their first frame is the codec's own delay, so they decode to 1024..2304
samples more than was put in; all others decode to the very number of samples.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.audio.compressed import CODECS, FFmpegEncoder, VorbisEncoder
from vivavoce.audio.samples import guard, to_pcm16
from vivavoce.audio.spool import Spool
from vivavoce.audio.telephone import TelephoneEncoder
from vivavoce.errors import UnsupportedFormat


class AudioEncoder(Protocol):
    """Encodes one mono stream. Use it once: `encode()` any number of times, then `flush()`.

    Attributes:
        name: `response_format` on the wire.
        media_type: Content-Type.
        sample_rate: Hz of the samples it takes.
        stream_rate: Hz of the stream it writes; differs where the codec does not know `sample_rate`.
        is_light: a second of samples takes far below a millisecond, and so does the end; others want a thread.
    """

    name: str
    media_type: str
    sample_rate: int
    stream_rate: int
    is_light: bool

    def encode(self, samples: Samples) -> bytes:
        """Take float32 [n], return what is finished of the stream, possibly nothing."""

    def flush(self) -> bytes:
        """Return the end of the stream. Nothing may be encoded after it."""


def open_encoder(
    format: str, sample_rate: int, *, exact_sizes: bool = False, spool: Spool | None = None
) -> AudioEncoder:
    """Start a stream.

    Args:
        format: one of `FORMATS`, or `pcmu` or `pcma`.
        sample_rate: Hz of the samples that will be given to it.
        exact_sizes: hold everything back until `flush()` so that the header can state the true length (wav, mp3,
            flac; the others state none, and stream all the same). For files; a listener wants a stream.
        spool: with `exact_sizes`, what is held back waits there and stays there; `flush()` completes it.

    Raises:
        UnsupportedFormat: If `format` is not in `FORMATS`.
    """
    match format:
        case PcmEncoder.name:
            return PcmEncoder(sample_rate)
        case "pcmu" | "pcma":  # not one of `FORMATS`: telephones and live protocols ask for it, files do not
            return TelephoneEncoder(format, sample_rate)
        case WavEncoder.name:
            return WavEncoder(sample_rate, exact_sizes=exact_sizes, spool=spool)
        case VorbisEncoder.name:
            return VorbisEncoder(sample_rate)
        case _ if format in CODECS:
            return FFmpegEncoder(format, sample_rate, exact_sizes=exact_sizes, spool=spool)
        case _:
            raise UnsupportedFormat(format, FORMATS)


class PcmEncoder:
    """Bare 16-bit little-endian samples."""

    name = "pcm"
    media_type = "audio/pcm"
    is_light = True

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = self.stream_rate = sample_rate

    def encode(self, samples: Samples) -> bytes:
        return to_pcm16(guard(samples).samples).astype("<i2", copy=False).tobytes()

    def flush(self) -> bytes:
        return b""


class WavEncoder:
    """RIFF WAVE, 16 bit. A stream's length is unknown when its header leaves, so both sizes say 0xFFFFFFFF.

    Python's `wave` and Safari refuse that; with `exact_sizes` everything waits for `flush()` and the sizes are true.
    """

    name = "wav"
    media_type = "audio/wav"

    UNKNOWN: ClassVar[int] = 0xFFFFFFFF

    def __init__(self, sample_rate: int, *, exact_sizes: bool = False, spool: Spool | None = None) -> None:
        self.sample_rate = self.stream_rate = sample_rate
        self._pcm = PcmEncoder(sample_rate)
        self._exact = exact_sizes
        self._spool = spool if exact_sizes else None
        self.is_light = not exact_sizes  # its end writes the whole of it
        # What has not left yet: every sample with exact sizes, else the header until the first samples come.
        self._held = bytearray(b"" if exact_sizes else self._header(self.UNKNOWN))
        if self._spool is not None:
            self._spool.write(self._header(self.UNKNOWN))

    def encode(self, samples: Samples) -> bytes:
        data = self._pcm.encode(samples)
        if self._spool is not None:
            self._spool.write(data)
            return b""
        self._held += data
        return b"" if self._exact else self._take()

    def flush(self) -> bytes:
        if self._spool is not None:
            size = self._spool.tell() - len(self._header(0))
            self._spool.seek(0)
            self._spool.write(self._header(size))
            return b""
        return (self._header(len(self._held)) if self._exact else b"") + self._take()

    def _take(self) -> bytes:
        out = bytes(self._held)
        self._held.clear()
        return out

    def _header(self, data_size: int) -> bytes:
        """44 bytes. Source: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"."""
        riff_size = self.UNKNOWN if data_size == self.UNKNOWN else 36 + data_size
        rate = self.stream_rate
        fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)  # PCM, mono, 16 bit
        return struct.pack("<4sI4s", b"RIFF", riff_size, b"WAVE") + fmt + struct.pack("<4sI", b"data", data_size)


TELEPHONE = ("pcmu", "pcma")  # bare codes: for live streams and whoever asks for them by name, never for files

FORMATS: Mapping[str, str] = MappingProxyType({  # format -> Content-Type
    **{name: codec.media_type for name, codec in CODECS.items()},
    WavEncoder.name: WavEncoder.media_type,
    PcmEncoder.name: PcmEncoder.media_type,
    VorbisEncoder.name: VorbisEncoder.media_type,
})  # fmt: skip
