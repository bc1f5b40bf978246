"""What is special to single formats; what all share is in `conformance/test_audio_encoders.py`."""

from __future__ import annotations

import io
import subprocess
import sys
import wave

import numpy as np
import pytest

from decoders import decode_pcm, decode_with_libsndfile, decode_with_wave
from vivavoce.audio.chunk import Samples
from vivavoce.audio.encoders import FORMATS, open_encoder
from vivavoce.errors import UnsupportedFormat

RATE = 24_000


def noise(length: int) -> Samples:
    return np.random.default_rng(5).uniform(-0.9, 0.9, length).astype(np.float32)


def test_unknown_formats_are_named_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedFormat) as failure:
        open_encoder("wma", RATE)
    assert failure.value.message == "unsupported format 'wma'; known: mp3, opus, aac, flac, wav, pcm, ogg"


def test_media_types_are_the_registered_ones() -> None:
    assert dict(FORMATS) == {
        "mp3": "audio/mpeg",
        "opus": "audio/ogg; codecs=opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm",
        "ogg": "audio/ogg; codecs=vorbis",
    }


def test_streamed_wav_has_unknown_sizes_and_sends_its_header_with_the_first_samples() -> None:
    encoder = open_encoder("wav", RATE)
    first = encoder.encode(noise(100))
    assert len(first) == 44 + 200
    assert first[:4] == b"RIFF"
    assert first[4:8] == first[40:44] == b"\xff\xff\xff\xff"
    assert len(encoder.encode(noise(100))) == 200
    assert encoder.flush() == b""
    with pytest.raises((wave.Error, EOFError)):  # the reason why exact sizes exist
        decode_with_wave(first[:4] + b"\xff\xff\xff\xff" + first[8:20] + b"\0" * 24)


def test_exact_wav_opens_in_the_standard_library() -> None:
    said = noise(12_345)
    encoder = open_encoder("wav", RATE, exact_sizes=True)
    assert encoder.encode(said[:5000]) + encoder.encode(said[5000:]) == b""
    data = encoder.flush()
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (12_345, RATE, 1)
    np.testing.assert_allclose(decode_with_wave(data).samples, said, atol=0.5001 / 32768)


def test_pcm_is_little_endian_and_clipped() -> None:
    encoder = open_encoder("pcm", RATE)
    assert encoder.encode(np.array([0.5, 2.0, -2.0], np.float32)) == b"\x00\x40\xff\x7f\x00\x80"


def test_wav_and_pcm_hold_the_same_samples() -> None:
    said = noise(999)
    np.testing.assert_array_equal(
        decode_pcm(open_encoder("wav", RATE).encode(said)[44:]), decode_pcm(open_encoder("pcm", RATE).encode(said))
    )


def test_mp3_starts_with_a_frame_of_sound_and_holds_no_xing_header() -> None:
    encoder = open_encoder("mp3", RATE)
    data = encoder.encode(noise(RATE)) + encoder.flush()
    assert data[0] == 0xFF  # eleven set bits begin a frame
    assert data[1] >> 5 == 0b111
    assert b"Xing" not in data
    assert b"Info" not in data
    assert not data.startswith(b"ID3")


def test_opus_pages_carry_the_position_of_their_last_sample() -> None:
    encoder = open_encoder("opus", RATE)
    data = encoder.encode(noise(RATE)) + encoder.flush()
    head = data.index(b"OpusHead")
    pre_skip = int.from_bytes(data[head + 10 : head + 12], "little")
    last_page = data.rindex(b"OggS")
    granule = int.from_bytes(data[last_page + 6 : last_page + 14], "little")
    assert data[last_page + 5] & 4, "the last page says that it is the last"
    assert granule - pre_skip == 48_000  # RFC 7845, section 4: counted at 48 kHz whatever the input was


def test_aac_is_a_row_of_adts_frames() -> None:
    encoder = open_encoder("aac", RATE)
    data = encoder.encode(noise(RATE)) + encoder.flush()
    at = 0
    while at < len(data):
        assert data[at] == 0xFF  # twelve set bits begin a frame
        assert data[at + 1] >> 4 == 0xF
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    assert at == len(data)


def test_flac_sends_its_header_at_once_and_does_not_pad_it() -> None:
    encoder = open_encoder("flac", RATE)
    first = encoder.encode(noise(2400))
    assert first[:4] == b"fLaC"
    assert len(first) < 2400 * 2.2
    assert len(decode_with_libsndfile(first + encoder.flush()).samples) == 2400


IN_A_SMALL_STACK = """
import sys, threading
import numpy as np
from vivavoce.audio.encoders import open_encoder

def encode():
    encoder = open_encoder(sys.argv[1], 48_000)
    encoder.encode(np.full(1_000_000, 0.1, np.float32))
    encoder.flush()

threading.stack_size(1 << 20)
thread = threading.Thread(target=encode)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("format", FORMATS)
def test_a_chunk_of_a_slow_sentence_does_not_overflow_the_stack(format: str) -> None:
    """Some codecs put all they get on the stack; an overflow ends the process and everybody's speech with it."""
    ended = subprocess.run([sys.executable, "-c", IN_A_SMALL_STACK, format], capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_rate_no_mp3_has_is_raised_to_the_next() -> None:
    assert [open_encoder("mp3", rate).stream_rate for rate in (8000, 8001, 30_000, 48_000)] == [
        8000,
        11_025,
        32_000,
        48_000,
    ]
