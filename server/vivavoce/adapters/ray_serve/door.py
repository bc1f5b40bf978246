"""What Ray Serve puts where clients come in: the whole server; Mouths make its speech, and Ears its words."""

from __future__ import annotations

import asyncio

from prometheus_client import Metric
from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp

from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.adapters.ray_serve.ray_calls import DOOR, EAR, MOUTH, RayEars, RayMouths
from vivavoce.adapters.ray_serve.ray_metrics import counted_everywhere, counted_here
from vivavoce.adapters.ray_serve.remote_listener import RemoteListener
from vivavoce.adapters.ray_serve.remote_speaker import RemoteSpeaker
from vivavoce.adapters.ray_serve.replica_metrics import Counted
from vivavoce.app.listener import build_ears, build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.app.server import Server, build_server
from vivavoce.app.services import Services
from vivavoce.app.translation import local_translators
from vivavoce.config import Config
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics


@serve.ingress(None)
class DoorReplica:
    """A server whose computing is done elsewhere.

    Args:
        config: settings.
        mouths: handle of the Mouths.
        ears: handle of the Ears; None: this machine hears for itself.
        parts: instead of the configured ones.
    """

    def __init__(self, config: Config, mouths: DeploymentHandle, ears: DeploymentHandle | None, parts: Parts) -> None:
        configure_logging(config.logs.log_level, config.logs.log_format)
        self._config = config
        self._parts = parts
        self._mouths = RayMouths(mouths)
        self._ears = None if ears is None else RayEars(ears)
        self._server: Server | None = None

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application, on the replica's event loop."""
        self._server = await asyncio.to_thread(build_server, self._config, services=self._services)
        for service in (self._server.synthesizer, self._server.transcriber):
            if isinstance(service, RemoteSpeaker | RemoteListener):
                await service.start()
        return self._server.app

    def _services(self, config: Config, metrics: Metrics) -> Services:
        speaker = RemoteSpeaker(self._mouths, config, metrics)
        activity = None if self._parts.activity is None else self._parts.activity()
        machine = build_machine(config, metrics)
        translators = local_translators(machine)
        if self._ears is None:
            recognizers = None if self._parts.recognizers is None else self._parts.recognizers()
            transcriber = build_transcriber(config, metrics, machine, recognizers, activity)
            return Services(speaker, transcriber, None, transcriber.ears, translators, self._everywhere)
        listener = RemoteListener(self._ears, build_ears(machine, metrics, activity), machine, config)
        return Services(speaker, listener, None, listener.ears, translators, self._everywhere)

    async def counted(self) -> Counted:
        """The numbers of this replica."""
        return counted_here(self._server.metrics if self._server is not None else Metrics())

    async def _everywhere(self) -> list[Metric]:
        return await counted_everywhere((DOOR, MOUTH) if self._ears is None else (DOOR, MOUTH, EAR))
