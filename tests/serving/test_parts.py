"""The first part that ends is the end of all."""

from __future__ import annotations

import asyncio

import pytest

from vivavoce.serving.parts import until_first_ends


class Part:
    """Waits to be let go; remembers whether it was stopped."""

    def __init__(self, error: Exception | None = None) -> None:
        self.go = asyncio.Event()
        self.stopped = False
        self._error = error

    async def run(self) -> None:
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        if self._error is not None:
            raise self._error


async def test_the_others_are_stopped() -> None:
    parts = [Part(), Part(), Part()]
    parts[1].go.set()
    assert await until_first_ends(*(part.run() for part in parts)) == 1
    assert [part.stopped for part in parts] == [True, False, True]


async def test_a_failure_is_everybodys() -> None:
    failing, other = Part(ValueError("no")), Part()
    failing.go.set()
    with pytest.raises(ValueError, match="no"):
        await until_first_ends(other.run(), failing.run())
    assert other.stopped


async def test_whoever_waits_may_be_cancelled() -> None:
    part = Part()
    waiting = asyncio.create_task(until_first_ends(part.run()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert part.stopped
