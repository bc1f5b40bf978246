"""Complaints that are told without a server; the others, and what they are, in `test_complaints.py`."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np

from fake_recognizer import FakeRecognizer
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.recognition.listener import HearingRequest

RATE = 16_000


def pause(seconds: float) -> Samples:
    return np.zeros(round(RATE * seconds), np.float32)


async def test_3_no_window_seeds_the_next(make_transcriber: Any) -> None:
    """What was heard before is not the prompt of what follows."""
    ears = FakeRecognizer()
    sound = [np.concatenate([np.full(RATE, 0.3, np.float32), pause(1)])] * 5
    request = HearingRequest(model="ear", options=HearingOptions(prompt="Ulm"))
    async with make_transcriber(ears).transcribe(sound, request) as segments:
        assert len([segment async for segment in segments]) == 5
    assert {stream.options.prompt for stream in ears.streams} == {"Ulm"}


async def test_12_one_model_whoever_asks_and_none_after_it_is_unloaded(make_transcriber: Any) -> None:
    ears = FakeRecognizer()
    transcriber = make_transcriber(ears)

    async def listen() -> None:
        async with transcriber.transcribe([np.full(RATE, 0.3, np.float32)], HearingRequest(model="ear")) as segments:
            async for _ in segments:
                pass

    await asyncio.gather(*(listen() for _ in range(8)))
    assert ears.loads == ["ear"]
    assert len({id(stream.model) for stream in ears.streams}) == 1
    ears.streams.clear()
    transcriber.forget("ear")
    assert ears.unloads == ["ear"]


async def test_15_captions_that_come_too_late_are_left_out(make_transcriber: Any) -> None:
    """A slow machine shows fewer guesses; every final word still comes."""
    slow = threading.Event()
    ears = FakeRecognizer(before_step=lambda _: _wait(slow))
    speech = np.concatenate([np.full(5 * RATE, 0.3, np.float32), pause(1)])
    async with make_transcriber(ears).listen(HearingRequest(model="ear", drafts=True)) as hearing:
        for start in range(0, len(speech), 1600):
            hearing.write(speech[start : start + 1600])
            await asyncio.sleep(0)
        hearing.end()
        events = [event async for event in hearing]
    drafts = [event for event in events if getattr(getattr(event, "heard", None), "is_final", None) is False]
    finals = [event for event in events if getattr(getattr(event, "heard", None), "is_final", False)]
    assert len(drafts) <= 5
    assert len(finals) == 1
    assert finals[0].heard.text.startswith("w30 w30 w30")


def _wait(slow: threading.Event) -> None:
    slow.wait(0.05)
