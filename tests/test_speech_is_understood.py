"""A recognizer that this project did not make understands what the server says, numbers and prices among it.

What should be heard is written out by hand, so the server's own reading of numbers is on trial too.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from decoders import decode_pcm
from live_server import LiveServer, live_server
from recognizer import transcribe, word_count, word_error_rate
from vivavoce.engines.embedded import EmbeddedEngine

# What is sent, and what a listener should hear.
SENTENCES = [
    ("The train to the coast leaves early tomorrow morning.",) * 2,
    ("Mr. Lee paid $3.50 for two cups of tea.", "Mister Lee paid three dollars and fifty cents for two cups of tea."),
    ("We counted 1,250 birds over the lake.", "We counted one thousand two hundred and fifty birds over the lake."),
    (
        "About 45% of the people voted for the new park.",
        "About forty-five percent of the people voted for the new park.",
    ),
    ("The meeting starts at 5:30 p.m. in the large hall.", "The meeting starts at five thirty p m in the large hall."),
    (
        "She was born on May 5, 1984, in a small village.",
        "She was born on May fifth, nineteen eighty-four, in a small village.",
    ),
    (
        "**Please** close the window, because it is getting cold outside.",
        "Please close the window, because it is getting cold outside.",
    ),
    (
        "Water boils at 100 °C and freezes at 0 °C.",
        "Water boils at one hundred degrees Celsius and freezes at zero degrees Celsius.",
    ),
    (
        "He finished in 3rd place, after a race of 12 km.",
        "He finished in third place, after a race of twelve kilometers.",
    ),
    ("Nobody knew why the old clock had stopped.",) * 2,
    ("The whole house costs €250,000 today.", "The whole house costs two hundred and fifty thousand euros today."),
    ("Turn left at the bridge, and then walk straight ahead for ten minutes.",) * 2,
]
LIMIT = 0.15


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([EmbeddedEngine()]) as live:
        yield live


def heard(server: LiveServer, text: str) -> str:
    """What the recognizer makes of the server's speech."""
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm", "seed": 1}
    response = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return transcribe(decode_pcm(response.content), int(response.headers["x-audio-sample-rate"]))


@pytest.fixture(scope="module")
def transcripts(server: LiveServer) -> list[str]:
    return [heard(server, written) for written, _ in SENTENCES]


def total_error_rate(spoken: list[str], transcripts: list[str]) -> float:
    """Wrong words of all sentences over all words."""
    wrong = sum(word_error_rate(s, t) * word_count(s) for s, t in zip(spoken, transcripts, strict=True))
    return wrong / sum(map(word_count, spoken))


def test_what_is_said_is_understood(transcripts: list[str]) -> None:
    spoken = [spoken for _, spoken in SENTENCES]
    assert total_error_rate(spoken, transcripts) < LIMIT, "\n".join(transcripts)


def test_the_measure_tells_right_from_wrong(transcripts: list[str]) -> None:
    """Each transcript held against the next sentence: almost every word is wrong."""
    spoken = [spoken for _, spoken in SENTENCES]
    assert total_error_rate([*spoken[1:], spoken[0]], transcripts) > 0.7


def test_both_halves_of_a_long_answer_are_heard(server: LiveServer) -> None:
    """Several sentences in one request: none lost, none twice, and in their order."""
    written, spoken = zip(*(SENTENCES[k] for k in (1, 9, 11)), strict=True)
    assert word_error_rate(" ".join(spoken), heard(server, " ".join(written))) < LIMIT
