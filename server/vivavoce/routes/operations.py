"""Probes and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter
from prometheus_client import Metric
from starlette.responses import JSONResponse, Response

from vivavoce.draining import Draining
from vivavoce.metrics import CONTENT_TYPE, Metrics, exposition
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.speaker import VoiceKeeper

# The numbers of a server that is several processes.
Everywhere = Callable[[], Awaitable[Sequence[Metric]]]


def operations_router(
    speaker: VoiceKeeper, metrics: Metrics, draining: Draining, everywhere: Everywhere | None = None
) -> APIRouter:
    """Probes and metrics.

    Args:
        everywhere: what is published instead of the metrics of this process alone.
    """
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
    async def numbers() -> Response:
        families = metrics.families() if everywhere is None else await everywhere()
        return Response(exposition(families), media_type=CONTENT_TYPE)

    return router
