"""A Door's speaker over two Mouths in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from fake_engine import FakeEngine, StepGate
from local_mouths import LocalMouths
from vivavoce.adapters.ray_serve.mouth import Mouth
from vivavoce.adapters.ray_serve.remote_speaker import RemoteSpeaker
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.metrics import Metrics

MakeSpeaker = Callable[..., Any]


@pytest.fixture
async def make_speaker() -> AsyncIterator[MakeSpeaker]:
    async with AsyncExitStack() as stack:

        async def make(*engines: FakeEngine, **settings: Any) -> tuple[RemoteSpeaker, LocalMouths]:
            config = Config(**{"workers": 1, "admission_share": 0.0, **settings})
            synthesizers = [build_synthesizer(config, Metrics(), [engine]) for engine in engines]
            for synthesizer, engine in zip(synthesizers, engines, strict=True):
                stack.push_async_callback(synthesizer.aclose)
                if isinstance(engine.before_step, StepGate):
                    stack.callback(engine.before_step.open)
            mouths = LocalMouths([Mouth(synthesizer) for synthesizer in synthesizers])
            speaker = RemoteSpeaker(mouths, config, Metrics())
            await speaker.start()
            stack.push_async_callback(speaker.aclose)
            return speaker, mouths

        yield make
