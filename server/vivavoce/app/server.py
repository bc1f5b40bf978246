"""The composition root: a Config becomes a running server; nothing else wires the network to the generator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from vivavoce import __version__
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.speech import SpeechEngine
from vivavoce.errors import ConfigError
from vivavoce.metrics import Metrics
from vivavoce.routes.calls import calls_router
from vivavoce.routes.catalogue import catalogue_router
from vivavoce.routes.errors import map_errors
from vivavoce.routes.live import live_router
from vivavoce.routes.openapi import describe
from vivavoce.routes.operations import operations_router
from vivavoce.routes.speech import speech_router
from vivavoce.routes.voices import voices_router
from vivavoce.serving.access import Access, is_loopback
from vivavoce.serving.gate import Gate
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc.calls import Calls
from vivavoce.voices.store import open_store
from vivavoce.web.routes import mount_page

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]


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
        if not await self.synthesizer.drain(self.config.limits.drain_timeout_s):
            logger.warning("%d utterances were cut off by the drain timeout", self.synthesizer.active)
        for hook in self.closing_hooks:
            await hook()


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
    access = Access.from_settings(config.access, config.server.host, metrics)
    synthesizer = build_synthesizer(config, metrics, engines)
    encoding = ThreadPoolExecutor(max_workers=2, thread_name_prefix="encoder")
    connections = Connections(config.live.max_sockets, metrics)
    decoding = DecodingService(metrics)
    calls = Calls(
        synthesizer,
        config.webrtc,
        config.live,
        allow_private=config.webrtc.ice_private or is_loopback(config.server.host),
        metrics=metrics,
        connections=connections,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await decoding.start()
        preload = asyncio.create_task(_preload(synthesizer, config, progress), name="preload")
        try:
            yield
        finally:
            preload.cancel()
            await asyncio.gather(preload, return_exceptions=True)
            await calls.aclose()
            await synthesizer.aclose()
            await decoding.aclose()
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
    app.include_router(
        voices_router(
            open_store(config.voices), config.limits, config.voices.voice, decoding, synthesizer.library.forget
        )
    )
    app.include_router(operations_router(synthesizer, metrics, lambda: server.draining))
    app.include_router(
        live_router(synthesizer, access, config.live, metrics=metrics, connections=connections, encoding=encoding)
    )
    app.include_router(calls_router(calls))
    if config.webrtc.fastrtc:
        _mount_fastrtc(app, synthesizer, config)
    server.drain_hooks.append(connections.begin_drain)
    server.closing_hooks += [connections.close_all, calls.aclose]
    map_errors(app, metrics)
    describe(app)
    mount_page(app)
    server.app = Gate(app, access, metrics)
    if config.access.cors and config.access.allowed_origins:
        server.app = CORSMiddleware(
            server.app,
            allow_origins=list(config.access.allowed_origins),
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
    mount(app, synthesizer, max_calls=config.webrtc.max_calls)


async def _preload(synthesizer: Synthesizer, config: Config, progress: Progress | None) -> None:
    if config.voices.preload:
        await synthesizer.library.preload(progress)
