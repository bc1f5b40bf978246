"""How a voice is described to the world: one shape, in every list and answer. Called by `catalogue.py`, `voices.py`."""

from __future__ import annotations

from typing import Any

from vivavoce.engines.speech import VoiceInfo


def describe(info: VoiceInfo, *, default: str | None) -> dict[str, Any]:
    """A voice as JSON.

    Args:
        default: id of the voice that speaks where none is named.
    """
    return {
        "id": info.id,
        "name": info.name,
        "language": info.languages[0] if info.languages else None,
        "languages": list(info.languages),
        "engine": info.engine,
        "sample_rate": info.sample_rate,
        "references": list(info.references),
        "default": info.id == default,
        "available": info.problem is None,
        "problem": info.problem,
    }


def as_models(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    """Voices that can speak as OpenAI lists models."""
    return [
        {"id": each.id, "object": "model", "created": each.created, "owned_by": f"vivavoce-{each.engine}"}
        for each in voices
        if each.problem is None
    ]
