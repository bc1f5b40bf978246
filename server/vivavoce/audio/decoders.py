"""Bytes of a recording in, samples out, as they come: the mirror of `encoders.py`.

    with AudioDecoder(16_000) as decoder:
        samples = decoder.decode(data)   # any number of times, in pieces of any length
        samples = decoder.flush()

The container is told by its first bytes, behind ID3 tags. WAV is read here, all else by FFmpeg. Before anything is
decoded the header is held against `DecodingRules`; samples are counted while they come, because a small file may hold
hours. Knows nothing of files, HTTP or processes; a stranger's bytes come here only in a process of their own
(`decoding/`).

    container       codecs                          sound begins
    WAV             plain numbers, A-law, mu-law    at once
    FLAC, MP3, AAC  their own                       after the first frames
    Ogg             Opus, Vorbis, FLAC              with the first page
    WebM, Matroska  Opus, Vorbis, AAC, MP3, FLAC,   with the first block; a length in the header is not needed
                    plain numbers
    M4A, MP4, 3GP,  AAC, MP3, FLAC, Opus, ALAC,     when the file is whole, its table may come last; of one in
    MOV             AMR, plain numbers              fragments with the first of them
    AMR             narrow and wide band            at once
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.containers import CONTAINERS, HEAD_BYTES, Container, sniff
from vivavoce.audio.ffmpeg_reader import PushedReader
from vivavoce.audio.id3 import TagSkipper
from vivavoce.audio.mp4 import Mp4Reader
from vivavoce.audio.pcm import PcmReader, SampleFormat
from vivavoce.audio.resample import EMPTY, Resampler
from vivavoce.audio.samples import guard
from vivavoce.audio.sound_source import SoundFormat, SoundReader, UnreadableSound
from vivavoce.audio.wav import WavReader
from vivavoce.errors import InvalidAudio

READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class DecodingRules:
    """What is taken from whoever sent it.

    Attributes:
        max_s: seconds of sound.
        max_pcm_bytes: the same as float32 at the recording's own rate.
        max_channels: they are averaged.
        min_rate_hz, max_rate_hz: of the recording.
        containers: FFmpeg's names of the containers that are opened.
        param: name of the request's field, for errors.
    """

    max_s: float = 600.0
    max_pcm_bytes: int = 256 << 20
    max_channels: int = 2
    min_rate_hz: int = 8_000
    max_rate_hz: int = 192_000
    containers: tuple[str, ...] = tuple(CONTAINERS)
    param: str = "file"

    @property
    def formats(self) -> str:
        """The containers in words: "WAV, FLAC or MP3"."""
        *most, last = [CONTAINERS[name].title for name in self.containers]
        return f"{', '.join(most)} or {last}" if most else last


ANY_RECORDING = DecodingRules()
LIVE_STREAM = DecodingRules(max_s=86_400.0, max_pcm_bytes=1 << 40)  # its samples leave at once: a day, and no more


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A whole recording: float32 [n], mono, and its rate in Hz."""

    samples: Samples
    sample_rate: int


class AudioDecoder:
    """Decodes one recording to mono. Use it once: `decode()` any number of times, then `flush()`; close it in any case.

    Args:
        sample_rate: Hz that come out; None: those of the recording.
        rules: limits.

    Raises:
        InvalidAudio: From any call, if the recording is none of ours, damaged or over a limit; the sentence says which.

    Attributes:
        source: what the header says, once it was read.
        duration_s: seconds of sound decoded so far, counted and not believed.
    """

    def __init__(self, sample_rate: int | None = 16_000, rules: DecodingRules = ANY_RECORDING) -> None:
        self.source: SoundFormat | None = None
        self.duration_s = 0.0
        self._rules = rules
        self._rate = sample_rate
        self._tags = TagSkipper()
        self._head = b""
        self._reader: SoundReader | None = None
        self._resampler: Resampler | None = None
        self._counted_bytes = 0

    @property
    def sample_rate(self) -> int:
        """Hz of what comes out; 0 until it is known."""
        return self._rate or (self.source.sample_rate if self.source else 0)

    def decode(self, data: bytes) -> Samples:
        """Take bytes, return float32 [n] at `sample_rate`; n may be 0."""
        if self._reader is None:
            self._head += self._tags.feed(data)
            if len(self._head) < HEAD_BYTES:
                return EMPTY
            self._reader, data, self._head = self._open(), self._head, b""
        return self._finished(self._reader.read(data))

    def flush(self) -> Samples:
        """The recording is over: return what was kept back."""
        parts = []
        if self._reader is None:
            self._head += self._tags.flush()
            self._reader = self._open()
            parts.append(self._finished(self._reader.read(self._head)))
        parts.append(self._finished(self._reader.end()))
        if self._resampler is not None:
            parts.append(self._resampler.flush())
        if not self._counted_bytes:
            raise self._refusal("holds no sound")
        return np.concatenate(parts)

    def close(self) -> None:
        """Let go of everything; any number of times."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> SoundReader:
        container = self._container(self._head)
        if container.name == "wav":
            return WavReader(self._accept)
        return (Mp4Reader if container.name == "mov" else PushedReader)(container, self._accept)

    def _container(self, head: bytes) -> Container:
        if self._tags.found and not head:
            raise self._refusal("ends before its sound begins")
        container = sniff(head) or (CONTAINERS["mp3"] if self._tags.found else None)  # some have more than tags there
        if container is None or container.name not in self._rules.containers:
            what = "is empty" if not head else f"is not {self._rules.formats}"
            raise self._refusal(what)
        return container

    def _accept(self, source: SoundFormat) -> None:
        """Hold what a header or a frame says against the rules, before it is decoded."""
        rules = self._rules
        if source.codec not in CONTAINERS[source.container].codecs:
            raise self._refusal(
                f"is {CONTAINERS[source.container].title} with '{source.codec}', which is not read here"
            )
        if not 1 <= source.channels <= rules.max_channels:
            raise self._refusal(f"has {source.channels} channels; the limit is {rules.max_channels}")
        if not rules.min_rate_hz <= source.sample_rate <= rules.max_rate_hz:
            limits = f"{rules.min_rate_hz} to {rules.max_rate_hz} Hz"
            raise self._refusal(f"has a sample rate of {source.sample_rate} Hz; {limits} are read")
        self.source = self.source or source

    def _finished(self, blocks: Iterator[tuple[Samples, int]]) -> Samples:
        """Count, guard and resample."""
        parts: list[Samples] = [EMPTY]
        try:
            for samples, rate in blocks:
                self._count(len(samples), rate)
                guarded = guard(samples)
                if guarded.unusable:
                    raise self._refusal("holds samples that are not numbers")
                parts += self._resampled(guarded.samples, rate)
        except UnreadableSound as error:
            raise self._refusal(str(error)) from error
        return np.concatenate(parts)

    def _count(self, samples: int, rate: int) -> None:
        self.duration_s += samples / rate
        self._counted_bytes += 4 * samples
        if self.duration_s > self._rules.max_s or self._counted_bytes > self._rules.max_pcm_bytes:
            limit_s = min(self._rules.max_s, self._rules.max_pcm_bytes / 4 / rate)
            raise self._refusal(f"is longer than {limit_s:.4g} s")

    def _resampled(self, samples: Samples, rate: int) -> list[Samples]:
        tail: list[Samples] = []
        if self._resampler is None or self._resampler.rate_in != rate:
            tail = [] if self._resampler is None else [self._resampler.flush()]
            self._resampler = Resampler(rate, self.sample_rate)
        return [*tail, self._resampler.process(samples)]

    def _refusal(self, what: str) -> InvalidAudio:
        return InvalidAudio(f"the file {what}", param=self._rules.param)


def decode_file(file: BinaryIO, sample_rate: int | None = 16_000, rules: DecodingRules = ANY_RECORDING) -> Decoded:
    """Decode a whole file in this process: one of our own or of the user who runs it, never one that was sent to us.

    Raises:
        InvalidAudio: As `AudioDecoder` does.
    """
    with AudioDecoder(sample_rate, rules) as decoder:
        parts = []
        while data := file.read(READ_BYTES):
            parts.append(decoder.decode(data))
        samples = np.concatenate([*parts, decoder.flush()])
        return Decoded(samples, decoder.sample_rate)


class PcmDecoder:
    """Bare samples without a container, as live streams send them: the same two calls, nothing to refuse.

    Args:
        sample_format: how a sample is written.
        stream_rate: Hz of what comes in.
        sample_rate: Hz of what goes out.
    """

    def __init__(self, sample_format: SampleFormat, stream_rate: int, sample_rate: int = 16_000) -> None:
        self.sample_rate = sample_rate
        self._pcm = PcmReader(sample_format)
        self._resampler = Resampler(stream_rate, sample_rate)

    def decode(self, data: bytes) -> Samples:
        """Take bytes, return float32 [n] at `sample_rate`."""
        return self._resampler.process(guard(self._pcm.read(data)).samples)

    def flush(self) -> Samples:
        """Return the tail."""
        return self._resampler.flush()
