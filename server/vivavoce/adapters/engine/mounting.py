"""Puts the services on a server: their routes, their queues, their word to the engines. Called by `app/`."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import Executor, ThreadPoolExecutor

import httpx
from fastapi import FastAPI

from vivavoce.adapters.engine.announcing import Announcement, Announcer
from vivavoce.adapters.engine.routes import engine_router
from vivavoce.adapters.engine.services import ImageToText, Means, TextToAudio
from vivavoce.adapters.engine.tasks import Places
from vivavoce.adapters.engine.work import TaskQueue
from vivavoce.config import EngineSettings, LimitSettings
from vivavoce.decoding.service import DecodingService
from vivavoce.errors import ConfigError
from vivavoce.hosted.inference import HostedModels

DOCS = "https://huggingface.co/docs/inference-providers"


class EngineAdapter:
    """Both services, from start to stop."""

    def __init__(
        self,
        settings: EngineSettings,
        limits: LimitSettings,
        models: HostedModels | None,
        decoding: DecodingService,
        encoding: Executor,
    ) -> None:
        if models is None:
            raise ConfigError("engine_url needs `hosted = true`: its tasks call models on other machines")
        if not settings.engine_service_url:
            raise ConfigError("engine_url needs engine_service_url: the address under which engines reach this server")
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=10.0)
        self._announcer = Announcer(
            settings.engine_url,
            self._client,
            retries=settings.engine_announce_retries,
            retry_delay_s=settings.engine_announce_retry_delay_s,
        )
        self._storing = ThreadPoolExecutor(settings.engine_tasks_at_once * 2, thread_name_prefix="storage")
        means = Means(models=models, decoding=decoding, encoding=encoding, storing=self._storing, limits=limits)
        services = (TextToAudio(means), ImageToText(means))
        self._queues = {
            service.slug: TaskQueue(
                service,
                self._announcer.tell,
                max_tasks=settings.engine_max_tasks,
                at_once=settings.engine_tasks_at_once,
            )
            for service in services
        }
        self._secret = secrets.token_urlsafe(16)
        base = f"{settings.engine_service_url.rstrip('/')}/engine/{self._secret}"
        self._announcements = [Announcement(service, f"{base}/{service.slug}", DOCS) for service in services]
        self._places = Places(settings.engine_storage, settings.engine_url)
        self._limits = limits
        self._drained = False
        self._announcing: list[asyncio.Task[None]] = []

    def mount(self, app: FastAPI) -> None:
        """Add the routes."""
        app.include_router(engine_router(self._secret, self._queues, self._places, self._limits))

    def start(self) -> None:
        """Begin to work and to announce; on a running loop."""
        for queue in self._queues.values():
            queue.start()
        self._announcing = [
            asyncio.create_task(self._announcer.keep(announcement), name="engine-keep")
            for announcement in self._announcements
        ]

    async def drain(self, timeout_s: float) -> None:
        """No more tasks: say good night, end or give back what is there. Any number of times."""
        if self._drained:
            return
        self._drained = True
        for keeping in self._announcing:
            keeping.cancel()
        await asyncio.gather(*self._announcing, return_exceptions=True)
        self._announcing = []
        await asyncio.gather(*(self._announcer.sleeping(announcement) for announcement in self._announcements))
        await asyncio.gather(*(queue.stop(timeout_s) for queue in self._queues.values()))

    async def aclose(self) -> None:
        """Free everything."""
        await self.drain(0.0)
        await self._client.aclose()
        self._storing.shutdown(wait=False, cancel_futures=True)
