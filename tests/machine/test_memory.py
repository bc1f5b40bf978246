"""What is in memory: loaded once, shared, the least recently used leaves, failures remembered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fake_engine import wait_until
from vivavoce.errors import VoiceUnavailable
from vivavoce.machine.memory import RETRY_AFTER_S, Residents


@dataclass(frozen=True, slots=True)
class Model:
    """Holds a megabyte."""

    name: str
    memory_bytes: int = 1 << 20


class Shelf:
    """Residents with a clock by hand, and a list of what was loaded and unloaded."""

    def __init__(self, models: int = 100) -> None:
        self.now_s = 0.0
        self.loads: list[str] = []
        self.unloads: list[str] = []
        self.residents: Residents[Model] = Residents(models << 20, clock=lambda: self.now_s)

    def loader(self, name: str) -> Callable[[], Model]:
        def load() -> Model:
            self.loads.append(name)
            return Model(name)

        return load

    async def use(self, name: str) -> None:
        self.now_s += 1
        async with self.residents.hold(name, self.loader(name), self.unload) as model:
            assert model.name == name

    def unload(self, model: Model) -> None:
        self.unloads.append(model.name)

    async def unloaded(self, *names: str) -> None:
        """Unloading takes a thread."""
        await asyncio.to_thread(wait_until, lambda: len(self.unloads) >= len(names))
        assert sorted(self.unloads) == sorted(names)


async def test_a_model_is_loaded_once_for_everybody() -> None:
    shelf = Shelf()
    await asyncio.gather(*(shelf.use("a") for _ in range(10)))
    await shelf.use("a")
    assert shelf.loads == ["a"]
    assert shelf.residents.is_loaded("a")


async def test_idle_models_leave_least_recently_used_first() -> None:
    shelf = Shelf(models=2)
    for name in ("a", "b", "a", "c"):
        await shelf.use(name)
    await shelf.unloaded("b")
    assert set(shelf.residents.loaded()) == {"a", "c"}


async def test_a_model_in_use_is_never_unloaded_and_leaves_when_it_is_not() -> None:
    shelf = Shelf(models=1)
    hold = shelf.residents.hold
    async with hold("a", shelf.loader("a"), shelf.unload):
        await shelf.use("b")
        async with hold("c", shelf.loader("c"), shelf.unload):
            assert "a" not in shelf.unloads
            assert "c" not in shelf.unloads
    await asyncio.to_thread(wait_until, lambda: len(shelf.unloads) == 2)
    assert len(shelf.residents) == 1


async def test_one_that_is_forgotten_while_it_is_used_is_freed_by_its_last_user() -> None:
    shelf = Shelf()
    async with shelf.residents.hold("a", shelf.loader("a"), shelf.unload):
        shelf.residents.forget("a")
        assert not shelf.residents.is_loaded("a")
        await shelf.use("a")
        assert shelf.unloads == []
    await shelf.unloaded("a")
    assert shelf.loads == ["a", "a"]


async def test_one_that_is_forgotten_while_it_is_loaded_is_not_kept() -> None:
    shelf, begun, go = Shelf(), threading.Event(), threading.Event()

    def load() -> Model:
        begun.set()
        go.wait(10)
        return Model("old")

    async def use() -> str:
        async with shelf.residents.hold("a", load, shelf.unload) as model:
            return model.name

    using = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 10)
    shelf.residents.forget("a")
    go.set()
    assert await using == "old", "who waited for it gets it"
    assert not shelf.residents.is_loaded("a")
    await shelf.unloaded("old")


async def test_a_failed_load_is_remembered_for_a_while() -> None:
    shelf, tries = Shelf(), 0

    def load() -> Model:
        nonlocal tries
        tries += 1
        raise VoiceUnavailable("its files are damaged")

    for expected in (1, 1):
        with pytest.raises(VoiceUnavailable, match="damaged"):
            async with shelf.residents.hold("a", load):
                pass
        assert tries == expected
        failure = shelf.residents.failure("a")
        assert failure is not None
        assert failure.message == "its files are damaged"
    shelf.now_s += RETRY_AFTER_S
    assert shelf.residents.failure("a") is None
    await shelf.use("a")
    assert shelf.residents.is_loaded("a")


async def test_forgetting_forgets_a_failure_too() -> None:
    shelf = Shelf()

    def load() -> Model:
        raise VoiceUnavailable("gone")

    with pytest.raises(VoiceUnavailable):
        async with shelf.residents.hold("a", load):
            pass
    shelf.residents.forget("a")
    await shelf.use("a")


async def test_a_long_load_holds_up_nobody_else() -> None:
    shelf, go = Shelf(), threading.Event()

    def load() -> Model:
        go.wait(10)
        return Model("slow")

    async def use() -> None:
        async with shelf.residents.hold("slow", load):
            pass

    waiting = [asyncio.create_task(use()) for _ in range(3)]
    await asyncio.sleep(0)
    await shelf.use("quick")
    assert shelf.residents.is_loading("slow")
    go.set()
    await asyncio.gather(*waiting)


async def test_whoever_stops_waiting_does_not_stop_the_load_for_others() -> None:
    shelf, begun, go = Shelf(), threading.Event(), threading.Event()

    def load() -> Model:
        begun.set()
        go.wait(10)
        return Model("a")

    async def use() -> str:
        async with shelf.residents.hold("a", load) as model:
            return model.name

    first, second = asyncio.create_task(use()), asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    go.set()
    assert await second == "a"
    assert first.cancelled()


async def test_a_load_that_never_ends_does_not_keep_the_process() -> None:
    """Its thread dies with it."""
    shelf, go = Shelf(), threading.Event()
    task = asyncio.create_task(_hold(shelf, go))
    await asyncio.to_thread(wait_until, lambda: any(t.name == "loader" for t in threading.enumerate()))
    assert all(t.daemon for t in threading.enumerate() if t.name == "loader")
    go.set()
    await task


async def _hold(shelf: Shelf, go: threading.Event) -> None:
    def load() -> Model:
        go.wait(10)
        return Model("a")

    async with shelf.residents.hold("a", load):
        pass
