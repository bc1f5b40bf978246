"""What is heard by Ears is what one transcriber would have heard, or ends with an error that is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fake_engine import StepGate
from fake_recognizer import FakeHearing, FakeRecognizer
from fake_translation import FakeTranslation
from local_ears import LocalEars
from loudness import Loudness
from vivavoce.adapters.ray_serve import ear_place
from vivavoce.adapters.ray_serve.ear import Ear
from vivavoce.adapters.ray_serve.remote_listener import RemoteListener
from vivavoce.app.listener import build_ears, build_models, build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.errors import EngineCrashed, ModelUnavailable, Overloaded, UnknownModel, UnsupportedLanguage
from vivavoce.machine.memory import Residents
from vivavoce.metrics import Metrics
from vivavoce.recognition.hearing import SEGMENTS_OF_A_FILE
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, HearingEvent, HearingRequest, Listener
from vivavoce.translation.plan import planned
from vivavoce.translation.pool_translator import PoolTranslator
from vivavoce.translation.translated import translated

MakeListener = Callable[..., Any]
REQUEST = HearingRequest(model="ear", options=HearingOptions(word_times=True))


def speech(level: float, seconds: float = 1.0) -> Samples:
    return np.full(round(seconds * SAMPLE_RATE), level, np.float32)


def silence(seconds: float = 1.0) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


TALK = np.concatenate([silence(), speech(0.2), silence(), speech(0.3, 2.0), silence(0.4), speech(0.4), silence(0.1)])


@pytest.fixture
async def make_listener() -> AsyncIterator[MakeListener]:
    async with AsyncExitStack() as stack:

        async def make(*recognizers: FakeRecognizer, **settings: Any) -> tuple[RemoteListener, LocalEars]:
            config = Config(**{"workers": 1, "admission_share": 0.0, **settings})
            ears = []
            for recognizer in recognizers:
                machine, metrics = build_machine(config, Metrics()), Metrics()
                ear = Ear(build_models(config, machine, [recognizer]), machine, metrics)
                stack.push_async_callback(ear.aclose)
                if isinstance(recognizer.before_step, StepGate):
                    stack.callback(recognizer.before_step.open)
                ears.append(ear)
            here = build_machine(Config(workers=1, admission_share=0.0), Metrics())  # the Door has room for everybody
            remote = LocalEars(ears)
            listener = RemoteListener(remote, build_ears(here, Metrics(), Loudness()), here, config)
            await listener.start()
            stack.push_async_callback(listener.aclose)
            return listener, remote

        yield make


@asynccontextmanager
async def alone(recognizer: FakeRecognizer) -> AsyncIterator[Listener]:
    config = Config(workers=2, admission_share=0.0)
    machine = build_machine(config, Metrics())
    transcriber = build_transcriber(config, Metrics(), machine, [recognizer], Loudness())
    try:
        yield transcriber
    finally:
        await transcriber.aclose()
        machine.pool.close()


async def heard_live(listener: Listener, pieces: Sequence[Samples], **wishes: Any) -> list[HearingEvent]:
    request = HearingRequest(model="ear", options=HearingOptions(word_times=True), **wishes)
    async with listener.listen(request) as hearing:
        for piece in pieces:
            hearing.write(piece)
            await asyncio.sleep(0)
        hearing.end()
        return [event async for event in hearing]


async def heard_whole(listener: Listener, sound: Samples) -> list[HeardSegment]:
    async with listener.transcribe([sound], REQUEST) as segments:
        return [segment async for segment in segments]


@pytest.mark.parametrize("size", [700, 5000, 160_000])
async def test_live_sound_is_heard_as_on_one_machine(make_listener: MakeListener, size: int) -> None:
    pieces = [TALK[i : i + size] for i in range(0, len(TALK), size)]
    async with alone(FakeRecognizer()) as one:
        expected = await heard_live(one, pieces)
    listener, remote = await make_listener(FakeRecognizer(), FakeRecognizer())
    assert by_kind(await heard_live(listener, pieces)) == by_kind(expected)
    assert len([event for event in expected if isinstance(event, HeardSegment)]) == 3
    assert remote.open == 0


@pytest.mark.parametrize("translates", [False, True])
async def test_a_translation_is_made_as_on_one_machine(make_listener: MakeListener, translates: bool) -> None:
    request = HearingRequest(model="ear", options=HearingOptions(task="translate", language="pt"))
    listener, _ = await make_listener(FakeRecognizer(translates=translates))
    if not translates:
        with pytest.raises(UnsupportedLanguage):
            async with listener.transcribe([TALK], request):
                pass
        return
    async with alone(FakeRecognizer(translates=True)) as one, one.transcribe([TALK], request) as segments:
        expected = [segment async for segment in segments]
    async with listener.transcribe([TALK], request) as segments:
        assert [segment async for segment in segments] == expected
    assert expected[0].heard.text.startswith("W20")


async def test_a_door_translates_on_its_own_workers_what_an_ear_heard(make_listener: MakeListener) -> None:
    """As `door.py` puts it together: words come from an Ear, and a model of the Door's machine makes others of them."""
    listener, _ = await make_listener(FakeRecognizer(translates=True))
    engine = FakeTranslation()
    translator = PoolTranslator(engine, listener.ears.pool, Residents(1 << 30))
    plan = planned(listener.choose("ear").info, HearingOptions(), "pt", [translator])
    request = HearingRequest(model="ear", options=replace(plan.options, word_times=True))
    async with listener.transcribe([TALK], request) as segments:
        found = [each async for each in translated(segments, translator, "pt", len(TALK) / SAMPLE_RATE)]
    assert [each.heard.text for each in found] == [f"pt({text})" for text in engine.texts]
    assert len(found) == 2
    assert engine.texts[0].startswith("w20")
    assert [each.start_s for each in found] == sorted(each.start_s for each in found)


async def test_a_recording_is_heard_as_on_one_machine(make_listener: MakeListener) -> None:
    sound = np.concatenate([np.concatenate([speech((10 + k) / 100, 1.1), silence(0.9)]) for k in range(20)])
    async with alone(FakeRecognizer()) as one:
        expected = await heard_whole(one, sound)
    listener, remote = await make_listener(FakeRecognizer(), FakeRecognizer())
    assert await heard_whole(listener, sound) == expected
    assert len(expected) == 20
    assert not any(stretch.live for stretch in remote.stretches)
    assert len(remote.attended) == 1


async def test_a_recording_of_short_words_makes_no_more_calls_than_the_ears_take(make_listener: MakeListener) -> None:
    """Forty words in as many segments: a dozen are read ahead, few are asked for at once, and all are heard."""
    listener, remote = await make_listener(FakeRecognizer())
    sound = np.concatenate([np.concatenate([speech(0.2, 0.3), silence(0.6)]) for _ in range(40)])
    assert len(await heard_whole(listener, sound)) == 40
    assert remote.most_open == SEGMENTS_OF_A_FILE
    assert remote.open == 0


async def test_drafts_are_told_where_they_are_wished(make_listener: MakeListener) -> None:
    listener, _ = await make_listener(FakeRecognizer())
    async with listener.listen(HearingRequest(model="ear", drafts=True)) as hearing:
        hearing.write(speech(0.2, 2.2))
        events = aiter(hearing)
        await anext(events)
        draft = await anext(events)
        assert isinstance(draft, HeardSegment)
        assert draft.heard.is_whole
        assert not draft.heard.is_final
        hearing.end()
        rest = [event async for event in events]
    assert [e.heard.is_final for e in rest if isinstance(e, HeardSegment)] == [True]


async def test_what_an_ear_is_told_to_hear(make_listener: MakeListener) -> None:
    """As a conversation does: a draft up to where speech seems to have ended, and the same as the result."""
    recognizer = FakeRecognizer()
    listener, remote = await make_listener(recognizer)
    async with listener.lend_ear(REQUEST) as ear:
        ear.write(TALK)
        segment = ear.open(SAMPLE_RATE)
        segment.draft(2 * SAMPLE_RATE)
        draft = await latest(ear, segment)
        assert draft.is_whole
        assert not draft.is_final
        segment.finish(2 * SAMPLE_RATE)
        final = await latest(ear, segment)
    assert final.is_final
    assert final.text == draft.text == "w20 w20"
    assert len(remote.stretches) == 1, "the draft was the result"


@pytest.mark.parametrize("fault", ["lost", "cut"])
async def test_a_segment_whose_ear_was_lost_is_heard_by_another_once(make_listener: MakeListener, fault: str) -> None:
    async with alone(FakeRecognizer()) as one:
        expected = await heard_whole(one, TALK)
    listener, remote = await make_listener(FakeRecognizer(), FakeRecognizer())
    setattr(remote, fault, 1)
    assert await heard_whole(listener, TALK) == expected
    assert len(remote.stretches) == len(expected) + 1


@pytest.mark.parametrize("fault", ["lost", "cut"])
@pytest.mark.parametrize("live", [True, False])
async def test_a_segment_whose_ears_are_lost_is_an_error(make_listener: MakeListener, fault: str, live: bool) -> None:
    """Never an end as if everything had been heard."""
    listener, remote = await make_listener(FakeRecognizer(), FakeRecognizer())
    setattr(remote, fault, 100)
    with pytest.raises(EngineCrashed):
        await (heard_live(listener, [TALK]) if live else heard_whole(listener, TALK))
    assert remote.open == 0


async def test_whose_words_were_begun_to_be_told_is_not_heard_anew(make_listener: MakeListener) -> None:
    """A client that gets a text as it comes has the beginning already."""
    gate = StepGate(allowed=2)  # the encoder, and the first word
    listener, remote = await make_listener(FakeRecognizer(before_step=gate))
    remote.lost = 1
    request = HearingRequest(model="ear", options=HearingOptions(as_it_comes=True))
    async with listener.transcribe([speech(0.2, 3.0)], request) as segments:
        first = await anext(segments)
        assert (first.heard.text, first.heard.is_whole) == ("w20", False)
        gate.open()
        with pytest.raises(EngineCrashed):
            async for _ in segments:
                pass
    assert len(remote.stretches) == 1


async def test_who_is_full_is_passed_over_and_who_is_full_everywhere_told(make_listener: MakeListener) -> None:
    listener, remote = await make_listener(FakeRecognizer(), FakeRecognizer())
    remote.full = 1
    assert await heard_whole(listener, TALK)
    assert [anywhere for _, _, anywhere in remote.attended] == [False, True]
    remote.full = 2
    with pytest.raises(Overloaded):
        await heard_whole(listener, TALK)


async def test_a_place_is_kept_by_whoever_is_listened_to(make_listener: MakeListener) -> None:
    """Also while they are silent: else others would be let in, and all be heard late when all speak."""
    listener, remote = await make_listener(FakeRecognizer(), max_streams=2, queue_wait_s=0.05)
    async with listener.listen(REQUEST) as first:
        async with listener.listen(REQUEST) as second:
            with pytest.raises(Overloaded):
                await heard_live(listener, [TALK])
            with pytest.raises(Overloaded):
                await heard_whole(listener, TALK)
            for hearing, level in ((first, 0.2), (second, 0.3)):
                hearing.write(np.concatenate([speech(level), silence(0.5)]))
                assert await told(hearing) == {f"w{100 * level:.0f}"}
            with pytest.raises(Overloaded):
                await heard_live(listener, [TALK])
        assert await heard_whole(listener, TALK), "there is room again"
        first.write(np.concatenate([speech(0.4), silence(0.5)]))
        assert await told(first) == {"w40"}
    assert remote.places == 0


async def test_a_place_is_taken_anew_before_it_is_given_back(
    make_listener: MakeListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again, while somebody else waits for it: in vain."""
    monkeypatch.setattr(ear_place, "RENEW_S", 0.0)
    listener, remote = await make_listener(FakeRecognizer(), max_streams=1, queue_wait_s=0.3)
    async with listener.listen(REQUEST) as hearing:
        with pytest.raises(Overloaded):
            await heard_live(listener, [TALK])
        assert sum(begun for _, begun, _ in remote.attended) > 10
        hearing.write(np.concatenate([speech(0.2), silence(0.5)]))
        assert await told(hearing) == {"w20"}
    assert remote.places == 0


async def test_who_loses_the_place_is_heard_all_the_same(
    make_listener: MakeListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear_place, "RENEW_S", 0.0)
    listener, remote = await make_listener(FakeRecognizer())
    async with listener.listen(REQUEST) as hearing:
        remote.full = 6
        await until(lambda: remote.full == 0 and remote.places == 1)
        hearing.write(np.concatenate([speech(0.2), silence(0.5)]))
        assert await told(hearing) == {"w20"}


async def test_who_speaks_is_heard_before_all_recordings(make_listener: MakeListener) -> None:
    """An Ear full of recordings, the first of them in a step: the next steps are those of whoever speaks."""
    gate, steps = StepGate(), []

    def step(streams: Sequence[FakeHearing]) -> None:
        gate(streams)
        steps.append(max(abs(streams[0].heard)))

    listener, remote = await make_listener(FakeRecognizer(before_step=step))
    files = np.concatenate([np.concatenate([speech(0.9), silence(0.7)]) for _ in range(8)])
    recordings = [asyncio.create_task(heard_whole(listener, files)) for _ in range(10)]
    try:
        await until(lambda: remote.open >= 40)
        async with listener.listen(REQUEST) as hearing:
            hearing.write(np.concatenate([speech(0.2), silence(0.5)]))
            reading = asyncio.create_task(told(hearing))
            await until(lambda: any(stretch.live for stretch in remote.stretches))
            gate.open()
            assert await reading == {"w20"}
        spoken = [level < 0.5 for level in steps]
        last = max(at for at, is_live in enumerate(spoken) if is_live)
        assert spoken[: last + 1].count(False) <= 1, "but for a step that was begun before"
        assert all(len(each) == 8 for each in await asyncio.gather(*recordings))
    finally:
        gate.open()
        for recording in recordings:
            recording.cancel()


async def test_leaving_the_block_stops_the_ear(make_listener: MakeListener) -> None:
    gate = StepGate(allowed=1)
    recognizer = FakeRecognizer(before_step=gate)
    listener, remote = await make_listener(recognizer)
    for _ in range(3):
        async with listener.listen(REQUEST) as hearing:
            reading = asyncio.create_task(collect(aiter(hearing), 100))
            hearing.write(TALK)
            await until(lambda: remote.open > 0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert remote.open == 0
    gate.open()
    await until(lambda: not recognizer.open_streams)
    assert listener.ears.active == 0
    assert "asked-elsewhere" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_what_an_ear_refuses_or_breaks_is_told_as_on_one_machine(make_listener: MakeListener) -> None:
    def crash(streams: Sequence[FakeHearing]) -> None:
        raise RuntimeError

    listener, _ = await make_listener(FakeRecognizer(missing=("gone",)))
    for request, error in [
        (HearingRequest(model="nobody"), UnknownModel),
        (HearingRequest(model="gone"), ModelUnavailable),
        (HearingRequest(model="ear", options=HearingOptions(language="xx")), UnsupportedLanguage),
        (HearingRequest(model="ear", options=HearingOptions(task="translate")), UnsupportedLanguage),
    ]:
        with pytest.raises(error):
            async with listener.listen(request):
                pass
    broken, _ = await make_listener(FakeRecognizer(before_step=crash))
    with pytest.raises(EngineCrashed):
        await heard_whole(broken, TALK)


async def test_names_mean_what_they_mean_on_one_machine(make_listener: MakeListener) -> None:
    listener, _ = await make_listener(FakeRecognizer(models=("ear", "other")), recognizer="other")
    assert [listener.choose(name).info.id for name in (None, "whisper-1", "ear")] == ["other", "other", "ear"]
    assert [info.id for info in listener.models()] == ["ear", "other"]


def by_kind(events: Sequence[HearingEvent]) -> dict[str, list[HearingEvent]]:
    """Words come when they are there: between which other events is chance."""
    kinds = sorted({type(event).__name__ for event in events})
    return {kind: [event for event in events if type(event).__name__ == kind] for kind in kinds}


async def collect(events: AsyncIterator[HearingEvent], count: int) -> list[HearingEvent]:
    return [await anext(events) for _ in range(count)]


async def told(hearing: Any) -> set[str]:
    """Words of the next segment."""
    async for event in hearing:
        if isinstance(event, HeardSegment) and event.heard.is_final:
            return set(event.heard.text.split())
    raise AssertionError("no words came")


async def latest(ear: Any, segment: Any) -> Any:
    """The next whole words."""
    while True:
        await ear.changed()
        if (heard := segment.take()) and heard[-1].is_whole:
            return heard[-1]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in threads
            await asyncio.sleep(0.005)
