"""Places: bounded in all, a share for each, and the one with the fewest is next."""

from __future__ import annotations

import asyncio

import pytest

from vivavoce.decoding.places import Places
from vivavoce.errors import Overloaded, RateLimited


class Holders:
    """Tasks that hold a place until they are let go; `order` says who got one."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._leave: dict[str, asyncio.Event] = {}

    async def come(self, name: str) -> None:
        self._leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name))
        await _settled()

    async def go(self, name: str) -> None:
        self._leave[name].set()
        await self.tasks[name]
        await _settled()

    async def _hold(self, name: str) -> None:
        async with self._places.enter(name[0]):
            self.order.append(name)
            await self._leave[name].wait()


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_has_the_fewest_is_next() -> None:
    holders = Holders(Places("files", at_once=2, waiting=9, per_owner=9))
    for name in ("a1", "a2", "a3", "a4", "b1"):
        await holders.come(name)
    assert holders.order == ["a1", "a2"]
    await holders.go("a1")
    assert holders.order[2:] == ["b1"], "a has one already"
    await holders.go("a2")
    await holders.go("b1")
    assert holders.order == ["a1", "a2", "b1", "a3", "a4"]
    await holders.go("a3")
    await holders.go("a4")


async def test_one_owner_takes_his_share_and_leaves_the_rest() -> None:
    holders = Holders(Places("recordings", at_once=4, waiting=9, per_owner=9, share=0.5))
    for name in ("a1", "a2", "a3", "a4"):
        await holders.come(name)
    assert holders.order == ["a1", "a2"]
    await holders.come("b1")
    await holders.come("c1")
    assert holders.order == ["a1", "a2", "b1", "c1"], "nobody waits behind another's pile"
    await holders.go("b1")
    assert holders.order[4:] == []
    await holders.go("a2")
    assert holders.order[4:] == ["a3"]
    holders.tasks["a4"].cancel()
    for name in ("a1", "a3", "c1"):
        await holders.go(name)
    assert holders.order[4:] == ["a3"]
    for name in ("d1", "e1", "f1", "g1"):
        await holders.come(name)
    assert holders.order[5:] == ["d1", "e1", "f1", "g1"], "every place has come back"
    for name in ("d1", "e1", "f1", "g1"):
        await holders.go(name)


async def test_bounds() -> None:
    places = Places("files", at_once=1, waiting=1, per_owner=2)
    holders = Holders(places)
    await holders.come("a1")
    await holders.come("a2")
    with pytest.raises(RateLimited, match="you have 2 files"):
        async with places.enter("a"):
            pass
    with pytest.raises(Overloaded, match="too many files"):
        async with places.enter("b"):
            pass
    await holders.go("a1")
    await holders.go("a2")
    async with places.enter("b"):
        pass


async def test_one_that_gives_up_waiting_leaves_its_place() -> None:
    holders = Holders(Places("files", at_once=1, waiting=2, per_owner=2))
    for name in ("a1", "b1", "c1"):
        await holders.come(name)
    holders.tasks["b1"].cancel()
    await _settled()
    await holders.go("a1")
    assert holders.order == ["a1", "c1"]
    holders.tasks["c1"].cancel()
    await _settled()
    await holders.come("d1")
    await holders.go("d1")


async def test_one_that_is_called_and_gives_up_at_once_passes_it_on() -> None:
    holders = Holders(Places("files", at_once=1, waiting=2, per_owner=2))
    for name in ("a1", "b1", "c1"):
        await holders.come(name)
    holders._leave["a1"].set()
    await asyncio.wait([holders.tasks["a1"]])
    holders.tasks["b1"].cancel()
    await _settled()
    assert holders.order[-1] == "c1"
    await holders.go("c1")
