"""The lists: models as OpenAI's clients ask for them, and the voices behind them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import NotFound
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.speech_body import OPENAI_MODELS
from vivavoce.synthesis.synthesizer import Synthesizer


def catalogue_router(synthesizer: Synthesizer) -> APIRouter:
    """`/v1/models`, `/v1/audio/voices`."""
    router = APIRouter(tags=["voices"], responses=ERRORS)

    @router.get("/v1/models", summary="Models; every voice is one")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": _models(synthesizer.library.list())}

    @router.get("/v1/models/{model_id}", summary="One model")
    async def model(model_id: str) -> dict[str, Any]:
        for entry in _models(synthesizer.library.list()):
            if entry["id"] == model_id:
                return entry
        raise NotFound("no such model", param="model")

    @router.get("/v1/audio/voices", summary="Voices this server speaks with")
    async def voices() -> dict[str, Any]:
        default = synthesizer.library.default_id()
        return {"voices": [_voice(v, default) for v in synthesizer.library.list()]}

    return router


def _models(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    owned = [(v.id, v.created, f"vivavoce-{v.engine}") for v in voices if v.problem is None]
    aliases = [(name, 0, "vivavoce") for name in OPENAI_MODELS]
    return [
        {"id": name, "object": "model", "created": created, "owned_by": owner}
        for name, created, owner in owned + aliases
    ]


def _voice(info: VoiceInfo, default: str | None) -> dict[str, Any]:
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
