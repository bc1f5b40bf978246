"""The queue in front of the books: who waits, who goes first, who is sent away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from vivavoce.errors import Overloaded, RateLimited
from vivavoce.machine.admission import Admission, Kind
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics

KIND = [Kind("engine", "model")]


def admissions(*, max_streams: int = 1, wait_s: float = 30.0, max_waiting: int = 64) -> Admissions:
    books = Admission(cores=2, max_streams=max_streams, max_streams_per_owner=32, first_audio_target_s=0.3, share=0.0)
    return Admissions(books, wait_s=wait_s, max_waiting=max_waiting, metrics=Metrics())


async def enter(door: Admissions, owner: str, order: list[str]) -> None:
    """Wait, note whose turn it is, and leave at once."""
    async with door.enter(owner, KIND):
        order.append(owner)


async def rounds(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def queued(door: Admissions, owners: str, order: list[str]) -> list[asyncio.Task[None]]:
    """One request for each letter, in this order, none of which finds room yet."""
    tasks = []
    for owner in owners:
        tasks.append(asyncio.create_task(enter(door, owner, order)))
        await rounds(2)
    return tasks


async def test_who_has_waited_longest_goes_first() -> None:
    door, order = admissions(), []  # type: tuple[Admissions, list[str]]
    async with door.enter("x", KIND):
        tasks = await queued(door, "abc", order)
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]


async def test_who_waits_for_the_last_room_is_told_that_it_is_for_others() -> None:
    door = admissions(max_streams=9, wait_s=0.0)
    door.books.share, door.books.share_of_one = 0.5, 0.5
    door.books.measured(KIND[0], 0.4, 1.0)
    async with door.enter("a", KIND):
        with pytest.raises(RateLimited, match="for other keys"):
            async with door.enter("a", KIND):
                pass
        async with door.enter("b", KIND):
            with pytest.raises(Overloaded):
                async with door.enter("c", KIND):
                    pass


async def test_who_holds_a_place_stands_behind_who_holds_none() -> None:
    door, order = admissions(max_streams=2), []  # type: tuple[Admissions, list[str]]
    async with door.enter("a", KIND):
        async with door.enter("x", KIND):
            tasks = await queued(door, "aab", order)
        await rounds()
        assert order[0] == "b"
    await asyncio.gather(*tasks)
    assert order == ["b", "a", "a"]


async def test_a_full_queue_sends_the_greedy_away_and_not_the_newcomer() -> None:
    door, order = admissions(max_waiting=3), []  # type: tuple[Admissions, list[str]]
    async with door.enter("x", KIND):
        greedy = await queued(door, "aaa", order)
        modest = await queued(door, "b", order)
        assert door.waiting == 3
        with pytest.raises(Overloaded):
            await greedy[-1]
        with pytest.raises(Overloaded):
            await enter(door, "a", order)
    await asyncio.gather(*greedy[:2], *modest)
    assert sorted(order) == ["a", "a", "b"]


async def test_a_queue_of_equals_refuses_at_once() -> None:
    door, order = admissions(max_waiting=2), []  # type: tuple[Admissions, list[str]]
    async with door.enter("x", KIND):
        tasks = await queued(door, "ab", order)
        with pytest.raises(Overloaded):
            await enter(door, "c", order)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("leave", [asyncio.CancelledError, ValueError])
async def test_whoever_leaves_makes_room_however_it_leaves(leave: Callable[[], BaseException]) -> None:
    door, order = admissions(), []  # type: tuple[Admissions, list[str]]
    with pytest.raises((asyncio.CancelledError, ValueError)):
        async with door.enter("x", KIND):
            raise leave()
    await enter(door, "a", order)
    assert order == ["a"]


async def test_one_that_gives_up_waiting_leaves_the_queue() -> None:
    door, order = admissions(), []  # type: tuple[Admissions, list[str]]
    async with door.enter("x", KIND):
        first, second = await queued(door, "ab", order)
        first.cancel()
        await rounds()
        assert door.waiting == 1
    await second
    assert order == ["b"]
