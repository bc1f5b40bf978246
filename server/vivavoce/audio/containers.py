"""Which container a recording is in, by its first bytes, and which codecs are opened in it.

The list is short and the decoder never guesses: playlist formats name further files and addresses to open, and most of
FFmpeg's decoders have never met a hostile file. Names and content types that a client sends are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

HEAD_BYTES = 12  # what `sniff` looks at


@dataclass(frozen=True, slots=True)
class Container:
    """A container this server opens.

    Attributes:
        name: FFmpeg's.
        title: for sentences.
        codecs: FFmpeg's names of what may be in it.
    """

    name: str
    title: str
    codecs: frozenset[str]


_PLAIN = frozenset({f"pcm_{name}" for name in ("u8", "s16", "s24", "s32", "f32", "f64", "alaw", "mulaw")})
# FFmpeg's names of plain numbers, in containers that it reads: browsers can record them, cameras do.
_NUMBERS = frozenset({f"pcm_{name}" for name in ("s16le", "s16be", "s24le", "s24be", "s32le", "f32le", "f64le")})
_MP3, _AAC, _FLAC = frozenset({"mp3", "mp3float"}), frozenset({"aac"}), frozenset({"flac"})
_OPUS, _VORBIS = frozenset({"opus", "libopus"}), frozenset({"vorbis"})
_AMR = frozenset({"amrnb", "amrwb", "amr_nb", "amr_wb", "libopencore_amrnb", "libopencore_amrwb"})

CONTAINERS: Mapping[str, Container] = MappingProxyType({
    container.name: container
    for container in (
        Container("wav", "WAV", _PLAIN),
        Container("flac", "FLAC", _FLAC),
        Container("ogg", "Ogg", _OPUS | _VORBIS | _FLAC),
        Container("mp3", "MP3", _MP3),
        Container("mov", "M4A", _AAC | _MP3 | _FLAC | _OPUS | _AMR | _NUMBERS | {"alac"}),
        Container("aac", "AAC", _AAC),
        Container("matroska", "WebM", _OPUS | _VORBIS | _AAC | _MP3 | _FLAC | _NUMBERS),
        Container("amr", "AMR", _AMR),
    )
})  # fmt: skip

# (offset, first bytes, container)
_MAGIC = (
    (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mov"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"ID3", "mp3"),
    (0, b"#!AMR", "amr"),
)


def sniff(head: bytes) -> Container | None:
    """The container that begins with these bytes, at least `HEAD_BYTES` unless the file is shorter; None: none of ours.

    MPEG audio has no magic number: a frame begins with 11 set bits, and two bits of the layer tell MP3 from AAC.
    """
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return CONTAINERS[name]
    if len(head) >= 2 and head[0] == 0xFF:
        if head[1] & 0xE6 == 0xE2:
            return CONTAINERS["mp3"]
        if head[1] & 0xF6 == 0xF0:
            return CONTAINERS["aac"]
    return None
