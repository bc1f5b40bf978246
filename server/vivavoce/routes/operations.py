"""Probes and metrics."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from vivavoce.draining import Draining
from vivavoce.metrics import CONTENT_TYPE, Metrics
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.speaker import VoiceKeeper


def operations_router(speaker: VoiceKeeper, metrics: Metrics, draining: Draining) -> APIRouter:
    """Probes and metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", summary="What is loaded")
    @entered_with(Entry.NOTHING)
    async def health() -> dict[str, Any]:
        return {
            "status": "healthy",
            "models": [v.id for v in await asyncio.to_thread(speaker.voices) if v.problem is None],
        }

    @router.get("/livez", summary="The process answers")
    @entered_with(Entry.NOTHING)
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @router.get(
        "/readyz", summary="New utterances are welcome", responses={503: {"description": "Draining, or no voice"}}
    )
    @entered_with(Entry.NOTHING)
    async def readyz() -> JSONResponse:
        if draining.has_begun:
            return JSONResponse({"status": "draining"}, status_code=503)
        if await asyncio.to_thread(speaker.default_id) is None:
            return JSONResponse({"status": "no voice can speak"}, status_code=503)
        if not speaker.is_ready:
            return JSONResponse({"status": "the default voice is being loaded"}, status_code=503)
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router
