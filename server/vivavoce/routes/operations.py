"""Probes and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from vivavoce.metrics import CONTENT_TYPE, Metrics
from vivavoce.synthesis.synthesizer import Synthesizer


def operations_router(synthesizer: Synthesizer, metrics: Metrics, is_draining: Callable[[], bool]) -> APIRouter:
    """Probes and metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", summary="What is loaded")
    async def health() -> dict[str, Any]:
        return {"status": "healthy", "models": [v.id for v in synthesizer.library.list() if v.problem is None]}

    @router.get("/livez", summary="The process answers")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @router.get(
        "/readyz", summary="New utterances are welcome", responses={503: {"description": "Draining, or no voice"}}
    )
    async def readyz() -> JSONResponse:
        if is_draining():
            return JSONResponse({"status": "draining"}, status_code=503)
        if synthesizer.library.default_id() is None:
            return JSONResponse({"status": "no voice can speak"}, status_code=503)
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router
