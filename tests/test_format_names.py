"""What people write for an audio format means one of ours, or stays as it is for the refusal."""

from __future__ import annotations

import pytest

from vivavoce.audio.encoders import FORMATS
from vivavoce.format_names import NamedFormat, format_named


@pytest.mark.parametrize(
    ("written", "name", "rate"),
    [
        *[(format, format, None) for format in FORMATS],
        *[(media_type, format, None) for format, media_type in FORMATS.items()],
        (" MP3 ", "mp3", None),
        (".wav", "wav", None),
        ("WAVE", "wav", None),
        ("audio/x-wav", "wav", None),
        ("audio/mpeg; codecs=mp3", "mp3", None),
        ('audio/ogg; codecs="opus"', "opus", None),
        ("audio/ogg;codecs=vorbis", "ogg", None),
        ("audio/ogg", "opus", None),
        ("audio/pcm;rate=16000", "pcm", 16_000),
        ("pcm_24000", "pcm", 24_000),
        ("mp3_44100_128", "mp3", 44_100),
        ("opus_48000_32", "opus", 48_000),
        ("pcm_s16le", "pcm", None),
        ("flac ;", "flac", None),
        ("ulaw_8000", "pcmu", 8_000),
        ("mulaw", "pcmu", 8_000),
        ("alaw_16000", "pcma", 16_000),
        ("audio/pcmu", "pcmu", 8_000),
    ],
)
def test_names_endings_and_media_types(written: str, name: str, rate: int | None) -> None:
    assert format_named(written) == NamedFormat(name, rate)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "midi",
        "pcm_96000",
        "audio/pcm;rate=1",
        "audio/webm",
        "audio/L16",
        "mp4",
        "mp3_",
        "_24000",
        "a" * 99,
    ],
)
def test_what_means_none_of_ours_is_none(written: str) -> None:
    assert format_named(written).name not in FORMATS
