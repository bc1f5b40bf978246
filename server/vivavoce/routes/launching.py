"""Xinference's routes, for its own client: models launched by name, their progress, their end, and what there is.

Speech, transcription and the list of models are OpenAI's routes. A launch loads a voice and keeps a name for it
(`launched.py`). Nothing here takes a path, and nothing is downloaded unless `pull_on_launch` allows it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from vivavoce.config import LimitSettings
from vivavoce.errors import InvalidRequest
from vivavoce.models.catalogue import CATALOGUE
from vivavoce.recognition.listener import Listener
from vivavoce.routes.bodies import read_json
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.launchables import how_to_get
from vivavoce.routes.launched import Launched, LaunchedModels
from vivavoce.routes.voice_shape import as_model
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.speaker import Speaker


class NotHere(InvalidRequest):
    """This server has no such action."""

    status = 403
    code = "not_supported"


def launching_router(
    launched: LaunchedModels, speaker: Speaker, listener: Listener, limits: LimitSettings, *, needs_key: bool
) -> APIRouter:
    """Included before the catalogue, whose `/v1/models/{model_id}` would take its paths and serves launches too."""
    router = APIRouter(tags=["models by name"], responses=ERRORS)

    @router.get("/v1/cluster/auth", summary="Whether a key is asked for")
    @entered_with(Entry.NOTHING)
    async def auth() -> dict[str, bool]:
        return {"auth": needs_key}

    @router.post("/token", summary="There are no users here", include_in_schema=False)
    @entered_with(Entry.NOTHING)
    async def token() -> Response:
        raise NotHere("this server knows keys, not users: Client(url, api_key=...)")

    @router.get("/v1/address", summary="Where this server is")
    async def address(request: Request) -> str:
        return request.url.netloc

    @router.post("/v1/models", summary="Load a model and give it a name")
    async def launch(request: Request, wait_ready: bool = Query(True)) -> dict[str, str]:
        fields = await read_json(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
        name, uid = _launch_names(fields)
        done = await launched.launch(name, uid, request.state.owner, wait=wait_ready)
        return {"model_uid": done.uid}

    @router.get("/v1/models/instances", summary="What the caller has launched")
    async def instances(request: Request, model_name: str = "", model_uid: str = "") -> list[dict[str, Any]]:
        found = launched.all(request.state.owner)
        return [
            _instance(each)
            for each in found
            if model_name.lower() in ("", each.model_id) and model_uid in ("", each.uid)
        ]

    @router.get("/v1/models/{uid}/progress", summary="How far a launch is")
    async def progress(request: Request, uid: str) -> dict[str, Any]:
        each = launched.of(uid, request.state.owner)
        return {"progress": each.progress, "stage": each.stage or each.state, "download_files": [], "replicas": []}

    @router.post("/v1/models/{uid}/cancel", summary="Take a launch back while it loads")
    async def cancel(request: Request, uid: str) -> None:
        await launched.end(uid, request.state.owner)

    @router.delete("/v1/models/{uid}", summary="End a launch")
    async def terminate(request: Request, uid: str) -> None:
        await launched.end(uid, request.state.owner)

    @router.get("/v1/model_registrations/{model_type}", summary="What can be launched")
    async def registrations(model_type: str, detailed: bool = False) -> list[dict[str, Any]]:
        if model_type != "audio":
            return []
        voices = await asyncio.to_thread(speaker.voices)
        here = {info.id: info.problem for info in await asyncio.to_thread(listener.models)}
        known = [{"model_name": model.name, "is_builtin": True} for model in CATALOGUE.values()]
        own = [{"model_name": voice.id, "is_builtin": True} for voice in voices]
        if not detailed:
            return own + known
        speak = [
            {**entry, **as_model(voice), "problem": voice.problem} for entry, voice in zip(own, voices, strict=True)
        ]
        listen = [
            {
                **entry,
                "model_type": "audio",
                "model_ability": ["audio2text"],
                "model_id": model.repository,
                "model_revision": model.revision,
                "multilingual": model.languages == "many",
                "licence": model.licence,
                "size_mib": model.mib,
                "problem": here[model.name] if model.name in here else how_to_get(model),
            }
            for entry, model in zip(known, CATALOGUE.values(), strict=True)
        ]
        return speak + listen

    @router.post("/v1/model_registrations/{model_type}", include_in_schema=False)
    @router.delete("/v1/model_registrations/{model_type}/{name}", include_in_schema=False)
    async def register(model_type: str, name: str = "") -> Response:
        raise NotHere("models are added where the server runs: `vivavoce voices add`, `vivavoce models pull`")

    @router.get("/v1/models/families", include_in_schema=False)
    @router.get("/v1/models/prompts", include_in_schema=False)
    async def none() -> dict[str, Any]:
        return {}

    return router


def _launch_names(fields: dict[str, Any]) -> tuple[str, str | None]:
    name, uid, kind = fields.get("model_name"), fields.get("model_uid"), fields.get("model_type", "LLM")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("Invalid input. Please specify the `model_name` field.", param="model_name")
    if kind != "audio":
        raise InvalidRequest("only models of model_type 'audio' are launched here", param="model_type")
    if fields.get("model_path"):
        raise NotHere("no route takes a path; put the model where the server looks for it", param="model_path")
    if uid is not None and not isinstance(uid, str):
        raise InvalidRequest("model_uid must be text", param="model_uid")
    return name, uid or None


def _instance(each: Launched) -> dict[str, Any]:
    status: Literal["LOADING", "READY", "ERROR"] = each.state
    return {
        "model_name": each.model_id,
        "model_uid": each.uid,
        "model_version": None,
        "model_ability": [each.kind.ability],
        "replica": 1,
        "status": status,
        "instance_created_ts": each.created,
        "n_worker": 1,
        "replica_statuses": [],
    }
