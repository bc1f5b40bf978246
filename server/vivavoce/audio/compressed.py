"""The formats that need a codec: mp3, opus, aac and flac by FFmpeg, ogg (Vorbis) by libsndfile.

Knows codecs and their containers and when a page or packet may leave. Opened only through `encoders.open_encoder()`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import ClassVar

import av
import soundfile

from vivavoce.audio.chunk import Samples
from vivavoce.audio.ffmpeg_threads import without_threads
from vivavoce.audio.resample import Resampler
from vivavoce.audio.samples import guard, to_pcm16
from vivavoce.audio.spool import Spool


@dataclass(frozen=True, slots=True)
class Codec:
    """How FFmpeg writes one format.

    Attributes:
        container, codec: FFmpeg's names.
        media_type: Content-Type.
        sample_format: what the codec takes; flt and fltp are the same bytes for one channel.
        rates: Hz the codec knows, rising; empty where it knows all.
        bits_per_s: of a stream at 24 kHz, growing with the square root of the rate; 0 where the codec is lossless.
        codec_options: FFmpeg's options for the codec.
        streamed: FFmpeg's options for the container of a stream whose length is unknown when it begins.
        exact: the same where it is written at the end; None where the container never states a length.
    """

    container: str
    codec: str
    media_type: str
    sample_format: str
    rates: tuple[int, ...] = ()
    bits_per_s: int = 0
    codec_options: Mapping[str, str] = field(default_factory=dict)
    streamed: Mapping[str, str] = field(default_factory=dict)
    exact: Mapping[str, str] | None = None


MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

CODECS: Mapping[str, Codec] = MappingProxyType({
    # Each frame decodes by itself without the bit reservoir, and leaves one frame earlier. LAME's quality 7 takes half
    # the time of its default 5 and gives the same waveform error on speech. A Xing header would state the length.
    "mp3": Codec(
        "mp3", "libmp3lame", "audio/mpeg", "fltp", MPEG_RATES, 64_000,
        codec_options={"reservoir": "0", "compression_level": "7"},
        streamed={"write_xing": "0", "id3v2_version": "0"},
        exact={"write_xing": "1", "id3v2_version": "0"},
    ),
    # One page for each 20 ms packet: 8 % larger than a page a second, and no packet waits for its page to fill.
    # Complexity 5 of 10 takes a third of the time.
    "opus": Codec(
        "ogg", "libopus", "audio/ogg; codecs=opus", "flt", (8_000, 12_000, 16_000, 24_000, 48_000), 48_000,
        codec_options={"compression_level": "5"},
        streamed={"page_duration": "20000"},
    ),
    # The fast coder takes a third of the time of two-loop search and gives the same waveform error on speech.
    "aac": Codec("adts", "aac", "audio/aac", "fltp", MPEG_RATES, 64_000, codec_options={"aac_coder": "fast"}),
    # Level 2 is the highest with blocks of 27 ms: 2 % larger than level 5 with its 105 ms.
    "flac": Codec(
        "flac", "flac", "audio/flac", "s16",
        codec_options={"compression_level": "2"},
        streamed={"metadata_header_padding": "0"},
        exact={"metadata_header_padding": "0"},
    ),
})  # fmt: skip


class FFmpegEncoder:
    """One of `CODECS`, written packet by packet; a rate the codec does not know is raised to the next it does.

    Raises:
        KeyError: If `name` is none of `CODECS`.
    """

    def __init__(self, name: str, sample_rate: int, *, exact_sizes: bool = False, spool: Spool | None = None) -> None:
        codec = CODECS[name]
        without_threads()
        self.name = name
        self.media_type = codec.media_type
        self.is_light = False
        self.sample_rate = sample_rate
        self.stream_rate = next((rate for rate in codec.rates if rate >= sample_rate), sample_rate)
        self._resampler = Resampler(sample_rate, self.stream_rate)
        self._sample_format = codec.sample_format
        self._position = 0  # samples given to the codec
        # FFmpeg goes back to write the length where the file can seek, so exact sizes need only such a file.
        exact = codec.exact if exact_sizes else None
        self._sink: _Sink | _WholeFile | _OnSpool
        if exact is None:
            self._sink = _Sink()
        else:
            self._sink = _WholeFile() if spool is None else _OnSpool(spool)
        options = {"flush_packets": "1", **(codec.streamed if exact is None else exact)}
        self._container = av.open(self._sink, "w", format=codec.container, options=options)
        stream = self._container.add_stream(codec.codec, self.stream_rate, dict(codec.codec_options), layout="mono")
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        self._stream.format = codec.sample_format
        if codec.bits_per_s:
            self._stream.bit_rate = round(codec.bits_per_s * (self.stream_rate / 24_000) ** 0.5)
        self._container.start_encoding()

    def encode(self, samples: Samples) -> bytes:
        self._feed(self._resampler.process(guard(samples).samples))
        return self._sink.take()

    def flush(self) -> bytes:
        self._feed(self._resampler.flush())
        if self._position:  # a codec that was given nothing has nothing to end with, and some fail when asked
            self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take_rest()

    def _feed(self, samples: Samples) -> None:
        if not len(samples):
            return
        data = to_pcm16(samples) if self._sample_format == "s16" else samples
        frame = av.AudioFrame.from_ndarray(data[None], self._sample_format, "mono")
        frame.sample_rate = self.stream_rate
        frame.pts, frame.time_base = self._position, Fraction(1, self.stream_rate)
        self._position += len(samples)
        self._container.mux(self._stream.encode(frame))


class VorbisEncoder:
    """Ogg Vorbis by libsndfile: FFmpeg's own Vorbis encoder is stereo only and marked experimental.

    libsndfile lets a page leave once it holds 4 KiB and has no switch for it, so the quality is set where speech fills
    a page in less than half a second (0.3 to 0.6 s, the first one the slowest).
    """

    name = "ogg"
    media_type = "audio/ogg; codecs=vorbis"
    is_light = False

    COMPRESSION: ClassVar[float] = 0.2  # 0 best .. 1 smallest
    BLOCK: ClassVar[int] = (
        24_000  # samples libvorbis gets at once: it takes them onto the stack, and a minute overflows it
    )

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = self.stream_rate = sample_rate
        self._sink = _OggFile()
        self._file = soundfile.SoundFile(
            self._sink, "w", sample_rate, 1, "VORBIS", format="OGG", compression_level=self.COMPRESSION
        )

    def encode(self, samples: Samples) -> bytes:
        guarded = guard(samples).samples
        for at in range(0, len(guarded), self.BLOCK):
            self._file.write(guarded[at : at + self.BLOCK])
        return self._sink.take()

    def flush(self) -> bytes:
        self._file.close()
        return self._sink.take_rest()


class _Sink:
    """The file a library believes it writes; keeps only what has not been taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        out = bytes(self._held)
        self._held.clear()
        return out

    def take_rest(self) -> bytes:
        """Return what is left at the end of the stream."""
        return self.take()


class _OggFile(_Sink):
    """For libsndfile, which asks where the end is before it writes, but never goes back in an Ogg stream."""

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def write(self, data: bytes) -> int:
        self._written += len(data)
        return super().write(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._written

    def tell(self) -> int:
        return self._written


class _WholeFile(io.BytesIO):
    """Keeps everything until the end, because FFmpeg goes back to complete the header."""

    def take(self) -> bytes:
        return b""

    def take_rest(self) -> bytes:
        return self.getvalue()


class _OnSpool:
    """The same in a place of the caller's, who reads it there."""

    def __init__(self, spool: Spool) -> None:
        self.write, self.seek, self.tell, self.read = spool.write, spool.seek, spool.tell, spool.read

    def take(self) -> bytes:
        return b""

    def take_rest(self) -> bytes:
        return b""
