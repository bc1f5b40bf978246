"""Whoever sends long texts makes those wait who send long texts, and nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from fake_engine import FakeEngine, wait_until
from vivavoce.engines.speech import SpeechOptions, Voice
from vivavoce.synthesis.reading import SHORT, ReadingThreads
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.text.normalize import SpokenText

Make = Callable[..., Synthesizer]

LONG = "A word that is long, and another. " * (2 * SHORT // 30)
MANY = 40  # more than any pool of threads that asyncio makes


class HeldReading(FakeEngine):
    """Reading a long word takes until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.reading = 0
        self.most = 0

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        if "long" in sentence.text and not self.let_go.is_set():
            self.reading += 1
            self.most = max(self.most, self.reading)
            self.let_go.wait(30)
            self.reading -= 1
        return super().check(sentence, voice, options)


async def speak(synthesizer: Synthesizer, text: str) -> None:
    async with synthesizer.stream(SpeechRequest(text=text)) as utterance:
        async for _ in utterance:
            pass


async def test_long_texts_are_read_one_at_a_time_and_hold_up_no_short_one(make_synthesizer: Make) -> None:
    engine = HeldReading()
    synthesizer = make_synthesizer(engine, max_streams=100)
    long = [asyncio.create_task(speak(synthesizer, LONG)) for _ in range(MANY)]
    try:
        await asyncio.to_thread(wait_until, lambda: engine.reading > 0)
        async with asyncio.timeout(10):
            await speak(synthesizer, "Here is somebody new.")
        assert engine.most == 1
    finally:
        for task in long:
            task.cancel()
        engine.let_go.set()
        await asyncio.gather(*long, return_exceptions=True)


async def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    threads, let_go, read = ReadingThreads(), threading.Event(), []
    first = asyncio.create_task(threads.read(LONG, lambda: let_go.wait(30)))
    second = asyncio.create_task(threads.read(LONG, lambda: read.append("second")))
    third = asyncio.create_task(threads.read(LONG, lambda: read.append("third")))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    let_go.set()
    await asyncio.gather(first, third)
    threads.close()
    assert read == ["third"]
