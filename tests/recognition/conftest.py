"""A transcriber over a fake recognizer, with a detector for which loud is speech; closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from fake_recognizer import FakeRecognizer
from loudness import Loudness
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.config import Config
from vivavoce.metrics import Metrics
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.transcriber import Transcriber

MakeTranscriber = Callable[..., Transcriber]


@pytest.fixture
async def make_transcriber() -> AsyncIterator[MakeTranscriber]:
    async with AsyncExitStack() as stack:

        def make(
            ears: FakeRecognizer,
            metrics: Metrics | None = None,
            activity: VoiceActivity | None = None,
            **settings: Any,
        ) -> Transcriber:
            config = Config(**{"workers": 2, "admission_share": 0.0, **settings})
            metrics = metrics or Metrics()
            machine = build_machine(config, metrics)
            transcriber = build_transcriber(config, metrics, machine, [ears], activity or Loudness())
            stack.callback(machine.pool.close)
            stack.push_async_callback(transcriber.aclose)
            return transcriber

        yield make
