"""FastRTC's own ways in: its `TTSModel` protocol, and its browser snippet against a mounted `Stream`."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from adapters.fastrtc_page import page
from fake_engine import FakeEngine, wait_until
from live_server import LiveServer, live_server
from tone_engine import ToneEngine, pitch
from vivavoce.adapters.fastrtc import SpeechModel, SpeechModelOptions
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.errors import EmptyInput, UnknownVoice
from vivavoce.metrics import Metrics


@pytest.fixture
def model() -> Iterator[SpeechModel]:
    engine = FakeEngine(("alpha", "beta"))
    config = Config(workers=2, admission_share=0.0)
    speech_model = SpeechModel(synthesizer=build_synthesizer(config, Metrics(), [engine]))
    yield speech_model
    speech_model.close()


def test_a_whole_text_is_spoken(model: SpeechModel) -> None:
    rate, samples = model.tts("Hello there.", SpeechModelOptions(voice="beta"))
    assert rate == 24_000
    assert samples.dtype == np.dtype(np.float32)
    assert len(samples) == len("Hello there.") * 480
    assert samples.max() == pytest.approx(2 / 16)


def test_pieces_come_as_they_are_made(model: SpeechModel) -> None:
    pieces = list(model.stream_tts_sync("Hello there."))
    assert len(pieces) > 1
    assert np.array_equal(np.concatenate([samples for _, samples in pieces]), model.tts("Hello there.")[1])


async def test_the_same_on_an_event_loop(model: SpeechModel) -> None:
    pieces = [samples async for _, samples in model.stream_tts("Hello there.")]
    assert np.array_equal(np.concatenate(pieces), (await asyncio.to_thread(model.tts, "Hello there."))[1])


def test_a_stream_that_is_left_stops_the_engine(model: SpeechModel) -> None:
    stream = model.stream_tts_sync("a" * 2000)
    next(stream)
    stream.close()
    assert model.synthesizer.load().utterances == 0


def test_errors_are_told(model: SpeechModel) -> None:
    with pytest.raises(UnknownVoice):
        model.tts("Hello.", SpeechModelOptions(voice="nobody"))
    with pytest.raises(EmptyInput):
        model.tts("...")


def test_it_is_what_fastrtc_calls_a_tts_model(model: SpeechModel) -> None:
    from fastrtc.text_to_speech.tts import TTSModel

    assert {name for name in vars(TTSModel) if "tts" in name} <= set(dir(model))


# -- the stream


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([ToneEngine()], fastrtc=True) as running:
        yield running


async def test_fastrtcs_snippet_hears_what_it_asks_for(server: LiveServer) -> None:
    async with page(server.url) as client:
        text = "I am heard through FastRTC, word for word."
        await client.say(text)
        await client.hears(round(len(text) * 960 * 0.8))  # the rest stays in the listener's jitter buffer
        assert pitch(client.sound()[4800:33600]) == pytest.approx(300, abs=5)
    wait_until(lambda: server.server.synthesizer.speaking == 0)


async def test_an_empty_text_stops(server: LiveServer) -> None:
    async with page(server.url) as client:
        await client.say("a" * 2000)
        await client.hears(1)
        await client.say("")
        wait_until(lambda: server.server.synthesizer.speaking == 0)
        assert len(client.sound()) < 20 * 48000


async def test_a_text_for_nobody_is_refused(server: LiveServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, verify=False) as http:
        answer = await http.post("/fastrtc/input", json={"webrtc_id": "nobody", "text": "Hello."})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_page_that_goes_leaves_nothing(server: LiveServer) -> None:
    async with page(server.url) as client:
        await client.say("a" * 2000)
        await client.hears(1)
    await asyncio.to_thread(wait_until, lambda: server.server.synthesizer.speaking == 0)
    await asyncio.to_thread(wait_until, lambda: "fastrtc-utterance" not in server.tasks())


def test_it_is_never_imported_unless_asked_for() -> None:
    modules = "import sys, vivavoce.app.server, vivavoce.cli.main"
    code = f"{modules}; sys.exit('fastrtc' in sys.modules or 'gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def snippets() -> list[str]:
    guide = (Path(__file__).parents[2] / "docs" / "fastrtc.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)


def test_the_voice_and_the_ears_of_the_guide_run_as_they_stand() -> None:
    ran = subprocess.run([sys.executable, "-c", snippets()[0]], check=True, capture_output=True, text=True, timeout=100)
    *pieces, heard = ran.stdout.splitlines()
    assert sum(int(line.split()[1]) for line in pieces) > 24_000
    assert heard == "And this is what was heard of me."


def test_the_application_of_the_guide_starts_and_ends() -> None:
    run = """
import asyncio

async def live():
    async with lifespan(app):
        assert "/webrtc/offer" in app.openapi()["paths"]

asyncio.run(live())
"""
    code = snippets()[1] + run
    quiet = {**os.environ, "VIVAVOCE_RECOGNIZER": "tiny.en", "VIVAVOCE_CHAT_MODEL": "none"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=quiet)
    assert ran.returncode == 0, ran.stderr
