"""What a Door does beside its calls goes on until it is ended."""

from __future__ import annotations

import asyncio

import pytest

from vivavoce.adapters.ray_serve import upkeep
from vivavoce.adapters.ray_serve.upkeep import Upkeep


async def test_it_looks_again_also_after_a_look_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "REFRESH_S", 0.0)
    looks, enough = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            enough.set()
        raise KeyError

    kept = Upkeep()
    assert not kept.looks
    kept.look_again(look, name="look")
    assert kept.looks
    async with asyncio.timeout(20):
        await enough.wait()
    await kept.aclose()
    assert not kept.looks
    assert "look" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_what_is_under_way_is_ended() -> None:
    began, ended = asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    kept = Upkeep()
    kept.begin(work(), name="work")
    await began.wait()
    await kept.aclose()
    assert ended
