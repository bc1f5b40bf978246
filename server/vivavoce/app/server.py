"""The composition root: a Config becomes engines, a synthesizer and transports; nothing else wires things together."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from vivavoce import __version__
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechEngine
from vivavoce.engines.registry import open_engines
from vivavoce.errors import ConfigError, InvalidRequest, NotFound, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.synthesis.admission import Admission
from vivavoce.synthesis.synthesizer import Synthesizer, SynthesizerLimits
from vivavoce.synthesis.voice_library import VoiceLibrary
from vivavoce.synthesis.worker import WorkerPool
from vivavoce.serving.access import Access
from vivavoce.transports.connections import Connections
from vivavoce.serving.gate import Gate, error_response
from vivavoce.routes.speech import catalogue_router, operations_router, speech_router, speech_schema
from vivavoce.routes.voices import voices_router
from vivavoce.transports.webrtc.calls import Calls, webrtc_router
from vivavoce.transports.websocket import websocket_router
from vivavoce.voices.store import open_store
from vivavoce.web.routes import mount_page

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]


class InvalidParameter(InvalidRequest):
    """A query parameter or form field is wrong."""

    code = "invalid_parameter"


class MethodNotAllowed(InvalidRequest):
    """The route exists, with other methods."""

    status = 405
    code = "method_not_allowed"


@dataclass(slots=True)
class Server:
    """Everything that lives as long as the process.

    Attributes:
        app: the ASGI application, for uvicorn.
        synthesizer: the generator.
        drain_hooks: called in order when the server stops taking new work, after which utterances are waited for.
        closing_hooks: called when the last utterance has ended: live connections say goodbye.
    """

    config: Config
    metrics: Metrics
    synthesizer: Synthesizer
    access: Access
    app: ASGIApp
    draining: bool = False
    drain_hooks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closing_hooks: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def drain(self) -> None:
        """Refuse new utterances, let running ones finish, then close what is still open."""
        self.draining = True
        for hook in self.drain_hooks:
            await hook()
        if not await self.synthesizer.drain(self.config.drain_timeout_s):
            logger.warning("%d utterances were cut off by the drain timeout", self.synthesizer.active)
        for hook in self.closing_hooks:
            await hook()


def build_synthesizer(config: Config, metrics: Metrics, engines: Sequence[SpeechEngine] | None = None) -> Synthesizer:
    """The generator with its engines, voices and workers; no web."""
    voices = VoiceLibrary(
        open_engines(config) if engines is None else engines,
        default=config.voice,
        memory_bytes=config.voice_memory_mib << 20,
        metrics=metrics,
    )
    pool = WorkerPool(
        workers=config.worker_count(),
        first_audio_target_s=config.first_audio_target_s,
        step_timeout_s=config.step_timeout_s,
        metrics=metrics,
    )
    admission = Admission(
        cores=config.worker_count(),
        max_streams=config.max_streams,
        max_streams_per_owner=config.max_streams_per_key,
        first_audio_target_s=config.first_audio_target_s,
        share=config.admission_share,
    )
    limits = SynthesizerLimits(
        max_text=config.max_text, max_buffered_text=config.max_buffered_text, queue_wait_s=config.queue_wait_s
    )
    return Synthesizer(voices, pool, admission, metrics, limits)


def build_server(
    config: Config, engines: Sequence[SpeechEngine] | None = None, progress: Progress | None = None
) -> Server:
    """Everything, ready for uvicorn; the lifespan loads voices and stops the workers.

    Args:
        engines: instead of the configured ones (tests).
        progress: told of voices being loaded at start.

    Raises:
        ConfigError: If the configuration cannot work.
    """
    metrics = Metrics()
    access = Access.from_config(config, metrics)
    synthesizer = build_synthesizer(config, metrics, engines)
    encoding = ThreadPoolExecutor(max_workers=2, thread_name_prefix="encoder")
    connections = Connections(config.max_sockets, metrics)
    calls = Calls(synthesizer, config, metrics=metrics, connections=connections)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        preload = asyncio.create_task(_preload(synthesizer, config, progress), name="preload")
        try:
            yield
        finally:
            preload.cancel()
            await asyncio.gather(preload, return_exceptions=True)
            await calls.aclose()
            await synthesizer.aclose()
            encoding.shutdown(wait=True, cancel_futures=True)

    app = FastAPI(
        title="Viva Voce",
        version=__version__,
        summary="Real-time voice server",
        lifespan=lifespan,
        redoc_url=None,
    )
    server = Server(config=config, metrics=metrics, synthesizer=synthesizer, access=access, app=app)
    app.include_router(speech_router(synthesizer, config, metrics, encoding))
    app.include_router(catalogue_router(synthesizer))
    app.include_router(voices_router(open_store(config), config, synthesizer.voices.forget))
    app.include_router(operations_router(synthesizer, metrics, lambda: server.draining))
    app.include_router(
        websocket_router(synthesizer, access, config, metrics=metrics, connections=connections, encoding=encoding)
    )
    app.include_router(webrtc_router(calls))
    if config.fastrtc:
        _mount_fastrtc(app, synthesizer, config)
    server.drain_hooks.append(connections.begin_drain)
    server.closing_hooks += [connections.close_all, calls.aclose]
    _map_errors(app, metrics)
    _describe(app)
    mount_page(app)
    server.app = Gate(app, access, metrics)
    if config.cors and config.allowed_origins:
        server.app = CORSMiddleware(
            server.app,
            allow_origins=list(config.allowed_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "x-api-key"],
            expose_headers=["x-request-id", "x-audio-sample-rate", "location"],
        )
    return server


def _mount_fastrtc(app: FastAPI, synthesizer: Synthesizer, config: Config) -> None:
    try:
        from vivavoce.adapters.fastrtc import mount
    except ImportError as error:
        raise ConfigError(f"fastrtc needs its extra: pip install 'vivavoce[fastrtc]' ({error})") from error
    mount(app, synthesizer, max_calls=config.max_calls)


async def _preload(synthesizer: Synthesizer, config: Config, progress: Progress | None) -> None:
    if config.preload:
        await synthesizer.voices.preload(progress)


def _map_errors(app: FastAPI, metrics: Metrics) -> None:
    """Every error leaves as `{"error": {...}}`; one that nobody foresaw says no more than that."""

    def answer(error: VivaVoceError) -> Response:
        metrics.rejected_inputs.labels(error.code).inc()
        return error_response(error)

    @app.exception_handler(VivaVoceError)
    async def known(_: Request, error: VivaVoceError) -> Response:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        fault = error.errors()[0]
        param = str(fault["loc"][-1]) if fault["loc"] else None
        return answer(InvalidParameter(f"{param}: {fault['msg']}", param=param))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(NotFound("no such route; see /docs"))
        response = answer(MethodNotAllowed(str(error.detail)))
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        return answer(VivaVoceError("the server failed; the log has the details under the request id"))


def _describe(app: FastAPI) -> None:
    """The OpenAPI document, with the speech body that its route reads by itself."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            body = speech_schema()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(body.pop("$defs", {}))
            schemas["SpeechBody"] = body
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def configure_logging(config: Config) -> None:
    """Send this package's log lines to standard error, as text for people or JSON for machines."""
    from vivavoce.logs import JsonFormatter, TextFormatter

    handler = logging.StreamHandler(sys.stderr)
    json_wanted = config.log_format == "json" or (config.log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(JsonFormatter() if json_wanted else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("vivavoce").setLevel(config.log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
