"""The check that runs under every server of the tests does find a blocking call, and only on an event loop."""

from __future__ import annotations

import asyncio

import pytest
from blockbuster import BlockingError

from blocking_calls import no_blocking_calls
from fake_engine import FakeEngine
from live_server import live_server
from vivavoce.config import Config
from vivavoce.settings import load


async def read_settings() -> Config:
    """Looks for `vivavoce.toml` on the disk: fine at start, not on a loop."""
    return load(environment={})


async def test_a_file_that_is_looked_for_on_the_loop_is_found_out() -> None:
    assert await read_settings()
    with no_blocking_calls():
        assert await asyncio.to_thread(load, environment={})
        with pytest.raises(BlockingError, match=r"os\.stat"):
            await read_settings()
    assert await read_settings()


def test_it_watches_the_loop_of_a_live_server() -> None:
    with live_server([FakeEngine()]) as server, pytest.raises(BlockingError, match=r"os\.stat"):
        asyncio.run_coroutine_threadsafe(read_settings(), server.loop).result(10)
