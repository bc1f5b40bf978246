"""A model of this machine that translates: by steps among the workers, within the memory budget, until nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fake_translation import FakeTranslation
from vivavoce.errors import EngineCrashed, EngineError
from vivavoce.machine.memory import Residents
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.translation.pool_translator import LONGEST_LATIN, PoolTranslator
from vivavoce.translation.translation_job import TranslationJob


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(workers=2, step_timeout_s=10, metrics=Metrics())
    yield pool
    assert pool.close()


def translator(pool: WorkerPool, engine: FakeTranslation, residents: Residents[Any] | None = None) -> PoolTranslator:
    return PoolTranslator(engine, pool, Residents(1 << 30) if residents is None else residents)


async def test_sentences_are_steps_and_lines_keep_their_places(pool: WorkerPool) -> None:
    engine = FakeTranslation()
    lines = ["The cat sat down here. The dog stood up there.", "", " ... ", "Somebody laughed out loud."]
    found = await translator(pool, engine).translate(lines, "en", "pt")
    assert found[0] == "pt(The cat sat down here.) pt(The dog stood up there.)"
    assert found[1] == ""
    assert found[3] == "pt(Somebody laughed out loud.)"
    assert len(pool) == 0


async def test_no_step_is_long_whatever_is_said(pool: WorkerPool) -> None:
    engine = FakeTranslation()
    for line in ("word " * 2000, "e" * 5000, "好" * 2000, "a,b;c:" * 900):
        await translator(pool, engine).translate([line], "en", "pt")
    assert max(map(len, engine.texts)) <= LONGEST_LATIN


async def test_a_model_is_loaded_once_and_leaves_by_the_one_budget(pool: WorkerPool) -> None:
    engine = FakeTranslation(pairs=(("en", "pt"), ("pt", "en")))
    residents: Residents[Any] = Residents(1_500_000)
    translate = translator(pool, engine, residents).translate
    await asyncio.gather(*(translate(["One sentence."], "en", "pt") for _ in range(5)))
    assert engine.loads == [("en", "pt")]
    await translate(["Uma frase."], "pt", "en")
    assert residents.loaded() == [("translates", "fake-translation", "pt", "en")]


async def test_who_leaves_stops_it_after_the_step(pool: WorkerPool) -> None:
    gate, begun = threading.Event(), threading.Event()

    def wait(text: str) -> None:
        begun.set()
        gate.wait(10)

    engine = FakeTranslation(before_step=wait)
    task = asyncio.create_task(translator(pool, engine).translate(["This is one. This is two."] * 9, "en", "pt"))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(pool) == 0
    gate.set()
    assert len(engine.texts) <= 1


@pytest.mark.parametrize(("raised", "told"), [(EngineError("no"), EngineError), (RuntimeError("words"), EngineCrashed)])
async def test_a_failure_is_told_once(pool: WorkerPool, raised: Exception, told: type[Exception]) -> None:
    def fail(text: str) -> None:
        raise raised

    with pytest.raises(told) as error:
        await translator(pool, FakeTranslation(before_step=fail)).translate(["This is one."], "en", "pt")
    assert "words" not in str(error.value)


def test_it_stands_behind_everything_live(pool: WorkerPool) -> None:
    model = FakeTranslation().load(("en", "pt"))
    job = TranslationJob(model, ["One."], pool.changed, lambda: None, kind="translation")
    candidate = job.candidate()
    assert candidate is not None
    assert (candidate.live, candidate.deadline_s) == (False, float("inf"))
    job.advance([job], 1)
    assert job.candidate() is None
    assert job.result() == ["pt(One.)"]
