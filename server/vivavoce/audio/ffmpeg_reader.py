"""Reads what needs a codec, through FFmpeg: MP3, AAC, FLAC, Vorbis, Opus and AMR in their containers.

FFmpeg pulls, our callers push: a thread does FFmpeg's reading and rests wherever it wants bytes that are not there yet,
so one thread runs at a time and the same bytes always give the same samples, however they were cut. What a header
claims is looked at before a frame is decoded; what comes out is looked at again, frame by frame. Opened by
`decoders.py`, in a process of its own wherever the bytes are a stranger's.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterator
from typing import Protocol

import av
import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.containers import CONTAINERS, Container
from vivavoce.audio.downmix import Downmix
from vivavoce.audio.sound_source import Acceptance, SoundFormat, UnreadableSound

Block = tuple[Samples, int]  # float32 [n], rate in Hz

BUFFER_BYTES = 4096  # FFmpeg asks for no more at once: a live stream is heard as it comes
BLOCK_S = 0.5  # of a whole file: frames of 20 ms are handed on together
MAX_BAD_PACKETS = 200  # in a row: the rest is taken for damaged

# No more than this is read to find out what is in a file, and no codec outside the list is opened for it.
_OPTIONS = {
    "codec_whitelist": ",".join(sorted(set().union(*(c.codecs for c in CONTAINERS.values())))),
    "probesize": str(1 << 20),
    "analyzeduration": "500000",  # microseconds; more only delays the first sound of a stream
    "max_streams": "16",
}
_SCALE = {"f4": 1.0, "f8": 1.0, "i2": 2.0**15, "i4": 2.0**31}


class Readable(Protocol):
    """A file, or what looks like one; it may also have `seek`."""

    def read(self, size: int = ..., /) -> bytes: ...


def read_blocks(file: Readable, container: Container, accept: Acceptance) -> Iterator[Block]:
    """Samples of the first audio stream, mono, frame by frame.

    Raises:
        UnreadableSound: If it cannot be decoded.
    """
    try:
        with av.open(
            file,
            "r",
            format=container.name,
            container_options=_OPTIONS,
            metadata_errors="replace",
            buffer_size=BUFFER_BYTES,
        ) as opened:
            if not opened.streams.audio:
                raise UnreadableSound("holds no sound")
            yield from _frames(opened, opened.streams.audio[0], container, accept)
    except av.FFmpegError as error:
        raise UnreadableSound(f"cannot be decoded: {error.strerror}") from error
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise UnreadableSound(f"cannot be decoded ({type(error).__name__})") from error


def _frames(
    opened: av.container.InputContainer, stream: av.AudioStream, container: Container, accept: Acceptance
) -> Iterator[Block]:
    """Mono samples, one frame at a time."""
    context = stream.codec_context
    if context is None:  # FFmpeg knows the container, but no codec that is opened here
        raise UnreadableSound("is in a codec that is not read here")
    heard = SoundFormat(container.name, context.name, int(context.sample_rate or 0), int(context.channels))
    accept(heard)
    context.thread_count = 1
    downmix = Downmix()
    for frame in _decoded(opened.demux(stream)):
        found = SoundFormat(heard.container, heard.codec, int(frame.sample_rate), frame.layout.nb_channels)
        if found != heard:  # another stream was chained on, or the header lied
            accept(found)
            heard = found
        yield _mono(frame, downmix), heard.sample_rate


def _decoded(packets: Iterator[av.Packet[av.AudioStream]]) -> Iterator[av.AudioFrame]:
    """Frames of all packets. A damaged packet costs its own sound; where the file itself breaks off, the sound ends."""
    bad, sounded = 0, False
    while bad < MAX_BAD_PACKETS:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            if sounded:
                return
            raise
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            continue
        bad, sounded = 0, sounded or bool(frames)
        yield from frames
    if not sounded:
        raise UnreadableSound("cannot be decoded: nothing in it is whole")


def _mono(frame: av.AudioFrame, downmix: Downmix) -> Samples:
    """The channels as `Downmix` puts them together: FFmpeg's own mix adds 3 dB."""
    values = frame.to_ndarray()  # [channels, n] where planar, else [1, n * channels]
    planes = values if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels).T
    return downmix.mix(planes.astype(np.float32) / np.float32(_SCALE[values.dtype.str[1:]]))


def _joined(frames: Iterator[Block]) -> Iterator[Block]:
    held: list[Samples] = []
    count = rate = 0
    for samples, frame_rate in frames:
        if held and (frame_rate != rate or count > BLOCK_S * rate):
            yield np.concatenate(held), rate
            held, count = [], 0
        rate = frame_rate
        held.append(samples)
        count += len(samples)
    if held:
        yield np.concatenate(held), rate


class WholeFileReader:
    """For containers that may have to be read from their end: keeps the bytes until all are here."""

    def __init__(self, container: Container, accept: Acceptance) -> None:
        self._container, self._accept = container, accept
        self._file = io.BytesIO()

    def read(self, data: bytes) -> Iterator[Block]:
        self._file.write(data)
        yield from ()

    def end(self) -> Iterator[Block]:
        self._file.seek(0)
        return _joined(read_blocks(self._file, self._container, self._accept))

    def close(self) -> None:
        self._file = io.BytesIO()


class PushedReader:
    """For containers that are read from front to back: what can be decoded of the bytes so far comes out at once."""

    def __init__(self, container: Container, accept: Acceptance) -> None:
        self._mouth = _Mouth()
        self._blocks: list[Block] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, args=(container, accept), name="ffmpeg-reader", daemon=True)
        self._thread.start()
        self._mouth.wait_until_hungry()

    def read(self, data: bytes) -> Iterator[Block]:
        if data:
            self._mouth.feed(data)
        return self._come()

    def end(self) -> Iterator[Block]:
        self._mouth.feed(b"")
        return self._come()

    def close(self) -> None:
        self._mouth.feed(b"")
        self._thread.join()

    def _come(self) -> Iterator[Block]:
        came, self._blocks = self._blocks, []
        yield from _joined(iter(came))
        if self._error is not None:
            raise self._error

    def _work(self, container: Container, accept: Acceptance) -> None:
        try:
            for block in read_blocks(self._mouth, container, accept):
                self._blocks.append(block)
        except Exception as error:  # it belongs to whoever feeds
            self._error = error
        finally:
            self._mouth.close()


class _Mouth:
    """The file that FFmpeg reads: empty until somebody feeds it. Exactly one of the two threads runs at a time."""

    def __init__(self) -> None:
        self._given: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._hungry: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._held = memoryview(b"")
        self._ended = self._closed = False

    def feed(self, data: bytes) -> None:
        """More bytes, b"" for the end; returns when all of it is eaten."""
        if not self._closed:
            self._given.put(data)
            self._hungry.get()

    def wait_until_hungry(self) -> None:
        self._hungry.get()

    def read(self, size: int = -1) -> bytes:
        if not self._held and not self._ended:
            self._hungry.put(None)
            data = self._given.get()
            self._held, self._ended = memoryview(data), not data
        taken = bytes(self._held[:size] if size >= 0 else self._held)
        self._held = self._held[len(taken) :]
        return taken

    def close(self) -> None:
        """Called by the reading thread, last of all."""
        self._closed = True
        self._hungry.put(None)
