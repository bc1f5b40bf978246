"""Every container gives the sound that was put in, however its bytes are cut; what lies is refused undecoded."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings import CONTAINERS, TONE_HZ, encoded, recording, tone, wav
from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import ANY_RECORDING, AudioDecoder, DecodingRules, PcmDecoder, decode_file
from vivavoce.audio.encoders import open_encoder
from vivavoce.audio.pcm import PcmReader, SampleFormat
from vivavoce.errors import InvalidAudio

RATE = 16_000


def decoded(data: bytes, sizes: Sequence[int] = (), rules: DecodingRules = ANY_RECORDING) -> Samples:
    """Decode in pieces of these sizes, again and again; in one piece where there are none."""
    with AudioDecoder(RATE, rules) as decoder:
        parts = [decoder.decode(piece) for piece in pieces(data, sizes)]
        return np.concatenate([*parts, decoder.flush()])


def pieces(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in itertools.cycle(sizes or [max(1, len(data))]):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_tone_is_heard(container: str, channels: int) -> None:
    if "amr" in container and channels == 2:
        pytest.skip("AMR has one channel")
    samples = decoded(recording(container, channels=channels))
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.06)
    middle = samples[RATE // 2 : RATE // 2 + RATE]
    assert int(np.argmax(np.abs(np.fft.rfft(middle)))) == TONE_HZ
    assert float(np.abs(middle).max()) == pytest.approx(0.3, abs=0.05), "channels are averaged, not added"


@pytest.mark.parametrize("container", CONTAINERS)
@settings(max_examples=5, deadline=None)
@given(sizes=st.lists(st.integers(20, 3000), min_size=1, max_size=5))
def test_cuts_do_not_matter(container: str, sizes: list[int]) -> None:
    data = recording(container, 0.5)
    np.testing.assert_allclose(decoded(data, sizes), decoded(data), atol=1e-6)


@pytest.mark.parametrize("container", ["wav, length unknown", "webm live", "amr", "mp4, fragments"])
def test_a_live_stream_is_heard_as_it_comes(container: str) -> None:
    data = recording(container, 4.0)
    with AudioDecoder(RATE) as decoder:
        early = decoder.decode(data[: len(data) // 4])
    assert len(early) > 0.7 * RATE


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "wav", "ogg"])
def test_what_this_server_speaks_it_also_reads(format: str) -> None:
    encoder = open_encoder(format, 24_000)
    data = encoder.encode(tone(1.0, 24_000)) + encoder.flush()
    assert len(decoded(data)) / RATE == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_wav_as_libsndfile_reads_it(subtype: str, form: str) -> None:
    out = io.BytesIO()
    samples = np.stack([tone(0.1, RATE), 0.5 * tone(0.1, RATE)], axis=1)
    soundfile.write(out, samples, RATE, format=form, subtype=subtype)
    expected, _ = soundfile.read(io.BytesIO(out.getvalue()), dtype="float32")
    np.testing.assert_allclose(decoded(out.getvalue(), [7]), expected.mean(axis=1), atol=2e-6)


def test_wav_with_other_chunks_around_its_sound() -> None:
    plain = recording("wav")
    chunk = struct.pack("<4sI", b"LIST", 5) + b"abcde\0"
    crowded = plain[:12] + chunk + plain[12:36] + chunk * 2 + plain[36:] + chunk
    np.testing.assert_array_equal(decoded(crowded, [11]), decoded(plain))


def test_wav_with_a_chunk_of_odd_length_that_is_not_padded() -> None:
    plain = recording("wav")
    crowded = plain[:12] + struct.pack("<4sI", b"LIST", 5) + b"abcde" + plain[12:]
    np.testing.assert_array_equal(decoded(crowded, [11]), decoded(plain))


def test_wav_whose_sound_has_no_length_but_the_file_has() -> None:
    samples = tone(0.5, RATE)
    data = bytearray(wav(samples, RATE))
    data[40:44] = bytes(4)
    assert len(decoded(bytes(data))) == len(samples)


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
@pytest.mark.parametrize("other", [-1.0, -0.9])
def test_channels_that_cancel_each_other_are_heard(form: str, other: float) -> None:
    """A microphone wired the wrong way round; the pauses have noises of their own."""
    random = np.random.default_rng(1)
    speech = np.concatenate([np.zeros(RATE // 2), tone(0.5, RATE), np.zeros(RATE // 2), tone(0.5, RATE)])
    channels = np.stack([speech, other * speech], axis=1) + 1e-3 * random.standard_normal((len(speech), 2))
    out = io.BytesIO()
    soundfile.write(out, channels, RATE, format=form, subtype="PCM_16")
    heard = decoded(out.getvalue(), [1000])
    np.testing.assert_array_equal(heard, decoded(out.getvalue()))
    loud = np.abs(speech) > 0
    assert np.sqrt(np.mean(heard[loud] ** 2)) > 0.85 * np.sqrt(np.mean(speech[loud] ** 2))


def test_channels_that_have_nothing_in_common_are_averaged() -> None:
    random = np.random.default_rng(2)
    channels = 0.1 * random.standard_normal((RATE, 2))
    out = io.BytesIO()
    soundfile.write(out, channels, RATE, format="WAV", subtype="FLOAT")
    np.testing.assert_allclose(decoded(out.getvalue()), channels.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("claimed", [0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFDB])
def test_wav_of_unknown_length(claimed: int) -> None:
    samples = tone(0.5, RATE)
    data = bytearray(wav(samples, RATE, claimed_bytes=claimed))
    data[4:8] = struct.pack("<I", 0xFFFFFFFF)
    assert len(decoded(bytes(data))) == len(samples)


def test_g711_is_what_libsndfile_decodes() -> None:
    codes = bytes(range(256))
    for name, subtype in (("alaw", "ALAW"), ("mulaw", "ULAW")):
        kind: SampleFormat = "alaw" if name == "alaw" else "mulaw"
        expected, _ = soundfile.read(
            io.BytesIO(codes), samplerate=8000, channels=1, format="RAW", subtype=subtype, dtype="float32"
        )
        np.testing.assert_array_equal(PcmReader(kind).read(codes), expected)


def test_bare_samples_resampled() -> None:
    decoder = PcmDecoder("mulaw", 8000, RATE)
    codes = np.full(8000, 0xFF, np.uint8).tobytes()  # silence
    out = np.concatenate([*(decoder.decode(piece) for piece in pieces(codes, [33])), decoder.flush()])
    assert len(out) == RATE
    assert not out.any()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"R", "is not WAV"),
        (b"hello, this is text", "is not WAV, FLAC, Ogg, MP3, M4A, AAC, WebM or AMR"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "is not WAV"),
        (wav(tone(0.1, RATE), RATE, 9, data=bytes(18)), "9 channels"),
        (wav(tone(0.1, RATE), RATE, 64, data=bytes(128)), "64 channels"),
        (wav(tone(0.1, RATE), RATE, 0, block=2), "0 channels"),
        (wav(tone(0.1, RATE), 384_000), "384000 Hz"),
        (wav(tone(0.1, RATE), 0), "0 Hz"),
        (wav(tone(0.1, RATE), RATE, tag=0x11, bits=4), "tag 0x0011"),
        (wav(tone(0.1, RATE), RATE, tag=0x55, bits=0), "tag 0x0055"),
        (wav(tone(0.1, RATE), RATE, block=3), "contradicts itself"),
        (wav(tone(0.1, RATE), RATE, data=b""), "holds no sound"),
        (wav(tone(0.1, RATE), RATE)[:30], "ends before its sound begins"),
        (wav(np.zeros(0, np.float32), RATE, tag=3, bits=32, data=b"\0\0\xc0\x7f" * 100), "not numbers"),
        (encoded("m4a", tone(0.5, 44_100), 6), "6 channels"),
        (encoded("flac", tone(0.5, 48_000), 6), "6 channels"),
        (b"OggS" + bytes(100), "cannot be decoded"),
        (b"fLaC" + bytes(100), "cannot be decoded"),
        (b"\x1aE\xdf\xa3" + bytes(60), "cannot be decoded"),
        (b"ID3" + bytes(300), "cannot be decoded"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(50), "cannot be decoded"),
    ],
    ids=itertools.count(),
)
def test_refused_with_a_true_sentence(data: bytes, said: str) -> None:
    with pytest.raises(InvalidAudio, match=said) as caught:
        decoded(data)
    assert caught.value.param == "file"
    assert caught.value.message.startswith("the file ")


def id3(size: int, *, claimed: int | None = None, footer: bool = False) -> bytes:
    """A tag of zeros."""
    number = size if claimed is None else claimed
    coded = bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
    tag = b"ID3\x04\0" + bytes([0x10 if footer else 0]) + coded + bytes(size)
    return tag + (b"3DI" + tag[3:10] if footer else b"")


@pytest.mark.parametrize("container", ["mp3", "aac", "flac", "wav"])
@pytest.mark.parametrize("tags", [id3(300), id3(0) + id3(70_000), id3(40, footer=True)], ids=["one", "two", "footer"])
@pytest.mark.parametrize("sizes", [(), (1, 2, 9), (1000,)])
def test_tags_in_front_are_skipped(container: str, tags: bytes, sizes: tuple[int, ...]) -> None:
    assert len(decoded(tags + recording(container), sizes)) == len(decoded(recording(container)))


def test_tags_of_many_megabytes_are_not_kept() -> None:
    tracemalloc.start()
    with AudioDecoder(RATE) as decoder:
        decoder.decode(id3(0, claimed=200 << 20))
        for _ in range(20):
            decoder.decode(bytes(1 << 20))
        with pytest.raises(InvalidAudio, match="ends before its sound begins"):
            decoder.flush()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 << 20


def test_hours_in_a_small_file_are_counted_while_decoding() -> None:
    silence = encoded("flac", np.zeros(48_000 * 120, np.float32))
    assert len(silence) < 200_000
    with pytest.raises(InvalidAudio, match="longer than 60 s"):
        decoded(silence, [1000], DecodingRules(max_s=60.0))
    with pytest.raises(InvalidAudio, match=r"longer than 5\.461 s"):
        decoded(silence, [1000], DecodingRules(max_pcm_bytes=1 << 20))


@pytest.mark.parametrize("container", CONTAINERS)
def test_half_a_file_gives_what_is_there_or_is_refused(container: str) -> None:
    data = recording(container, 6.0)
    try:
        samples = decoded(data[: len(data) // 2])
    except InvalidAudio:
        assert container.startswith(("m4a", "mp4, fragments", "3gp", "mov")), "its table of contents is gone"
    else:
        assert 1.0 * RATE < len(samples) < 3.3 * RATE


def test_streams_that_were_chained() -> None:
    first, other_codec = recording("ogg opus"), recording("ogg flac")
    assert len(decoded(first + first)) / RATE == pytest.approx(4.0, abs=0.1)
    assert len(decoded(first + other_codec)) / RATE == pytest.approx(2.0, abs=0.1), "what can be read is read"


def test_a_damaged_packet_costs_its_own_sound() -> None:
    data = bytearray(recording("mp3", 4.0))
    data[len(data) // 2 : len(data) // 2 + 500] = b"\xa5" * 500
    assert len(decoded(bytes(data))) / RATE == pytest.approx(4.0, abs=0.4)


def test_at_its_own_rate() -> None:
    with io.BytesIO(recording("m4a")) as file:
        whole = decode_file(file, None)
    assert whole.sample_rate == 44_100
    assert len(whole.samples) / 44_100 == pytest.approx(2.0, abs=0.06)


def test_only_the_containers_that_are_wanted() -> None:
    with pytest.raises(InvalidAudio, match="is not WAV or FLAC"):
        decoded(recording("mp3"), (), DecodingRules(containers=("wav", "flac")))


def test_a_decoder_that_is_left_alone_ends_its_thread() -> None:
    decoder = AudioDecoder(RATE)
    decoder.decode(recording("mp3")[:2000])
    decoder.close()
    decoder.close()
