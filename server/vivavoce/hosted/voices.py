"""Voices on other machines as the settings declare them. Pure.

NAME=huggingface facebook/mms-tts-eng language=en
NAME=huggingface https://abc.endpoints.huggingface.cloud language=en
NAME=openai http://10.0.0.5:7860/v1 voice=mika model=tts-1 language=en+zh
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vivavoce.engines.speech import VoiceInfo
from vivavoce.hosted.addresses import Target
from vivavoce.hosted.declared import ENGINE, Declared, Kind, check_names

SAMPLE_RATE = 24_000  # Hz of what they are resampled to, and of OpenAI's `pcm`
_LANGUAGE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True)
class HostedVoice:
    """One declared voice.

    Attributes:
        kind: how its server is asked.
        target: where.
        voice, model: names there; None: not sent.
        token: for that host.
    """

    info: VoiceInfo
    kind: Kind
    target: Target
    voice: str | None = None
    model: str | None = None
    token: str | None = field(default=None, repr=False)


def declared_voices(
    entries: tuple[str, ...], tokens: Mapping[str, str], *, problem: str | None = None
) -> tuple[HostedVoice, ...]:
    """The voices of the setting.

    Args:
        tokens: `host` or `host:port` -> token.
        problem: why none of them can speak now; None when they can.

    Raises:
        ValueError: If one is written wrongly, or two share a name.
    """
    voices = tuple(_voice(entry, tokens, problem) for entry in entries)
    check_names([voice.info.id for voice in voices], "voices")
    return voices


def _voice(entry: str, tokens: Mapping[str, str], problem: str | None) -> HostedVoice:
    said = Declared.read(entry, ("voice", "model", "language"))
    languages = tuple(said.fields.get("language", "en").split("+"))
    if not all(_LANGUAGE.fullmatch(language) for language in languages):
        raise ValueError(f"'{said.name}': languages are two letters each, joined by +")
    info = VoiceInfo(said.name, said.name.capitalize(), languages, ENGINE, SAMPLE_RATE, problem=problem)
    return HostedVoice(
        info,
        said.kind,
        said.target("/audio/speech"),
        said.fields.get("voice"),
        said.fields.get("model"),
        said.token(tokens),
    )
