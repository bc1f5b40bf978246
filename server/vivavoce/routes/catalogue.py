"""The lists: models as OpenAI's clients ask for them, and the voices and recognizers behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Request

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import NotFound
from vivavoce.models.catalogue import OPENAI_NAMES
from vivavoce.recognition.listener import Listener
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.launched import LaunchedModels
from vivavoce.routes.voice_shape import as_model, as_models, describe, recognizer_as_model, recognizers_as_models
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.speaker import Speaker
from vivavoce.synthesis.voice_choice import OPENAI_MODELS


def catalogue_router(
    speaker: Speaker,
    launched: LaunchedModels,
    default_id: Callable[[], str | None],
    listener: Listener,
    *,
    aliases: Mapping[str, str] | None = None,
    open_lists: bool = False,
) -> APIRouter:
    """`/v1/models`, `/v1/audio/models`, `/v1/audio/voices`.

    Args:
        default_id: of the voice that speaks where none is named; may look at the disk.
        listener: whose models are listed beside the voices.
        launched: further names of models, each its launcher's own.
        aliases: what the settings say that other names of voices mean.
        open_lists: they may be read without a key: some clients ask for them without showing theirs.
    """
    router = APIRouter(tags=["voices"], responses=ERRORS)
    entered = entered_with(Entry.NOTHING if open_lists else Entry.KEY)

    @router.get("/v1/models", summary="Models: every voice is one, and whatever listens")
    @entered
    async def models(request: Request) -> dict[str, Any]:
        entries = _models(await _voices(), await _recognizers())
        mine = launched.all(getattr(request.state, "owner", ""))
        by_id = {entry["id"]: entry for entry in entries}
        named = [{**by_id[each.model_id], "id": each.uid} for each in mine if each.model_id in by_id]
        return {"object": "list", "data": entries + [entry for entry in named if entry["id"] not in by_id]}

    @router.get("/v1/models/{model_id}", summary="One model")
    @entered
    async def model(request: Request, model_id: str) -> dict[str, Any]:
        owner = getattr(request.state, "owner", "")
        wanted = launched.loaded_model_of(model_id, owner)
        voices = await _voices()
        for info in voices:
            if info.problem is None and info.id == wanted.strip().lower():
                uid = info.id if wanted == model_id else model_id
                return {**as_model(info), "id": uid, "address": request.url.netloc}
        recognizers = await _recognizers()
        for recognizer in recognizers:
            if recognizer.problem is None and recognizer.id.lower() == wanted.strip().lower():
                uid = recognizer.id if wanted == model_id else model_id
                return {**recognizer_as_model(recognizer), "id": uid, "address": request.url.netloc}
        for entry in _models(voices, recognizers):
            if entry["id"] == wanted.strip().lower():
                return entry
        raise NotFound("no such model", param="model")

    @router.get("/v1/audio/models", summary="Models that speak, as Open WebUI asks for them")
    @entered
    async def audio_models() -> dict[str, Any]:
        return {"models": [{"id": entry["id"], "name": entry["id"]} for entry in _speaking(await _voices())]}

    @router.get("/v1/audio/voices", summary="Voices this server speaks with")
    @entered
    async def voices() -> dict[str, Any]:
        default = await asyncio.to_thread(default_id)
        return {"voices": [describe(each, default=default, aliases=aliases) for each in await _voices()]}

    async def _voices() -> list[VoiceInfo]:
        return await asyncio.to_thread(speaker.voices)  # it may look at the disk

    async def _recognizers() -> list[RecognizerInfo]:
        return await asyncio.to_thread(listener.models)

    return router


def _models(voices: list[VoiceInfo], recognizers: list[RecognizerInfo]) -> list[dict[str, Any]]:
    """Voices first, then what listens; a name that both have is the voice's."""
    speaking, listening = _speaking(voices), recognizers_as_models(recognizers)
    if listening:
        listening += _aliases(OPENAI_NAMES)
    taken = {entry["id"] for entry in speaking}
    return speaking + [entry for entry in listening if entry["id"] not in taken]


def _speaking(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    return as_models(voices) + _aliases(OPENAI_MODELS)


def _aliases(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"id": name, "object": "model", "created": 0, "owned_by": "vivavoce"} for name in names]
