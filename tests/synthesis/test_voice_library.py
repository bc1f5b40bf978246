"""Names to voices, and which of them are in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from fake_engine import FakeEngine, FakeVoice
from vivavoce.errors import UnknownVoice, VoiceUnavailable
from vivavoce.metrics import Metrics
from vivavoce.synthesis.voice_library import VoiceLibrary

Make = Callable[..., VoiceLibrary]


@pytest.fixture
async def make_library() -> AsyncIterator[Make]:
    made: list[VoiceLibrary] = []

    def make(engine: FakeEngine, *, default: str | None = None, memory_bytes: int = 1 << 30) -> VoiceLibrary:
        made.append(VoiceLibrary([engine], default=default, memory_bytes=memory_bytes, metrics=Metrics()))
        return made[-1]

    yield make
    for library in made:
        await asyncio.to_thread(library.close)


async def test_a_voice_is_loaded_once_for_everybody(make_library: Make) -> None:
    engine = FakeEngine()
    library = make_library(engine)

    async def use() -> None:
        async with library.acquire("alpha"):
            await asyncio.sleep(0)

    await asyncio.gather(*(use() for _ in range(10)))
    assert engine.loads == ["alpha"]
    assert engine.unloads == []


async def test_idle_voices_leave_least_recently_used_first(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b", "c"))
    library = make_library(engine, memory_bytes=2_000_000)  # two of them
    for name in ("a", "b", "a", "c"):
        async with library.acquire(name):
            pass
    assert engine.unloads == ["b"]
    assert set(library.loaded_ids()) == {"a", "c"}


async def test_a_voice_in_use_is_never_thrown_out(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b"))
    library = make_library(engine, memory_bytes=1)
    async with library.acquire("a"), library.acquire("b"):
        assert engine.unloads == []


async def test_a_voice_forgotten_while_it_speaks_leaves_when_it_ends(make_library: Make) -> None:
    engine = FakeEngine()
    library = make_library(engine)
    async with library.acquire("alpha"):
        library.forget("alpha")
        assert engine.unloads == []
    assert engine.unloads == ["alpha"]


async def test_a_voice_that_is_gone_from_disk_leaves_memory(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b"))
    library = make_library(engine)
    async with library.acquire("a"):
        pass
    del engine.levels["a"]
    assert [v.id for v in library.list()] == ["b"]
    assert engine.unloads == ["a"]


async def test_a_voice_that_cannot_be_loaded_is_listed_with_the_reason(make_library: Make) -> None:
    engine = FakeEngine(["alpha", "beta"])
    library = make_library(engine)
    load, failures = engine.load_voice, iter([VoiceUnavailable("voice 'alpha' is damaged")])

    def loading(voice_id: str, progress: Callable[[str, float], None] | None = None) -> FakeVoice:
        for failure in failures:
            raise failure
        return load(voice_id, progress)

    engine.load_voice = loading  # type: ignore[method-assign]
    await library.preload()

    assert {v.id: v.problem for v in library.list()} == {"alpha": "voice 'alpha' is damaged", "beta": None}
    assert library.default_id() == "beta"
    async with library.acquire("alpha"):
        assert {v.id: v.problem for v in library.list()} == {"alpha": None, "beta": None}


async def test_a_load_that_fails_is_told_and_tried_again(make_library: Make) -> None:
    engine = FakeEngine()
    load, failures = engine.load_voice, iter([VoiceUnavailable("not yet")])

    def flaky(*arguments: object) -> object:
        for failure in failures:
            raise failure
        return load(*arguments)  # type: ignore[arg-type]

    engine.load_voice = flaky  # type: ignore[method-assign, assignment]
    library = make_library(engine)
    with pytest.raises(VoiceUnavailable):
        async with library.acquire("alpha"):
            pass
    async with library.acquire("alpha") as loaded:
        assert loaded.voice.id == "alpha"


def test_names(make_library: Make) -> None:
    library = make_library(FakeEngine(voices=("a", "b")), default="b")
    assert library.resolve("a").info.id == "a"
    for alias in ("default", "alloy", "cedar"):
        assert library.resolve(alias).info.id == "b"
    with pytest.raises(UnknownVoice, match="known: a, b"):
        library.resolve("c")
    with pytest.raises(UnknownVoice):
        library.resolve("a/Sad")


async def test_preload_takes_the_default_and_the_marked(make_library: Make) -> None:
    engine = FakeEngine(voices=("a", "b"), missing=("gone",))
    await make_library(engine, default="b").preload()
    assert engine.loads == ["b"]
