"""How a voice is described to the world: one shape, in every list and answer. Called by `catalogue.py`, `voices.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.engines.speech import VoiceInfo


def describe(info: VoiceInfo, *, default: str | None, aliases: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A voice as JSON.

    Args:
        default: id of the voice that speaks where none is named.
        aliases: further names, each with the voice that it means, `id` or `id/Style`.
    """
    named = sorted(name for name, meant in (aliases or {}).items() if meant.partition("/")[0].casefold() == info.id)
    return {
        "id": info.id,
        "name": info.name,
        "language": info.languages[0] if info.languages else None,
        "languages": list(info.languages),
        "engine": info.engine,
        "sample_rate": info.sample_rate,
        "references": list(info.references),
        "copies": info.copies,
        **({"aliases": named} if named else {}),
        "default": info.id == default,
        "available": info.problem is None,
        "problem": info.problem,
    }


def as_models(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    """Voices that can speak as OpenAI lists models."""
    return [_listed(each) for each in voices if each.problem is None]


def as_model(info: VoiceInfo) -> dict[str, Any]:
    """One voice as a model: OpenAI's four fields, and those by which Xinference's client knows what it can do."""
    return {
        **_listed(info),
        "model_type": "audio",
        "model_name": info.id,
        "model_family": info.engine,
        "model_ability": ["text2audio"],
        "model_engine": info.engine,
        "model_revision": None,
        "accelerators": [],
        "replica": 1,
    }


def recognizers_as_models(models: list[RecognizerInfo]) -> list[dict[str, Any]]:
    """Models that can hear, as OpenAI lists them."""
    return [_listed(each) for each in models if each.problem is None]


def recognizer_as_model(info: RecognizerInfo) -> dict[str, Any]:
    """A model that hears, as one model."""
    return {
        **_listed(info),
        "model_type": "audio",
        "model_name": info.id,
        "model_family": info.engine,
        "model_ability": ["audio2text"],
        "multilingual": len(info.languages) > 1,
        "languages": list(info.languages),
        "model_engine": info.engine,
        "model_revision": None,
        "accelerators": [],
        "replica": 1,
    }


def _listed(info: VoiceInfo | RecognizerInfo) -> dict[str, Any]:
    return {"id": info.id, "object": "model", "created": info.created, "owned_by": f"vivavoce-{info.engine}"}
