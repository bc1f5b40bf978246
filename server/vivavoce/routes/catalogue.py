"""The lists: models as OpenAI's clients ask for them, and the voices behind them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import NotFound
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.voice_shape import as_models, describe
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.synthesis.voice_choice import OPENAI_MODELS


def catalogue_router(synthesizer: Synthesizer, *, open_lists: bool = False) -> APIRouter:
    """`/v1/models`, `/v1/audio/models`, `/v1/audio/voices`.

    Args:
        open_lists: they may be read without a key: some clients ask for them without showing theirs.
    """
    router = APIRouter(tags=["voices"], responses=ERRORS)
    entered = entered_with(Entry.NOTHING if open_lists else Entry.KEY)

    @router.get("/v1/models", summary="Models; every voice is one")
    @entered
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": _models(await _voices())}

    @router.get("/v1/models/{model_id}", summary="One model")
    @entered
    async def model(model_id: str) -> dict[str, Any]:
        for entry in _models(await _voices()):
            if entry["id"] == model_id.strip().lower():
                return entry
        raise NotFound("no such model", param="model")

    @router.get("/v1/audio/models", summary="Models that speak, as Open WebUI asks for them")
    @entered
    async def audio_models() -> dict[str, Any]:
        return {"models": [{"id": entry["id"], "name": entry["id"]} for entry in _models(await _voices())]}

    @router.get("/v1/audio/voices", summary="Voices this server speaks with")
    @entered
    async def voices() -> dict[str, Any]:
        default = await asyncio.to_thread(synthesizer.library.default_id)
        return {"voices": [describe(each, default=default) for each in await _voices()]}

    async def _voices() -> list[VoiceInfo]:
        return await asyncio.to_thread(synthesizer.voices)  # it may look at the disk

    return router


def _models(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    aliases = [{"id": name, "object": "model", "created": 0, "owned_by": "vivavoce"} for name in OPENAI_MODELS]
    return as_models(voices) + aliases
