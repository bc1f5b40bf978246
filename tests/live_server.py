"""A real server on a free port of loopback, in a thread of its own, with engines of the test's choosing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from blocking_calls import no_blocking_calls
from vivavoce.app.server import Server, build_server
from vivavoce.config import Config
from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.speech import SpeechEngine
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.serving.uvicorn_server import DrainingServer, uvicorn_options


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A running server and how to reach it."""

    port: int
    server: Server
    loop: asyncio.AbstractEventLoop
    uvicorn_server: DrainingServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def metric(self, name: str, **labels: str) -> float:
        """A sample of the server's registry; 0 where it does not exist yet."""
        return self.server.metrics.registry.get_sample_value(name, labels) or 0.0

    def tasks(self) -> set[str]:
        """Names of the tasks of its loop."""

        async def names() -> set[str]:
            return {task.get_name() for task in asyncio.all_tasks()}

        return asyncio.run_coroutine_threadsafe(names(), self.loop).result(5)


@contextmanager
def live_server(
    engines: Sequence[SpeechEngine] | None = None,
    *,
    recognizers: Sequence[Recognizer] | None = None,
    activity: VoiceActivity | None = None,
    max_connections: int = 4000,
    **settings: Any,
) -> Iterator[LiveServer]:
    """Serve until the block ends. `settings` are fields of the Config. A blocking call on the server's loop fails."""
    config = Config(
        **{"port": 0, "admission_share": 0.0, "preload_recognizer": False, "preload_chat": False, **settings}
    )
    with ThreadPoolExecutor(1) as elsewhere:  # reads files: not on the event loop of an asynchronous test
        server = elsewhere.submit(build_server, config, engines, recognizers=recognizers, activity=activity).result()
    started = threading.Event()
    ports: list[int] = []

    def greet(port: int) -> None:
        ports.append(port)
        started.set()

    uvicorn_config = uvicorn.Config(
        server.app,
        host="127.0.0.1",
        port=0,
        **uvicorn_options(max_connections),
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    uvicorn_server = DrainingServer(
        uvicorn_config,
        drain=server.drain,
        started_with=greet,
        leave=lambda status: None,  # the process is the tests': a server that hangs fails below
    )
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        await uvicorn_server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="live-server", daemon=True)
    thread.start()
    assert started.wait(60), "the server did not start"
    try:
        with no_blocking_calls():
            yield LiveServer(ports[0], server, loops[0], uvicorn_server)
    finally:
        uvicorn_server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"
