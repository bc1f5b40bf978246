"""The routes an engine calls, each service under an address that only the engines were told.

The protocol knows no keys. The address therefore holds a secret of this process, which engines learn when a service is
announced; without it there is no such route.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from vivavoce.adapters.engine.tasks import InvalidTask, Places, read_task
from vivavoce.adapters.engine.work import QueueFull, TaskQueue
from vivavoce.config import LimitSettings
from vivavoce.errors import InvalidRequest
from vivavoce.routes.bodies import read_json
from vivavoce.serving.entries import Entry, entered_with


def engine_router(secret: str, queues: Mapping[str, TaskQueue], places: Places, limits: LimitSettings) -> APIRouter:
    """`/engine/SECRET/SLUG/...`.

    Args:
        queues: slug of a service -> its queue.
    """
    router = APIRouter(prefix="/engine/{secret}/{slug}", tags=["engine"], include_in_schema=False)

    def queue_of(given: str, slug: str) -> TaskQueue | None:
        known = secrets.compare_digest(given.encode(), secret.encode())
        return queues.get(slug) if known else None

    @router.get("/status")
    @entered_with(Entry.NOTHING)
    async def status(secret: str, slug: str) -> JSONResponse:
        if queue_of(secret, slug) is None:
            return _nothing()
        return JSONResponse({"status": "Service is available"})

    @router.post("/compute")
    @entered_with(Entry.NOTHING)
    async def compute(request: Request, secret: str, slug: str) -> JSONResponse:
        queue = queue_of(secret, slug)
        if queue is None:
            return _nothing()
        try:
            fields = await read_json(request, max_bytes=limits.max_body_kib * 1024, timeout_s=limits.body_timeout_s)
            queue.add(read_task(fields, places))
        except QueueFull as error:
            return _detail(503, error.message)
        except InvalidRequest as error:
            return _detail(422 if isinstance(error, InvalidTask) else error.status, error.message)
        return JSONResponse({"status": "Task added to the queue"})

    @router.get("/tasks/{task_id}/status")
    @entered_with(Entry.NOTHING)
    async def task_status(secret: str, slug: str, task_id: str) -> JSONResponse:
        queue = queue_of(secret, slug)
        found = None if queue is None else queue.status(task_id)
        return _nothing() if found is None else JSONResponse({"status": found.value})

    return router


def _nothing() -> JSONResponse:
    return _detail(404, "Not Found")


def _detail(status: int, message: str) -> JSONResponse:
    content: dict[str, Any] = {"detail": message}
    return JSONResponse(content, status_code=status)
