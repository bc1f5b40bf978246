"""The three kinds of audio that Realtime sends and takes: names, rates, sizes. Nothing is encoded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from vivavoce.protocols.fields import Refused

AudioFormat = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]  # s16le at 24 kHz; G.711 µ-law, A-law at 8 kHz

FORMATS: Final[tuple[AudioFormat, ...]] = ("audio/pcm", "audio/pcmu", "audio/pcma")
RATES_HZ: Final[Mapping[AudioFormat, int]] = {"audio/pcm": 24_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}
SAMPLE_BYTES: Final[Mapping[AudioFormat, int]] = {"audio/pcm": 2, "audio/pcmu": 1, "audio/pcma": 1}


def read_format(value: object) -> AudioFormat:
    """The format of `{"type": "audio/pcm", "rate": 24000}`.

    Raises:
        Refused: If there is no such format, or it has another rate.
    """
    if not isinstance(value, dict):
        raise Refused("an object")
    for name in FORMATS:
        if value.get("type") == name:
            if value.get("rate") not in (None, RATES_HZ[name]):
                raise Refused(f"{RATES_HZ[name]}", "rate")
            return name
    raise Refused("one of " + ", ".join(FORMATS), "type")


def write_format(name: AudioFormat) -> dict[str, object]:
    """As it stands in a session: only PCM names its rate."""
    return {"type": name, "rate": RATES_HZ[name]} if name == "audio/pcm" else {"type": name}


def duration_ms(name: AudioFormat, size: int) -> float:
    """Milliseconds of so many bytes."""
    return 1000 * size / (RATES_HZ[name] * SAMPLE_BYTES[name])
