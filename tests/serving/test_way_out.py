"""The way out: a signal drains, a second one does not, and neither waits for what hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from vivavoce.serving.uvicorn_server import LEAVE_AT_ONCE_S, LEAVE_WITHIN_S, DrainingServer

TESTS = Path(__file__).parents[1]

HUNG = """
import asyncio, threading
import uvicorn
from fake_engine import FakeEngine
from vivavoce.app.server import build_server
from vivavoce.config import Config
from vivavoce.serving.uvicorn_server import DrainingServer, uvicorn_options

def hang(streams):
    print("hangs", flush=True)
    threading.Event().wait()

config = Config(port=0, admission_share=0.0, drain_timeout_s={drain_s}, step_timeout_s=3600.0, preload=False)
server = build_server(config, [FakeEngine(before_step=hang)])
options = uvicorn.Config(server.app, port=0, **uvicorn_options(), log_config=None, timeout_graceful_shutdown=1)

async def drain():
    print("drains", flush=True)
    await server.drain()

asyncio.run(DrainingServer(
    options, drain=drain, started_with=lambda port: print(port, flush=True), drain_within_s={drain_s}
).serve())
print("ended", flush=True)
"""


class Timers:
    """In the place of `threading.Timer`: what was to happen, and when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[threading.Timer] = []

        real = threading.Timer

        def make(seconds: float, function: Callable[[], None]) -> threading.Timer:
            timer = real(seconds, function)
            timer.start = lambda: None  # type: ignore[method-assign]
            self.made.append(timer)
            return timer

        monkeypatch.setattr(threading, "Timer", make)

    @property
    def seconds(self) -> list[float]:
        return [timer.interval for timer in self.made]


async def nothing(*_: object) -> None:
    """An application, and a drain."""


def draining_server(left: list[int]) -> DrainingServer:
    options = uvicorn.Config(nothing, log_config=None)
    return DrainingServer(
        options, drain=nothing, started_with=lambda port: None, drain_within_s=30.0, leave=left.append
    )


async def test_a_signal_drains_and_sets_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    timers, left = Timers(monkeypatch), []  # type: tuple[Timers, list[int]]
    server = draining_server(left)
    server.loop = asyncio.get_running_loop()
    server.handle_exit(signal.SIGTERM, None)
    assert (server.should_exit, server.force_exit) == (False, False)
    await asyncio.sleep(0)  # the loop begins the drain
    assert server.draining is not None
    await server.draining
    assert (server.should_exit, server.force_exit) == (True, False)
    assert timers.seconds == [30.0 + LEAVE_WITHIN_S]
    assert all(timer.daemon for timer in timers.made), "one that is left over keeps nobody"
    assert left == []
    timers.made[0].function()
    assert left == [1]


async def test_a_second_signal_ends_it_now(monkeypatch: pytest.MonkeyPatch) -> None:
    timers, left = Timers(monkeypatch), []  # type: tuple[Timers, list[int]]
    server = draining_server(left)
    server.loop = asyncio.get_running_loop()
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)  # before the loop had a chance to begin
    assert (server.should_exit, server.force_exit) == (True, True)
    assert timers.seconds == [30.0 + LEAVE_WITHIN_S, LEAVE_AT_ONCE_S]
    await asyncio.sleep(0)


@pytest.mark.parametrize(("drain_s", "signals", "client_stays"), [(0.5, 1, True), (60.0, 1, False), (60.0, 2, True)])
def test_a_hung_step_does_not_keep_the_process(drain_s: float, signals: int, client_stays: bool) -> None:
    """Whether its client waits or has gone; a second signal does not even wait for the drain."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", HUNG.format(drain_s=drain_s)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1/audio/speech"
            with httpx.Client(timeout=None if client_stays else 0.3) as client:
                asking = threading.Thread(target=_ask, args=(client, url), daemon=True)
                asking.start()
                assert process.stdout.readline() == "hangs\n"
                if not client_stays:
                    asking.join()
                process.send_signal(signal.SIGTERM)
                assert process.stdout.readline() == "drains\n"
                if signals == 2:
                    process.send_signal(signal.SIGTERM)
                status = process.wait(timeout=45)
            assert status in ((0,) if signals == 1 else (0, 1))
        finally:
            process.kill()


def _ask(client: httpx.Client, url: str) -> None:
    with suppress(httpx.HTTPError):
        client.post(url, json={"input": "Hello.", "response_format": "pcm"})
