"""A synthesizer over a fake engine, closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from blocking_calls import no_blocking_calls
from fake_engine import FakeEngine, StepGate
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.metrics import Metrics
from vivavoce.synthesis.synthesizer import Synthesizer

MakeSynthesizer = Callable[..., Synthesizer]


@pytest.fixture(autouse=True)
def loop_never_blocks() -> Iterator[None]:
    """Engines compute in threads: on the loop nothing waits."""
    with no_blocking_calls():
        yield


@pytest.fixture
async def make_synthesizer() -> AsyncIterator[MakeSynthesizer]:
    async with AsyncExitStack() as stack:

        def make(engine: FakeEngine, metrics: Metrics | None = None, **settings: Any) -> Synthesizer:
            config = Config(**{"workers": 2, "admission_share": 0.0, **settings})
            synthesizer = build_synthesizer(config, metrics or Metrics(), [engine])
            stack.push_async_callback(synthesizer.aclose)
            if isinstance(engine.before_step, StepGate):
                stack.callback(engine.before_step.open)  # a worker held by a failed test would never end
            return synthesizer

        yield make
