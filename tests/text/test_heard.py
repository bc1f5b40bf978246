"""A recognizer hears the value that was written: the embedded voice says it, Whisper tiny.en writes it down."""

from __future__ import annotations

import re

import numpy as np
import pytest

import recognizer
from vivavoce.audio.chunk import Samples
from vivavoce.engines.embedded import SAMPLE_RATE, EmbeddedEngine, EmbeddedVoice
from vivavoce.engines.speech import SpeechOptions
from vivavoce.text.normalize import normalize


@pytest.fixture(scope="module")
def voice() -> tuple[EmbeddedEngine, EmbeddedVoice]:
    engine = EmbeddedEngine()
    return engine, engine.load_voice(engine.voices()[0].id)


def heard(voice: tuple[EmbeddedEngine, EmbeddedVoice], written: str) -> str:
    """What the recognizer hears, in words and plain signs."""
    engine, loaded = voice
    options = SpeechOptions(seed=7)
    stream = engine.open(engine.check(normalize(written, "en"), loaded, options), loaded, options)
    parts: list[Samples] = []
    while stream.stage != "done":
        parts += [chunk.samples for chunk in engine.step([stream], threads=1) if chunk is not None]
    said = recognizer.transcribe(np.concatenate(parts), SAMPLE_RATE)
    return re.sub(r"[^a-z0-9$%. ]+", " ", normalize(said, "en").text.lower().replace("-", " "))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("It's –5°C outside.", "minus five"),
        ("Only continue if x <= 5 here.", "at most five"),
        ("It costs 1999 dollars.", "one thousand nine hundred ninety nine dollars"),
        ("Your code is 739204.", "seven three nine two zero four"),
        ("They sold 10\u202f000 tickets.", "ten thousand tickets"),
        ("It falls at 9.81 m/s² there.", "meters per second squared"),
        ("Add 1 3/4 tsp of salt.", "one and three quarters"),
        ("He has a 27\" monitor.", "twenty seven inch monitor"),
        ("It is open 9am-5pm.", "to five"),
        ("It is open Mon-Fri.", "monday to friday"),
        ("The box is 10 x 20 x 30 cm.", "ten by twenty by thirty centimeters"),
        ("It starts at 8.30pm.", "eight thirty"),
        ("Please pay ₦500 now.", "five hundred naira"),
        ("I rate it 9/10 today.", "nine out of ten"),
        ("It has 300K users.", "three hundred thousand users"),
        ("It began after 1688 there.", "sixteen eighty eight"),
        ("That was gr8 and sooooo good.", "great and so good"),
        ("He is 6' tall and strong.", "six feet tall"),
        ("Play F#m7, then D/F# on the guitar.", "d over f sharp"),
        ("It is 100.000 km from here.", "one hundred thousand kilometers"),
        ("It lasts PT1H30M in all.", "one hour thirty minutes"),
    ],
)  # fmt: skip
def test_the_value_is_heard(voice: tuple[EmbeddedEngine, EmbeddedVoice], written: str, words: str) -> None:
    assert words in " ".join(heard(voice, written).split())
