"""What Ray Serve puts where clients come in: the whole server, whose speech is made by Mouths."""

from __future__ import annotations

import asyncio

from ray import serve
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp

from vivavoce.adapters.ray_serve.ray_calls import RayMouths
from vivavoce.adapters.ray_serve.remote_speaker import RemoteSpeaker
from vivavoce.app.listener import build_transcriber
from vivavoce.app.server import Server, build_server
from vivavoce.app.services import Services
from vivavoce.config import Config
from vivavoce.logs import configure_logging
from vivavoce.metrics import Metrics


@serve.ingress(None)
class DoorReplica:
    """A server whose speech is made elsewhere.

    Args:
        config: settings.
        mouths: handle of the Mouths.
    """

    def __init__(self, config: Config, mouths: DeploymentHandle) -> None:
        configure_logging(config.logs.log_level, config.logs.log_format)
        self._config = config
        self._mouths = RayMouths(mouths)
        self._server: Server | None = None

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application, on the replica's event loop."""
        speakers: list[RemoteSpeaker] = []

        def services(config: Config, metrics: Metrics) -> Services:
            speakers.append(RemoteSpeaker(self._mouths, config, metrics))
            transcriber = build_transcriber(config, metrics)
            return Services(speakers[0], transcriber, ears=transcriber.ears)

        self._server = await asyncio.to_thread(build_server, self._config, services=services)
        await speakers[0].start()
        return self._server.app
