"""Voices on other machines as speakers: of Hugging Face's stand-in, and of another Viva Voce."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import numpy as np
import pytest

from fake_engine import FakeEngine, StepGate, wait_until
from inference_stand_in import InferenceStandIn
from live_server import LiveServer, live_server
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import (
    EmptyInput,
    HostedModelFailed,
    RateLimited,
    ShuttingDown,
    TextTooLong,
    UnknownVoice,
    UnspeakableText,
    VoiceUnavailable,
)
from vivavoce.hosted.dialing import plain_transport
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.speaker import HostedSpeaker
from vivavoce.hosted.voices import declared_voices
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk

KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def hub() -> Iterator[InferenceStandIn]:
    with InferenceStandIn(seconds=0.5) as hub:
        yield hub


@asynccontextmanager
async def speaking(
    *entries: str, problem: str | None = None, per_owner: int = 4, draining: Draining | None = None
) -> AsyncIterator[HostedSpeaker]:
    metrics = Metrics()
    decoding = DecodingService(metrics)
    tokens = {place.split("//")[1].split("/")[0]: KEY for entry in entries for place in entry.split() if "//" in place}
    speaker = HostedSpeaker(
        declared_voices(entries, tokens, problem=problem),
        HostedModels(plain_transport()),
        decoding,
        Places("utterances", 8, waiting=0, per_owner=per_owner),
        draining or Draining(),
        metrics,
    )
    try:
        yield speaker
    finally:
        await speaker.aclose()
        await decoding.aclose()


async def spoken(speaker: HostedSpeaker, voice: str, text: str, **options: float) -> list[SpokenChunk]:
    request = SpeechRequest(voice=voice, text=text, options=SpeechOptions(**options))  # type: ignore[arg-type]
    async with speaker.stream(request) as speech:
        return [chunk async for chunk in speech]


def samples(chunks: list[SpokenChunk]) -> int:
    return sum(len(chunk.audio.samples) for chunk in chunks)


async def test_a_hosted_model_speaks_sentence_by_sentence(hub: InferenceStandIn) -> None:
    hub.forget()
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}") as speaker:
        chunks = await spoken(speaker, "mms", "This costs $5. And this is the second one.")
    assert [asked.json["inputs"] for asked in hub.asked] == ["This costs five dollars.", "And this is the second one."]
    assert {asked.token for asked in hub.asked} == {KEY}
    assert samples(chunks) == pytest.approx(2 * 12_000, abs=4)
    assert [c.sentence.index for c in chunks if c.begins_sentence] == [0, 1]
    assert [c.sentence.index for c in chunks if c.ends_sentence] == [0, 1]
    words = [word for chunk in chunks for word in chunk.audio.words]
    assert [word.text for word in words][:3] == ["This", "costs", "$5."]
    assert words[-1].end_s <= 1.01
    assert all(a.start_s <= b.start_s for a, b in pairwise(words))
    starts = np.cumsum([0, *(len(c.audio.samples) for c in chunks)])[:-1] / 24_000
    assert [chunk.start_s for chunk in chunks] == pytest.approx(list(starts))


async def test_text_is_written_while_it_speaks(hub: InferenceStandIn) -> None:
    hub.forget()
    request = SpeechRequest(voice="mms", sample_rate=16_000)
    async with speaking(f"mms=huggingface {hub.plain_url('wav')}") as speaker, speaker.stream(request) as speech:
        speech.write("The first sent")
        speech.write("ence is here. And the sec")
        first = await anext(speech)
        assert first.sentence.text.strip() == "The first sentence is here."
        assert len(hub.asked) == 1
        speech.write("ond one.")
        speech.end()
        rest = [chunk async for chunk in speech]
        assert len(hub.asked) == 2
        assert samples([first, *rest]) == pytest.approx(16_000, abs=4)
        assert speech.heard(0.0) == ""
        assert speech.heard(0.4).startswith("The first")
        assert speech.heard(10.0) == "The first sentence is here. And the second one."
        assert speech.produced_s == pytest.approx(1.0, abs=0.001)


async def test_a_speed_is_kept_though_the_model_knows_none(hub: InferenceStandIn) -> None:
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}") as speaker:
        assert samples(await spoken(speaker, "mms", "Twice as fast.", speed=2.0)) == pytest.approx(6_000, rel=0.1)


async def test_a_reader_who_plays_in_real_time_is_not_run_away_from(hub: InferenceStandIn) -> None:
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}") as speaker:
        request = SpeechRequest(voice="mms", text="One. " * 40, paced=True, ahead_s=1.0)
        async with speaker.stream(request) as speech:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    async for _ in speech:
                        pass
            assert speech.produced_s < 2.5


# -- another Viva Voce


@pytest.fixture(scope="module")
def other() -> Iterator[tuple[LiveServer, StepGate, FakeEngine]]:
    gate = StepGate()
    engine = FakeEngine(("alpha", "beta"), before_step=gate)
    with live_server([engine], api_keys=(KEY,)) as server:
        yield server, gate, engine


async def test_another_viva_voce_is_a_voice(other: tuple[LiveServer, StepGate, FakeEngine]) -> None:
    server, gate, _ = other
    request = SpeechRequest(voice="desk", text="Hello there.")
    async with speaking(f"desk=openai {server.url}/v1 voice=beta") as speaker, speaker.stream(request) as speech:
        gate.allow(5)
        first = await anext(speech)  # a part of a sentence whose end has not been computed
        assert np.median(first.audio.samples) == pytest.approx(2 / 16, abs=0.001)
        gate.allow(7)
        rest = [chunk async for chunk in speech]
        assert samples([first, *rest]) == 12 * 480


async def test_an_interrupted_sentence_stops_over_there(other: tuple[LiveServer, StepGate, FakeEngine]) -> None:
    server, gate, engine = other
    async with speaking(f"desk=openai {server.url}/v1 voice=alpha") as speaker:
        async with speaker.stream(SpeechRequest(voice="desk", text="A sentence that is much longer.")) as speech:
            gate.allow(5)
            await anext(speech)
            assert len(engine.open_streams) == 1
        gone = {"route": "speech", "outcome": "client_gone", "reason": ""}
        await asyncio.to_thread(wait_until, lambda: server.metric("voice_requests_total", **gone) == 1)
        assert server.server.synthesizer.speaking == 0
        gate.allow(1)  # the step in which it was
        await asyncio.to_thread(wait_until, lambda: not engine.open_streams)


async def test_what_the_other_server_says_is_told(other: tuple[LiveServer, StepGate, FakeEngine]) -> None:
    server, _, _ = other
    async with speaking(f"desk=openai {server.url}/v1 voice=nobody") as speaker:
        with pytest.raises(HostedModelFailed, match="404: unknown voice 'nobody'"):
            await spoken(speaker, "desk", "Hello.")
    async with speaking("gone=openai http://127.0.0.1:9/v1") as speaker:
        with pytest.raises(HostedModelFailed, match="cannot be asked"):
            await spoken(speaker, "gone", "Hello.")


# -- refusals

REFUSED = [("你好。", UnspeakableText), ("x" * 4097, TextTooLong), ("***", EmptyInput), ("", EmptyInput)]


async def test_refusals_come_before_anything_is_sent(hub: InferenceStandIn) -> None:
    hub.forget()
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}") as speaker:
        for text, kind in [
            ("你好。", UnspeakableText),
            ("x" * 4097, TextTooLong),
            ("***", EmptyInput),
            ("", EmptyInput),
        ]:
            with pytest.raises(kind):
                await spoken(speaker, "mms", text)
        with pytest.raises(UnknownVoice, match="known: mms"):
            speaker.choose("other")
        async with speaker.stream(SpeechRequest(voice="mms")) as speech:
            speech.write("a" * 8000)
            with pytest.raises(TextTooLong):
                speech.write("a")
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}", problem="it is switched off") as speaker:
        assert speaker.voices()[0].problem == "it is switched off"
        with pytest.raises(VoiceUnavailable, match="switched off"):
            await spoken(speaker, "mms", "Hello.")
    assert hub.asked == []


async def test_one_owner_has_a_share(hub: InferenceStandIn) -> None:
    mine, yours = SpeechRequest(voice="mms", owner="a"), SpeechRequest(voice="mms", owner="b")
    voice = f"mms=huggingface {hub.plain_url('flac')}"
    async with speaking(voice, per_owner=1) as speaker, speaker.stream(mine), speaker.stream(yours):
        with pytest.raises(RateLimited):
            await speaker.stream(mine).__aenter__()


async def test_a_drain_lets_the_running_ones_finish(hub: InferenceStandIn) -> None:
    stopping = Draining()
    async with speaking(f"mms=huggingface {hub.plain_url('flac')}", draining=stopping) as speaker:
        async with speaker.stream(SpeechRequest(voice="mms", text="The last one.")) as speech:
            stopping.begin()
            draining = asyncio.create_task(speaker.drain(10))
            await asyncio.sleep(0)
            with pytest.raises(ShuttingDown):
                await speaker.stream(SpeechRequest(voice="mms")).__aenter__()
            assert samples([chunk async for chunk in speech]) == pytest.approx(12_000, abs=4)
            assert not draining.done()
        assert await draining


async def test_junk_is_told(hub: InferenceStandIn) -> None:
    for behaviour, sentence in [("junk", "no sound that is read"), ("caption-list", "application/json, not sound")]:
        async with speaking(f"mms=huggingface {hub.plain_url(behaviour)}") as speaker:
            with pytest.raises(HostedModelFailed, match=sentence):
                await spoken(speaker, "mms", "Hello.")
