"""Clips from outside: every container decodes to the same sound, and what lies or names other files is refused."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from synthetic_genie_data import reference_clip
from vivavoce.errors import InvalidAudio
from vivavoce.voices.clip import Clip, decode_clip, require_reference, write_wav

RATE = 48_000


def tone(seconds: float = 4.0) -> NDArray[np.float32]:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def encoded(container: str, codec: str, samples: NDArray[np.float32]) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp3", "libmp3lame"), ("ogg", "libopus"), ("webm", "libopus"), ("ipod", "aac"), ("flac", "flac")],
)
def test_containers(container: str, codec: str) -> None:
    clip = decode_clip(encoded(container, codec, tone()))
    assert clip.duration_s == pytest.approx(4.0, abs=0.06)
    spectrum = np.abs(np.fft.rfft(clip.samples[: clip.sample_rate]))
    assert int(np.argmax(spectrum)) == 220


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_decodes_to_what_soundfile_reads(tmp_path: Path, subtype: str, channels: int) -> None:
    samples = np.stack([tone(1.0)] * channels, axis=1)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype)
    expected, _ = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    clip = decode_clip(tmp_path / "a.wav")
    assert clip.sample_rate == RATE
    np.testing.assert_allclose(clip.samples, expected.mean(axis=1), atol=1e-6)


def test_what_is_written_is_what_was_decoded(tmp_path: Path) -> None:
    clip = decode_clip(reference_clip().path)
    write_wav(tmp_path / "again.wav", clip)
    again = decode_clip(tmp_path / "again.wav")
    np.testing.assert_allclose(again.samples, clip.samples, atol=1e-4)
    with wave.open(str(tmp_path / "again.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, clip.sample_rate)


PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"hello",
        PLAYLIST,
        CONCAT,
        SDP,
        b"RIFF\xff\xff\xff\x7fWAVEfmt ",
        b"fLaC" + bytes(100),
        b"OggS" + PLAYLIST,
        b"\x00\x00\x00\x18ftypM4A " + bytes(50),
        b"ID3" + bytes(300),
        b"\x1aE\xdf\xa3" + bytes(60),
    ],
    ids=range(12),
)
def test_no_sound(content: bytes) -> None:
    with pytest.raises(InvalidAudio):
        decode_clip(content)


def test_hours_in_a_small_file_are_counted_while_decoding() -> None:
    content = encoded("flac", "flac", np.zeros(RATE * 120, np.float32))
    assert len(content) < 200_000
    with pytest.raises(InvalidAudio, match="longer than 60 s"):
        decode_clip(content, max_s=60.0)


def test_a_header_that_claims_an_absurd_rate() -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(2_000_000_000)
        file.writeframes(bytes(1000))
    with pytest.raises(InvalidAudio, match="sample rate"):
        decode_clip(out.getvalue())


def test_every_truncation_decodes_or_is_refused() -> None:
    content = encoded("ogg", "libopus", tone())
    for length in range(0, len(content), len(content) // 40):
        try:
            assert decode_clip(content[:length]).duration_s <= 4.1
        except InvalidAudio:
            continue


def test_a_reference_that_is_not_a_number() -> None:
    samples = tone()
    samples[5] = np.nan
    with pytest.raises(InvalidAudio):
        require_reference(Clip(samples, RATE))
