"""Slow means slower than real time, in bytes taken: never the time of one write."""

from __future__ import annotations

import asyncio
import gc
import itertools
import socket
import threading

import pytest

from fake_engine import FakeEngine, wait_until
from live_server import live_server
from vivavoce.serving.taking import LOOK_EVERY_S, STEP_BYTES, Taking, TakingPace

STALL_S = 30.0


def judged(rate: float, pace: float, step: int = STEP_BYTES, hours: float = 1.0) -> bool:
    """Is a client cut off that takes `pace` times real time, in steps, of sound that makes `rate` bytes a second?"""
    taking = TakingPace(STALL_S)
    seconds = hours * 3600
    taking.wrote(round(rate * seconds), seconds)
    total = rate * seconds
    for look in itertools.count():
        now_s = look * LOOK_EVERY_S
        if now_s >= seconds:
            return False
        taken = int(rate * pace * now_s) // step * step
        if taking.is_too_slow(round(total - taken), now_s):
            return True
    raise AssertionError


@pytest.mark.parametrize("rate", [1_500, 4_000, 16_000, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("pace", [1.0, 0.9, 2.0])
def test_a_listener_in_real_time_is_never_cut_off(rate: float, pace: float) -> None:
    assert not judged(rate, pace)


@pytest.mark.parametrize(("before", "after"), [(192_000, 750), (96_000, 1_500), (750, 192_000)])
def test_a_connection_that_goes_on_in_another_format_is_judged_by_that(before: int, after: int) -> None:
    """A minute of PCM, then Opus all at once, played in real time: its bytes are few, and none is late."""
    taking = TakingPace(STALL_S)
    for rate, seconds in ((before, 60), (after, 600)):
        for _ in range(seconds * 5):
            taking.wrote(rate // 5, 0.2)
    unsent = 600 * 5 * (after // 5)
    for now_s in range(600):
        assert not taking.is_too_slow(unsent - min(unsent, int(after * now_s)), float(now_s)), now_s


@pytest.mark.parametrize("rate", [1_500, 16_000, 96_000])
def test_one_that_takes_nothing_is(rate: float) -> None:
    assert judged(rate, 0.0)


@pytest.mark.parametrize("rate", [48_000, 96_000])
def test_one_that_takes_a_trickle_is(rate: float) -> None:
    assert judged(rate, 0.02, step=1)


def test_waits_are_judged_apart() -> None:
    taking = TakingPace(STALL_S)
    taking.wrote(1_000_000, 10.0)
    assert not taking.is_too_slow(500_000, 0.0)
    taking.caught_up()
    assert not taking.is_too_slow(500_000, 100.0)
    assert taking.is_too_slow(500_000, 100.0 + STALL_S)


def test_a_slow_but_steady_reader_hears_all() -> None:
    """Whole writes wait for longer than the limit; bytes are taken all the time."""
    engine = FakeEngine(step_samples=24_000)
    body = b'{"input": "' + b"word " * 4 + b'", "response_format": "pcm"}'
    with (
        live_server([engine], stall_timeout_s=0.6) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        client.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        client.settimeout(20)
        got, pause = 0, threading.Event()
        while part := client.recv(16_384):
            got += len(part)
            pause.wait(0.005)
        assert got > 500_000
        wait_until(lambda: server.server.synthesizer.speaking == 0)
        assert server.metric("voice_requests_total", route="speech", outcome="completed", reason="") == 1


async def test_a_write_that_fails_while_nobody_waits_for_it_is_no_riddle(caplog: pytest.LogCaptureFixture) -> None:
    async def write() -> None:
        raise ConnectionError

    waiting = asyncio.ensure_future(Taking({}, STALL_S).send(write(), 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gc.collect()
    assert "never retrieved" not in caplog.text
