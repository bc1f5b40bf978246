"""FastRTC's own ways in: its `TTSModel` protocol, and its browser snippet against a mounted `Stream`."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from numpy.typing import NDArray

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
    assert model._synthesizer.load().utterances == 0


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


class Page:
    """What FastRTC's documented browser snippet does."""

    def __init__(self, url: str) -> None:
        self.id = "page-1"
        self.heard: list[NDArray[np.float32]] = []
        self.said: list[Any] = []
        self.news = asyncio.Event()
        self.http = httpx.AsyncClient(base_url=url, verify=False, timeout=20)
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.addTrack(AudioStreamTrack())  # the microphone
        self.channel = self.peer.createDataChannel("text")
        self.channel.on("message", lambda message: self.said.append(json.loads(message)))
        self.peer.on("track", lambda track: setattr(self, "listening", asyncio.create_task(self._listen(track))))
        self.listening: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        local = self.peer.localDescription
        offer = {"sdp": local.sdp, "type": local.type, "webrtc_id": self.id}
        answer = (await self.http.post("/fastrtc/webrtc/offer", json=offer)).json()
        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))

    async def say(self, text: str) -> None:
        answer = await self.http.post("/fastrtc/input", json={"webrtc_id": self.id, "text": text})
        assert answer.status_code == 204

    def sound(self) -> NDArray[np.float32]:
        """float32 [n] at 48 kHz."""
        return np.concatenate([np.zeros(0, np.float32), *self.heard])

    async def hears(self, samples: int) -> None:
        """Until so many samples have come."""
        async with asyncio.timeout(20):
            while len(self.sound()) < samples:
                self.news.clear()
                await self.news.wait()

    async def close(self) -> None:
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.gather(self.listening, return_exceptions=True)
        await self.peer.close()
        await self.http.aclose()

    async def _listen(self, track: Any) -> None:
        try:
            while True:
                frame = await track.recv()
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
                self.heard.append((samples / 32768).astype(np.float32))
                self.news.set()
        except MediaStreamError:
            pass


@asynccontextmanager
async def page(url: str) -> AsyncIterator[Page]:
    client = Page(url)
    try:
        await client.connect()
        yield client
    finally:
        await client.close()


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


def test_the_python_of_the_page_runs_as_it_stands() -> None:
    page = (Path(__file__).parents[2] / "docs" / "fastrtc.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", snippet], check=True, capture_output=True, text=True, timeout=100)
    lengths = [int(line.split()[1]) for line in ran.stdout.splitlines()]
    assert sum(lengths) > 24_000
