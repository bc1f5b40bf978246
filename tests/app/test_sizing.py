"""The search for what a machine carries, and what its tries mean."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from vivavoce.app.services import Services, services_of_this_machine
from vivavoce.app.sizing import (
    MOST,
    Found,
    Played,
    Try,
    cost_of,
    find_most,
    recorded,
    text_of,
    try_conversations,
    try_listeners,
)
from vivavoce.cli.bench import report
from vivavoce.config import Config
from vivavoce.metrics import Metrics


def holds_up_to(most: int) -> Callable[[int], Awaitable[Try]]:
    async def attempt(count: int) -> Try:
        gaps = () if count <= most else (0.2,)
        return Try(count, tuple(Played(0.1, gaps) for _ in range(count)))

    return attempt


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 8, 31, 100, MOST])
@pytest.mark.parametrize("guess", [1, 5, 64, 1000])
async def test_the_most_that_hold_are_found_from_any_guess(most: int, guess: int) -> None:
    found = await find_most(holds_up_to(most), guess, time.monotonic() + 60)
    assert found.most == most
    assert len(found.tries) <= 18
    assert len({each.count for each in found.tries}) == len(found.tries), "nothing is tried twice"


async def test_where_time_is_up_the_search_tells_what_it_has() -> None:
    found = await find_most(holds_up_to(100), 4, time.monotonic() - 1)
    assert [each.count for each in found.tries] == [4]
    assert found.most == 4


def test_a_try_holds_where_nobody_waits_for_sound_or_words() -> None:
    assert Try(1, (Played(0.1),), (0.4,)).holds
    assert not Try(1, (Played(0.1, (0.05,)),)).holds
    assert not Try(1, (Played(0.1),), (1.4,)).holds
    assert not Try(2, (Played(0.1),), failed=1).holds
    assert Try(3, (Played(0.1), Played(0.3), Played(0.2))).first_s == 0.2


async def test_listeners_and_conversations_are_measured_on_real_services(services: Services) -> None:
    voice, model = services.speaker.choose(), services.listener.choose()
    assert await cost_of(services, voice, "Hello there.") > 0
    tried = await try_listeners(services, voice, 2, 1.0)
    assert (tried.count, len(tried.played), tried.failed) == (2, 2, 0)
    assert tried.holds
    speech = await recorded(services, voice, text_of(voice, 1.0))
    assert speech.dtype == np.float32
    talked = await try_conversations(services, voice, model, speech, 1, 1.0)
    assert (talked.failed, len(talked.played)) == (0, 1)


def test_the_report_says_what_to_write_into_the_settings() -> None:
    alone = Found(8, [Try(8, (Played(0.12),)), Try(9, (Played(0.2, (0.3,)),))])
    talks = Found(3, [Try(3, (Played(0.15),), (0.4,))])
    text = report("mika", 4, 0.11, alone, talks)
    assert "mouth_listeners = 8" in text
    assert "mouth_cores = 4" in text
    assert "3 conversations" in text
    assert "400 ms" in text
    assert "too slow" in report("mika", 1, 2.0, Found(0, [Try(1, (Played(1.0, (2.0,)),))]), None)


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    built = services_of_this_machine(Config(admission_share=0.0), Metrics(), [FakeEngine()], [FakeRecognizer()])
    yield built
    await built.listener.aclose()
    await built.speaker.aclose()
