"""Names to voices, and which of them are in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fake_engine import FakeEngine, FakeVoice, wait_until
from vivavoce.errors import UnknownVoice, VoiceUnavailable
from vivavoce.machine.memory import RETRY_AFTER_S, Residents
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.voice_library import VoiceLibrary

Make = Callable[..., VoiceLibrary]


@pytest.fixture
def now_s() -> list[float]:
    """The memory's clock."""
    return [0.0]


@pytest.fixture
def make_library(now_s: list[float]) -> Make:
    def make(engine: FakeEngine, *, default: str | None = None, memory_bytes: int = 1 << 30) -> VoiceLibrary:
        residents: Residents[Any] = Residents(memory_bytes, clock=lambda: now_s[0])
        return VoiceLibrary([engine], default=default, residents=residents, metrics=Metrics())

    return make


async def unloaded(engine: FakeEngine, *names: str) -> None:
    """Unloading takes a thread."""
    await asyncio.to_thread(wait_until, lambda: len(engine.unloads) >= len(names))
    assert engine.unloads == list(names)


async def load(library: VoiceLibrary, name: str) -> None:
    async with library.acquire(name):
        pass


async def test_a_voice_is_loaded_once_for_everybody(make_library: Make) -> None:
    engine = FakeEngine()
    library = make_library(engine)

    async def use() -> None:
        async with library.acquire("alpha"):
            await asyncio.sleep(0)

    await asyncio.gather(*(use() for _ in range(10)))
    assert engine.loads == ["alpha"]
    assert engine.unloads == []


async def test_a_voice_forgotten_while_it_speaks_leaves_when_it_ends(make_library: Make) -> None:
    engine = FakeEngine()
    library = make_library(engine)
    async with library.acquire("alpha"):
        library.forget("alpha")
        assert engine.unloads == []
    await unloaded(engine, "alpha")


async def test_a_voice_that_is_gone_from_disk_leaves_memory(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b"))
    library = make_library(engine)
    async with library.acquire("a"):
        pass
    del engine.levels["a"]
    assert [v.id for v in library.list()] == ["b"]
    await unloaded(engine, "a")


class Flaky(FakeEngine):
    """Its first voice cannot be loaded until it is repaired."""

    repaired = False

    def load_voice(self, voice_id: str, progress: Progress | None = None) -> FakeVoice:
        if not self.repaired and voice_id == next(iter(self.levels)):
            self.loads.append(voice_id)
            raise VoiceUnavailable(f"voice '{voice_id}' is damaged")
        return super().load_voice(voice_id, progress)


async def test_a_load_that_failed_is_told_and_no_default(make_library: Make, now_s: list[float]) -> None:
    """Whoever names no voice is spoken to by one that can."""
    engine = Flaky(["alpha", "beta"])
    library = make_library(engine, default="alpha")
    assert library.default_id() == "alpha"
    for _ in range(2):
        with pytest.raises(VoiceUnavailable, match="damaged"):
            await load(library, "alpha")
    assert engine.loads == ["alpha"], "nobody waits for it a second time"
    assert {v.id: v.problem for v in library.list()} == {"alpha": "voice 'alpha' is damaged", "beta": None}
    assert library.default_id() == "beta"
    assert library.choose("alloy").info.id == "beta"
    await load(library, "default")
    now_s[0] += RETRY_AFTER_S
    assert library.default_id() == "beta", "nobody who names none is made to try it again"
    assert library.is_ready()
    engine.repaired = True
    await load(library, "alpha")
    assert library.default_id() == "alpha"


async def test_a_loader_that_breaks_is_a_voice_that_cannot_be_loaded(make_library: Make) -> None:
    engine = FakeEngine(["alpha", "beta"])

    def broken(*_: object) -> FakeVoice:
        raise RuntimeError("what a library says of a damaged file")

    engine.load_voice = broken  # type: ignore[method-assign, assignment]
    library = make_library(engine)
    with pytest.raises(VoiceUnavailable, match="cannot be loaded"):
        await load(library, "alpha")
    assert library.default_id() == "beta"


async def test_ready_means_that_a_request_sent_now_is_spoken(make_library: Make) -> None:
    gate = threading.Event()
    engine = FakeEngine(["alpha", "beta"])
    instant = engine.load_voice

    def slow(voice_id: str, progress: Progress | None = None) -> FakeVoice:
        if voice_id == "alpha":
            gate.wait(10)
        return instant(voice_id, progress)

    engine.load_voice = slow  # type: ignore[method-assign]
    library = make_library(engine)
    loading = asyncio.create_task(load(library, "alpha"))
    await asyncio.sleep(0)
    assert not library.is_ready()
    await load(library, "beta")  # one voice's preparation holds up no other
    assert not library.is_ready(), "whoever names none still waits"
    gate.set()
    await loading
    assert library.is_ready()


def test_without_a_voice_that_can_speak_nothing_is_ready(make_library: Make) -> None:
    assert not make_library(FakeEngine(voices=(), missing=("gone",))).is_ready()


def test_names(make_library: Make) -> None:
    library = make_library(FakeEngine(voices=("a", "b")), default="b")
    assert library.choose("a").info.id == "a"
    for alias in ("default", "alloy", "cedar"):
        assert library.choose(alias).info.id == "b"
    with pytest.raises(UnknownVoice, match="known: a, b"):
        library.choose("c")
    with pytest.raises(UnknownVoice):
        library.choose("a/Sad")


def test_no_new_voice_may_have_a_name_that_means_one_already(make_library: Make) -> None:
    """Or a clone called `alloy` would speak to every client that names none of this server's voices."""
    library = make_library(FakeEngine(voices=("a", "b")))
    assert library.spoken_for() >= {"a", "b", "alloy", "cedar", "default", "auto", "vivavoce", "fake"}
    assert "c" not in library.spoken_for()


def test_the_default_and_the_marked_are_preloaded(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b"), missing=("gone",))
    assert [v.id for v in make_library(engine, default="b").to_preload()] == ["b"]
