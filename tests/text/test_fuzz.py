"""A bounded number of the text fuzzer's cases; `python tests/text_fuzzer.py --cases N` runs more."""

from __future__ import annotations

import pytest

import text_fuzzer
from genie_text_data import text_data
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd

# Texts that once stopped a voice, held a worker for seconds, or came out wrong.
REMEMBERED = [
    "Step ⑴ is easy.",
    "①the",
    "www." + "7-" * 950,
    "77777777 " * 455,
    "\u0301" * 2000,
    "a" + "\u0591\u05b0" * 1000,
    "x\u1dc4" * 500,
    "½" * 2000,
    "嗯" * 300,
    "౫" * 200,
]


@pytest.fixture(scope="module")
def front_end() -> PhonemeFrontEnd:
    return PhonemeFrontEnd(text_data())


@pytest.mark.parametrize("first", range(1, 401, 50))
def test_any_text_is_said_or_refused(first: int, front_end: PhonemeFrontEnd) -> None:
    embedded = text_fuzzer.loaded_embedded()
    for seed in range(first, first + 50):
        text_fuzzer.run(seed, embedded, front_end.phonemize)


@pytest.mark.parametrize("text", REMEMBERED, ids=range(len(REMEMBERED)))
def test_what_once_failed_does_not(text: str, front_end: PhonemeFrontEnd) -> None:
    engine, voice = text_fuzzer.loaded_embedded()
    for piece in text_fuzzer.read(text[:2000], "en"):
        text_fuzzer.speak_embedded(engine, voice, piece)
        text_fuzzer.speak_genie(front_end.phonemize, piece)
