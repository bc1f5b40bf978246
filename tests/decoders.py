"""Decoders that this project did not write, behind one call each: bytes of a format to float32 [n] samples.

libsndfile (for FLAC it calls the reference decoder), FFmpeg through PyAV, Python's `wave`, and FAAD2. Used by the tests
of the encoders and of every route that answers with audio.
"""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tempfile
import wave
from dataclasses import dataclass

import av
import numpy as np
import soundfile

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import EMPTY


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a decoder heard: float32 [n] of one channel, and its rate in Hz."""

    samples: Samples
    sample_rate: int


def decode_with_ffmpeg(data: bytes) -> Decoded:
    """Decode any format but bare PCM."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = [_first_channel(frame) for frame in container.decode(audio=0)]
        return Decoded(np.concatenate([EMPTY, *frames]), container.streams.audio[0].rate)


def decode_with_libsndfile(data: bytes) -> Decoded:
    """Decode any format but bare PCM and AAC.

    The samples are asked of libsndfile in one call: soundfile's own `read()` first makes room for the length in the
    header, and a streamed FLAC has none.
    """
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        room = np.zeros(min(file.frames, 60 * file.samplerate), np.float32)
        pointer = soundfile._ffi.cast("float*", room.ctypes.data)
        count: int = soundfile._snd.sf_readf_float(file._file, pointer, len(room))
        assert count < 60 * file.samplerate, "no test is that long"
        return Decoded(room[:count], file.samplerate)


def decode_with_wave(data: bytes) -> Decoded:
    """Decode a WAV file as Python's standard library does, which takes the sizes in the header at their word."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return Decoded(decode_pcm(file.readframes(file.getnframes())), file.getframerate())


def decode_with_faad(data: bytes, sample_rate: int) -> Decoded:
    """Decode AAC with FAAD2, Debian's package `faad`.

    FAAD2 expects spectral band replication in every stream of a low rate and answers with twice the rate and two
    channels; both are undone here. It swallows the first frame, which holds only the codec's delay.
    """
    with tempfile.NamedTemporaryFile(suffix=".aac") as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["faad", "-q", "-w", file.name], capture_output=True, check=True, timeout=30)
    channels, file_rate = struct.unpack_from("<HI", done.stdout, 22)  # of a WAV header of 44 bytes
    return Decoded(decode_pcm(done.stdout[44:])[:: channels * file_rate // sample_rate], sample_rate)


def has_faad() -> bool:
    """Whether Debian's `faad` is installed."""
    return shutil.which("faad") is not None


def decode_pcm(data: bytes) -> Samples:
    """16-bit little-endian bytes to float32 [n]."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768.0)


def _first_channel(frame: av.AudioFrame) -> Samples:
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, frame.layout.nb_channels).T
    scale = {"f4": 1.0, "i2": 2.0**15, "i4": 2.0**31}[array.dtype.str[1:]]
    samples: Samples = (array[0] / scale).astype(np.float32)
    return samples
