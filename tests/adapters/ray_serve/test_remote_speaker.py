"""Speech made by Mouths is what one synthesizer would have made, or ends with an error that is true."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from copying_engine import CopyingEngine
from fake_engine import FakeEngine, StepGate
from sleeping_engine import SleepingEngine
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.errors import (
    CannotCopy,
    EmptyInput,
    EngineCrashed,
    Overloaded,
    RateLimited,
    ShuttingDown,
    TextTooLong,
    UnknownVoice,
    UnspeakableText,
)
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import Speaker, SpeechRequest, Spoken, SpokenChunk
from vivavoce.synthesis.synthesizer import Synthesizer

TEXTS = [
    "Hello there, how are you today? I am fine.\n\nAnd you? *** That is good. ```code``` The end",
    "One",
    "First of all, this is a rather long sentence, which goes on and on, and is cut somewhere. Second.",
]
SEED = SpeechOptions(seed=7)


def engine(**settings: Any) -> SleepingEngine:
    return SleepingEngine(step_s=0.0, step_samples=240, **settings)


@asynccontextmanager
async def alone(engine: FakeEngine, **settings: Any) -> AsyncIterator[Synthesizer]:
    synthesizer = build_synthesizer(Config(admission_share=0.0, **settings), Metrics(), [engine])
    try:
        yield synthesizer
    finally:
        await synthesizer.aclose()


async def spoken(speaker: Speaker, request: SpeechRequest, deltas: list[str] | None = None) -> list[SpokenChunk]:
    async with speaker.stream(request) as utterance:
        for delta in deltas or []:
            utterance.write(delta)
        if deltas is not None:
            utterance.end()
        return [chunk async for chunk in utterance]


def samples(chunks: list[SpokenChunk]) -> Any:
    return np.concatenate([chunk.audio.samples for chunk in chunks])


def words(chunks: list[SpokenChunk]) -> list[tuple[str, float, int]]:
    return [(w.text, round(w.start_s, 6), w.source_start) for chunk in chunks for w in chunk.audio.words]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("rate", [None, 16_000])
@pytest.mark.parametrize("whole", [True, False])
async def test_it_sounds_as_on_one_machine(make_speaker: Any, text: str, rate: int | None, whole: bool) -> None:
    request = SpeechRequest(text=text if whole else None, options=SEED, sample_rate=rate)
    deltas = None if whole else [text[i : i + 7] for i in range(0, len(text), 7)]
    async with alone(engine()) as one:
        expected = await spoken(one, request, deltas)
    speaker, mouths = await make_speaker(engine(), engine())
    got = await spoken(speaker, request, deltas)
    assert np.array_equal(samples(got), samples(expected))
    assert words(got) == words(expected)
    assert [c.sentence for c in got if c.begins_sentence] == [c.sentence for c in expected if c.begins_sentence]
    assert got[0].start_s == 0.0
    assert got[-1].start_s + got[-1].audio.duration_s == pytest.approx(len(samples(got)) / got[0].audio.sample_rate)
    assert mouths.open == 0


async def test_what_was_heard_is_told_as_on_one_machine(make_speaker: Any) -> None:
    async def told(speaker: Speaker) -> list[str]:
        async with speaker.stream(SpeechRequest(text=TEXTS[0], options=SEED)) as utterance:
            async for _ in utterance:
                pass
            return [utterance.heard(at / 4) for at in range(20)]

    async with alone(engine()) as one:
        expected = await told(one)
    speaker, _ = await make_speaker(engine(), engine())
    assert await told(speaker) == expected
    assert expected[0] == ""
    assert expected[-1]


async def test_a_sentence_nobody_has_heard_of_is_made_elsewhere(make_speaker: Any) -> None:
    async with alone(engine()) as one:
        expected = await spoken(one, SpeechRequest(text=TEXTS[0], options=SEED))
    speaker, mouths = await make_speaker(engine(), engine())
    mouths.lost_after = [0]
    assert np.array_equal(samples(await spoken(speaker, SpeechRequest(text=TEXTS[0], options=SEED))), samples(expected))
    first, second = mouths.lines[:2]
    assert first.sentence == second.sentence


@pytest.mark.parametrize("fault", ["lost", "cut"])
@pytest.mark.parametrize("after", [1, 3])
async def test_a_mouth_lost_in_mid_sentence_is_an_error_after_all_that_was_made(
    make_speaker: Any, fault: str, after: int
) -> None:
    async with alone(engine()) as one:
        expected = samples(await spoken(one, SpeechRequest(text=TEXTS[0], options=SEED)))
    gate = StepGate(allowed=after + 1)
    held = SleepingEngine(step_s=0.0, step_samples=240)
    held.before_step = gate
    speaker, mouths = await make_speaker(held)
    if fault == "lost":
        mouths.lost_after = [after]
    else:
        mouths.cut_after = [after]
    got = []
    async with speaker.stream(SpeechRequest(text=TEXTS[0], options=SEED)) as utterance:
        for _ in range(after):
            got.append(await anext(utterance))
        gate.open()
        with pytest.raises(EngineCrashed):
            await read(utterance, got)
    assert np.array_equal(samples(got), expected[: len(samples(got))])
    assert len(samples(got)) < len(expected)
    assert utterance.outcome == "error"


async def test_who_is_full_is_passed_over_and_who_is_full_everywhere_told(make_speaker: Any) -> None:
    speaker, mouths = await make_speaker(engine(), engine())
    mouths.full = 1
    assert await spoken(speaker, SpeechRequest(text="Hello there."))
    assert [line.anywhere for line in mouths.lines] == [False, True]
    mouths.full = 2
    with pytest.raises(Overloaded):
        await spoken(speaker, SpeechRequest(text="Hello there."))


async def test_a_speech_that_is_heard_is_not_refused_in_its_middle(make_speaker: Any) -> None:
    """One place in all: held by another's utterance when the second sentence comes, which is made all the same."""
    gate = StepGate()
    held = FakeEngine(before_step=gate)
    speaker, mouths = await make_speaker(held, max_streams=1, queue_wait_s=0.05)
    async with speaker.stream(SpeechRequest()) as first:
        first.write("Hello there, you. ")
        first.flush()
        gate.allow(17)
        heard = [await anext(first)]
        while not heard[-1].ends_sentence:
            heard.append(await anext(first))
        async with speaker.stream(SpeechRequest(text="I have the place now.")) as second:
            gate.allow(1)
            assert await anext(second)
            first.write("And then the rest.")
            first.end()
            gate.open()
            rest = [chunk async for chunk in first]
    assert rest[-1].ends_sentence
    assert [line.begun for line in mouths.lines] == [False, False, True]


async def test_leaving_the_block_stops_the_mouth(make_speaker: Any) -> None:
    gate = StepGate(allowed=1)
    held = FakeEngine(before_step=gate)
    speaker, mouths = await make_speaker(held)
    async with speaker.stream(SpeechRequest(text=TEXTS[0])) as utterance:
        await anext(utterance)
        assert mouths.open == 1
    assert mouths.open == 0
    assert speaker.speaking == 0
    gate.open()
    assert held.steps <= 2
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert "remote-utterance" not in names


async def test_no_more_is_asked_for_than_its_reader_may_be_ahead_of(make_speaker: Any) -> None:
    speaker, mouths = await make_speaker(engine())
    text = " ".join(f"This is sentence number {n}, my dear friend." for n in range(40))
    async with speaker.stream(SpeechRequest(text=text, ahead_s=0.5)) as utterance:
        await anext(utterance)
        await settled(utterance)
        assert 0.4 <= utterance.produced_s < 1.5
        asked = len(mouths.lines)
        assert asked < 6
        assert [chunk async for chunk in utterance][-1].ends_sentence
    assert len(mouths.lines) > asked


async def test_text_that_cannot_be_spoken_is_refused_as_on_one_machine(make_speaker: Any) -> None:
    speaker, _ = await make_speaker(engine(), max_text=50)
    for text, error in [
        ("", EmptyInput),
        ("***", EmptyInput),
        ("日本語です。", UnspeakableText),
        ("a" * 51, TextTooLong),
        ("9" * 50, TextTooLong),
    ]:
        with pytest.raises(error):
            await spoken(speaker, SpeechRequest(text=text))
    with pytest.raises(UnknownVoice):
        await spoken(speaker, SpeechRequest(voice="nobody", text="Hello."))
    assert await spoken(speaker, SpeechRequest(), ["", " "]) == []
    with pytest.raises(UnspeakableText):
        await spoken(speaker, SpeechRequest(), ["日本語です。"])


async def test_one_key_has_its_own_limit_at_the_door(make_speaker: Any) -> None:
    gate = StepGate(allowed=1)
    held = FakeEngine(before_step=gate)
    speaker, _ = await make_speaker(held, max_streams_per_key=1)
    async with speaker.stream(SpeechRequest(text=TEXTS[0], owner="a")) as utterance:
        await anext(utterance)
        with pytest.raises(RateLimited):
            async with speaker.stream(SpeechRequest(text="Hello.", owner="a")):
                pass
    gate.open()
    assert await spoken(speaker, SpeechRequest(text="Hello.", owner="a"))


async def test_a_door_that_drains_takes_nothing_new_and_ends_what_is_begun(make_speaker: Any) -> None:
    gate = StepGate(allowed=1)
    held = FakeEngine(before_step=gate)
    speaker, _ = await make_speaker(held)
    async with speaker.stream(SpeechRequest(text="Hello there.")) as utterance:
        await anext(utterance)
        draining = asyncio.create_task(speaker.drain(5.0))
        await asyncio.sleep(0)
        with pytest.raises(ShuttingDown):
            await spoken(speaker, SpeechRequest(text="Hello."))
        assert not speaker.is_ready
        gate.open()
        assert [chunk async for chunk in utterance][-1].ends_sentence
    assert await draining


async def read(utterance: Spoken, into: list[SpokenChunk]) -> None:
    async for chunk in utterance:
        into.append(chunk)


async def settled(utterance: Spoken) -> None:
    """Until nothing more is made."""
    before = -1.0
    while utterance.produced_s != before:
        before = utterance.produced_s
        await asyncio.sleep(0.05)


async def test_what_one_mouth_learns_of_a_recording_every_mouth_speaks_like(make_speaker: Any) -> None:
    one, other = CopyingEngine(), CopyingEngine()
    speaker, _ = await make_speaker(one, other)
    clip = SpokenClip(np.full(64_000, 0.3, np.float32), 16_000, "What is said.", "en")
    like = pickle.loads(pickle.dumps(await speaker.study(speaker.choose("alpha"), clip)))  # as it crosses a network
    for _ in range(4):
        chunks = await spoken(speaker, SpeechRequest(voice=like), ["Hello there."])
        assert [float(np.median(chunk.audio.samples)) for chunk in chunks] == pytest.approx([0.3] * len(chunks))
    assert len(one.studied) + len(other.studied) == 1
    assert one.streams
    assert other.streams
    speaker, _ = await make_speaker(FakeEngine())
    with pytest.raises(CannotCopy):
        await speaker.study(speaker.choose("alpha"), clip)
