"""Voices on other machines as the settings declare them. Pure.

    NAME=huggingface facebook/mms-tts-eng language=en
    NAME=huggingface https://abc.endpoints.huggingface.cloud language=en
    NAME=openai http://10.0.0.5:7860/v1 voice=mika model=tts-1 language=en+zh

The operator wrote them, so their addresses may be private and plain HTTP; what strangers write may not be either
(`addresses.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from vivavoce.engines.speech import VoiceInfo
from vivavoce.hosted.addresses import AddressRefused, Target, model_url

ENGINE = "hosted"
SAMPLE_RATE = 24_000  # Hz of what they are resampled to, and of OpenAI's `pcm`
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_KINDS = ("huggingface", "openai")


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
    kind: Literal["huggingface", "openai"]
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
    names = [voice.info.id for voice in voices]
    if len(set(names)) < len(names):
        raise ValueError("two voices share a name")
    return voices


def _voice(entry: str, tokens: Mapping[str, str], problem: str | None) -> HostedVoice:
    name, _, rest = entry.partition("=")
    name, words = name.strip(), rest.split()
    if not _NAME.fullmatch(name):
        raise ValueError("a voice is declared as NAME=KIND ADDRESS; a name has small letters, digits, - and _")
    if len(words) < 2 or words[0] not in _KINDS:
        raise ValueError(f"'{name}' must be followed by `huggingface` or `openai` and an address")
    fields = dict(word.partition("=")[::2] for word in words[2:])
    if unknown := fields.keys() - {"voice", "model", "language"}:
        raise ValueError(f"'{name}' has an unknown field '{min(unknown)}'; known: voice, model, language")
    languages = tuple(fields.get("language", "en").split("+"))
    if not all(_LANGUAGE.fullmatch(language) for language in languages):
        raise ValueError(f"'{name}': languages are two letters each, joined by +")
    target = _target(name, words[0], words[1])
    place = target.host if target.port in (80, 443) else f"{target.host}:{target.port}"
    info = VoiceInfo(name, name.capitalize(), languages, ENGINE, SAMPLE_RATE, problem=problem)
    kind: Literal["huggingface", "openai"] = "openai" if words[0] == "openai" else "huggingface"
    return HostedVoice(info, kind, target, fields.get("voice"), fields.get("model"), tokens.get(place))


def _target(name: str, kind: str, address: str) -> Target:
    if kind == "huggingface" and "://" not in address:
        try:
            address = model_url(address)
        except AddressRefused as error:
            raise ValueError(f"'{name}': {error.message}") from None
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ValueError(f"'{name}' has an address that is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"'{name}' needs an address that begins with http:// or https://, without a user name")
    path = "/audio/speech" if kind == "openai" else ""
    return Target(address.rstrip("/") + path, parts.hostname.casefold(), port)
