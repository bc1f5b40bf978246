"""What every audio encoder owes its callers; a new format adds one line to `FORMAT_FACTS`."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import (
    Decoded,
    decode_pcm,
    decode_with_faad,
    decode_with_ffmpeg,
    decode_with_libsndfile,
    has_faad,
)
from vivavoce.audio.chunk import Samples
from vivavoce.audio.encoders import FORMATS, open_encoder

RATE = 24_000
SLACK = 4  # samples at 48 kHz: one of the codec's own rate, where that was reached by resampling


@dataclass(frozen=True, slots=True)
class Facts:
    """What to expect of one format.

    Attributes:
        delay: samples of codec delay that the stream cannot declare, so that decoders return them.
        padding: samples by which the last frame may be too long.
        match: lowest correlation of a sweep with what comes back.
        held_ms: sound that may be missing when everything that left so far is decoded.
    """

    delay: int
    padding: int
    match: float
    held_ms: float


FORMAT_FACTS = {
    "mp3": Facts(delay=1105, padding=1200, match=0.995, held_ms=110),
    "opus": Facts(delay=0, padding=0, match=0.99, held_ms=30),
    "aac": Facts(delay=1024, padding=1024, match=0.995, held_ms=130),
    "flac": Facts(delay=0, padding=0, match=0.99999, held_ms=30),
    "wav": Facts(delay=0, padding=0, match=0.99999, held_ms=0),
    "pcm": Facts(delay=0, padding=0, match=0.99999, held_ms=0),
    "ogg": Facts(delay=0, padding=0, match=0.995, held_ms=650),
}
LOSSLESS = ["flac", "wav", "pcm"]

each_format = pytest.mark.parametrize("format", FORMAT_FACTS)


def sweep(duration_s: float, rate: int = RATE) -> Samples:
    """Half-scale logarithmic sweep from 100 Hz to 3 kHz, faded at both ends; float32 [n]."""
    time = np.arange(round(duration_s * rate)) / rate
    growth = np.log(30.0) / duration_s
    tone = 0.5 * np.sin(2 * np.pi * 100.0 * np.expm1(growth * time) / growth)
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.02)
    faded: Samples = (tone * edge).astype(np.float32)
    return faded


def murmur(duration_s: float) -> Samples:
    """As hard to encode as speech: a buzz at 110 Hz and breath, rising and falling four times a second; float32 [n]."""
    time = np.arange(round(duration_s * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 110.0 * harmonic * time) / harmonic for harmonic in range(1, 30))
    breath = np.random.default_rng(1).normal(size=len(time))
    loudness = 0.6 + 0.4 * np.sin(2 * np.pi * 4.0 * time)
    mixed: Samples = (loudness * (0.15 * buzz + 0.02 * breath)).astype(np.float32)
    return mixed


def encode(format: str, samples: Samples, rate: int = RATE, *, step: int = 4800, exact: bool = False) -> bytes:
    """Encode in chunks of `step` samples."""
    encoder = open_encoder(format, rate, exact_sizes=exact)
    chunks = [encoder.encode(samples[at : at + step]) for at in range(0, len(samples), step)]
    return b"".join(chunks) + encoder.flush()


def decoders(format: str, rate: int = RATE) -> list[tuple[str, Callable[[bytes], Decoded]]]:
    """Two decoders for each format, neither ours."""
    if format == "pcm":
        return [("numpy", lambda data: Decoded(decode_pcm(data), rate))]  # no container: reading it is the format
    if format == "aac":
        # libsndfile has no AAC. Where Debian's faad is missing, FFmpeg alone has to do.
        faad = [("faad", lambda data: decode_with_faad(data, rate))] if has_faad() else []
        return [("ffmpeg", decode_with_ffmpeg), *faad]
    return [("ffmpeg", decode_with_ffmpeg), ("libsndfile", decode_with_libsndfile)]


def expected_lengths(format: str, length: int, decoder: str) -> range:
    """Lengths a decoder may return, in samples of the rate that was put in."""
    facts = FORMAT_FACTS[format]
    delay = 0 if decoder == "faad" else facts.delay  # faad swallows the frame of delay
    return range(length + delay, length + delay + facts.padding + 1)


def best_match(heard: Samples, said: Samples, *, max_lag: int) -> float:
    """Highest correlation over all delays of 0..max_lag samples."""
    size = 1 << int(len(heard) + len(said)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    return float(product[: max_lag + 1].max() / (np.linalg.norm(heard) * np.linalg.norm(said)))


def test_the_table_holds_every_format() -> None:
    assert set(FORMAT_FACTS) == set(FORMATS)


@each_format
def test_names_itself(format: str) -> None:
    encoder = open_encoder(format, RATE)
    assert (encoder.name, encoder.media_type) == (format, FORMATS[format])
    assert encoder.sample_rate == encoder.stream_rate == RATE


@each_format
def test_decodes_to_the_right_length(format: str) -> None:
    said = murmur(1.2345)  # fills several pages: FFmpeg misplaces the ends of a Vorbis stream of a single one
    data = encode(format, said)
    for name, decode in decoders(format):
        heard = decode(data)
        length = len(heard.samples) * RATE / heard.sample_rate
        assert length in expected_lengths(format, len(said), name), name


@each_format
def test_sounds_as_it_did(format: str) -> None:
    said = sweep(2.0)
    data = encode(format, said)
    for name, decode in decoders(format):
        heard = decode(data)
        samples = heard.samples[:: heard.sample_rate // RATE]  # FFmpeg decodes every Opus stream at 48 kHz
        match = best_match(samples, said, max_lag=2400)
        assert match >= FORMAT_FACTS[format].match, name


@each_format
@pytest.mark.parametrize("rate", [8000, 9000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 47999, 48000])
def test_takes_every_rate_the_contract_allows(format: str, rate: int) -> None:
    said = sweep(0.5, rate)
    encoder = open_encoder(format, rate)
    data = encoder.encode(said) + encoder.flush()
    assert encoder.stream_rate >= rate
    if format == "pcm":
        assert len(decode_pcm(data)) == len(said)
        return
    heard = decode_with_libsndfile(data) if format == "ogg" else decode_with_ffmpeg(data)
    facts = FORMAT_FACTS[format]
    assert heard.sample_rate == (48_000 if format == "opus" else encoder.stream_rate)
    length = len(heard.samples) - facts.delay
    exact = len(said) * heard.sample_rate / rate
    assert -SLACK <= length - exact <= facts.padding + SLACK


@each_format
def test_lets_sound_leave_while_it_comes(format: str) -> None:
    said = murmur(1.5)
    encoder = open_encoder(format, RATE)
    facts = FORMAT_FACTS[format]
    data = b""
    for at in range(0, len(said), 2400):
        data += encoder.encode(said[at : at + 2400])
        given = at + 2400
        if given < (100 + facts.held_ms) * RATE / 1000:
            continue
        heard = Decoded(decode_pcm(data), RATE) if format == "pcm" else decode_with_ffmpeg(data)
        held = given - (len(heard.samples) * RATE / heard.sample_rate - facts.delay)
        assert held <= facts.held_ms * RATE / 1000, f"after {given} samples"


@each_format
@pytest.mark.parametrize("exact", [False, True])
def test_an_empty_stream_holds_no_sound(format: str, exact: bool) -> None:
    nothing = np.zeros(0, np.float32)
    data = encode(format, nothing, exact=exact)
    encoder = open_encoder(format, RATE, exact_sizes=exact)
    assert without_serial(encoder.encode(nothing) + encoder.flush()) == without_serial(data)
    if format in ("wav", "flac", "ogg"):  # the others have no header, or one that only a first frame completes
        assert len(decode_with_ffmpeg(data).samples) == 0


@each_format
def test_a_single_sample_survives(format: str) -> None:
    data = encode(format, np.full(1, 0.25, np.float32))
    name, decode = next(pair for pair in decoders(format)[::-1] if pair[0] != "faad")
    assert len(decode(data).samples) in expected_lengths(format, 1, name)


@each_format
def test_broken_samples_reach_no_codec(format: str) -> None:
    said = sweep(0.5)
    broken = said.copy()
    broken[[10, 5000, 5001]] = [np.nan, np.inf, -np.inf]
    broken[6000:6010] = 1e30
    data = encode(format, broken)
    heard = decode_pcm(data) if format == "pcm" else decode_with_ffmpeg(data).samples
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 2.0


@each_format
def test_streams_share_nothing(format: str) -> None:
    low, high = sweep(0.5), sweep(0.5)[::-1].copy()
    alone = encode(format, low), encode(format, high)
    first, second = open_encoder(format, RATE), open_encoder(format, RATE)
    woven = [b"", b""]
    for at in range(0, len(low), 4800):
        woven[0] += first.encode(low[at : at + 4800])
        woven[1] += second.encode(high[at : at + 4800])
    woven = [woven[0] + first.flush(), woven[1] + second.flush()]
    assert [without_serial(data) for data in woven] == [without_serial(data) for data in alone]


def without_serial(data: bytes) -> bytes:
    """Blank the random stream number and the checksum of every Ogg page; other formats pass."""
    if not data.startswith(b"OggS"):
        return data
    pages = bytearray(data)
    at = 0
    while at < len(pages):
        assert pages[at : at + 4] == b"OggS"
        pages[at + 14 : at + 18] = pages[at + 22 : at + 26] = bytes(4)
        segments = pages[at + 26]
        at += 27 + segments + sum(pages[at + 27 : at + 27 + segments])
    return bytes(pages)


@each_format
def test_dropping_a_stream_leaves_no_thread_and_no_file(format: str) -> None:
    encode(format, sweep(0.1))  # libraries may open something once
    gc.collect()
    before = threading.active_count(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(20):
        open_encoder(format, RATE).encode(sweep(0.1))
    gc.collect()
    after = threading.active_count(), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    assert after == before


@each_format
def test_an_open_stream_has_no_thread_of_its_own(format: str) -> None:
    """A codec's filters would start one a core, and a server with a hundred listeners has a hundred codecs."""
    before = len(os.listdir("/proc/self/task"))
    streams = [open_encoder(format, RATE) for _ in range(5)]
    for stream in streams:
        stream.encode(sweep(0.1))
    assert len(os.listdir("/proc/self/task")) <= before


@pytest.mark.parametrize("format", LOSSLESS)
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 6000), max_size=8))
def test_lossless_streams_do_not_depend_on_the_cuts(format: str, cuts: list[int]) -> None:
    said = sweep(0.25)
    encoder = open_encoder(format, RATE)
    data = b"".join(encoder.encode(piece) for piece in np.split(said, sorted(cuts))) + encoder.flush()
    assert data == encode(format, said, step=len(said))


@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_streams_lose_only_the_rounding(format: str) -> None:
    said = sweep(0.5)
    for name, decode in decoders(format):
        np.testing.assert_allclose(decode(encode(format, said)).samples, said, atol=0.5001 / 32768, err_msg=name)


@pytest.mark.parametrize("format", ["mp3", "flac", "wav"])
def test_exact_sizes_state_the_true_length(format: str) -> None:
    said = sweep(1.2345)
    encoder = open_encoder(format, RATE, exact_sizes=True)
    assert encoder.encode(said) == b""
    data = encoder.flush()
    assert len(decode_with_ffmpeg(data).samples) == len(said)
    assert len(decode_with_libsndfile(data).samples) == len(said)


@pytest.mark.skipif(not has_faad(), reason="Debian's package faad is not installed")
def test_aac_has_a_second_decoder() -> None:
    assert [name for name, _ in decoders("aac")] == ["ffmpeg", "faad"]
