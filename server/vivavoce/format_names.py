"""Audio formats by the names people write for them: "MP3", ".wav", "audio/ogg; codecs=opus", "pcm_16000".

Told apart where a request comes in, the same at every door, so that the rest of the house knows the names of
`audio.encoders` alone. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 64  # of what is written for one

_NAMES: Final[dict[str, str]] = {
    **dict.fromkeys(("mpeg", "mpga", "mpeg3", "audio/mpeg", "audio/mp3", "audio/mpeg3", "audio/x-mp3"), "mp3"),
    **dict.fromkeys(("wave", "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"), "wav"),
    **dict.fromkeys(("ogg_opus", "ogg-opus", "audio/opus", "audio/ogg; codecs=opus"), "opus"),
    **dict.fromkeys(("vorbis", "oga", "ogg_vorbis", "ogg-vorbis", "audio/vorbis", "audio/ogg; codecs=vorbis"), "ogg"),
    **dict.fromkeys(("adts", "audio/aac", "audio/aacp", "audio/x-aac"), "aac"),
    **dict.fromkeys(("audio/flac", "audio/x-flac"), "flac"),
    **dict.fromkeys(("pcm16", "s16le", "pcm_s16le", "audio/pcm"), "pcm"),
    **dict.fromkeys(
        ("ulaw", "mulaw", "mu-law", "u-law", "pcm_mulaw", "g711_ulaw", "audio/pcmu", "audio/basic"), "pcmu"
    ),
    **dict.fromkeys(("alaw", "a-law", "pcm_alaw", "g711_alaw", "audio/pcma"), "pcma"),
    "audio/ogg": "opus",  # what most who write it play
}
_PARAMETER: Final = re.compile(r";[ ]*([a-z-]{1,16})[ ]*=[ ]*\"?([a-z0-9.,_-]{1,32})\"?[ ]*")
_TELEPHONE_RATE: Final = 8_000  # Hz
_RATES: Final = range(8_000, 48_001)  # Hz, as a request's `sample_rate`
_RATED: Final = re.compile(r"([a-z0-9]{2,8})_(\d{4,5})(?:_\d{2,3})?")  # ElevenLabs': codec, Hz, kbit/s


@dataclass(frozen=True, slots=True)
class NamedFormat:
    """What a written format means.

    Attributes:
        name: of an encoder; what means none stays as it was written, for the refusal.
        sample_rate: Hz, where the name says so.
    """

    name: str
    sample_rate: int | None = None


def format_named(written: str) -> NamedFormat:
    """The format that a name, an ending or a media type means, in any case; with a rate that is none here, nothing."""
    plain = written.strip().lower().removeprefix(".")[:LONGEST]
    kind, semicolon, _ = plain.partition(";")
    kind = kind.strip()
    parameters = dict(_PARAMETER.findall(plain)) if semicolon else {}
    rate = parameters.get("rate", "")
    name = _NAMES.get(f"{kind}; codecs={parameters.get('codecs')}") or _NAMES.get(kind, kind)
    if not semicolon and (rated := _RATED.fullmatch(kind)) is not None:
        name, rate = _NAMES.get(rated[1], rated[1]), rated[2]
    if not rate:
        return NamedFormat(name, _TELEPHONE_RATE if name in ("pcmu", "pcma") else None)
    if not rate.isdecimal() or int(rate) not in _RATES:
        return NamedFormat(plain)
    return NamedFormat(name, int(rate))
