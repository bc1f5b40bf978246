"""A recording that comes with a wish to speak: spoken like once, bounded, and gone with the answer."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from copying_engine import CopyingEngine
from fake_engine import wait_until
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import encoded, recording, tone, wav
from vivavoce.errors import InvalidAudio
from vivavoce.routes import prompted_voices

ROUTE = "/v1/audio/speech"
KEY, OTHER = "a-key-of-sixteen-characters", "another-key-of-sixteen"
LEVEL = 0.3


@pytest.fixture
def engine() -> CopyingEngine:
    return CopyingEngine()


@pytest.fixture
def server(engine: CopyingEngine) -> Iterator[LiveServer]:
    ears = FakeRecognizer(("ear",))
    with live_server([engine], recognizers=[ears], activity=Loudness(), api_keys=(KEY, OTHER)) as server:
        yield server
        engine.free.set()


def clip(seconds: float = 4.0, rate: int = 24_000) -> bytes:
    return wav(np.full(int(seconds * rate), LEVEL, np.float32), rate)


def ask(
    server: LiveServer,
    prompt: bytes,
    key: str = KEY,
    name: str = "prompt_speech",
    path: str = ROUTE,
    **said: str,
) -> httpx.Response:
    fields = {"model": "alpha", "input": "One. Two. Three.", "response_format": "wav", "prompt_text": "What is said."}
    return httpx.post(
        server.url + path,
        data={field: value for field, value in (fields | said).items() if value},
        files=[(name, ("../../clip.wav", prompt))],
        headers={"authorization": f"Bearer {key}"},
        timeout=30,
    )


def level(answer: httpx.Response) -> float:
    assert answer.status_code == 200, answer.text
    return float(np.median(soundfile.read(io.BytesIO(answer.content))[0]))


def test_it_speaks_like_the_recording_and_keeps_nothing(server: LiveServer, engine: CopyingEngine) -> None:
    answer = ask(server, clip())
    assert level(answer) == pytest.approx(LEVEL, abs=0.001)
    (studied,) = engine.studied  # once, for three sentences
    assert (studied.text, studied.language, studied.sample_rate) == ("What is said.", "en", 24_000)
    wait_until(lambda: server.server.synthesizer.speaking == 0)
    engine.streams.clear()

    def forgotten() -> bool:
        gc.collect()
        return engine.learned[0]() is None

    wait_until(forgotten)
    plain = {"model": "alpha", "input": "One.", "response_format": "wav"}
    again = httpx.post(server.url + ROUTE, json=plain, headers={"authorization": f"Bearer {KEY}"})
    assert level(again) == pytest.approx(1 / 16, abs=0.001)


def test_the_recognizer_of_this_machine_hears_what_is_said(server: LiveServer, engine: CopyingEngine) -> None:
    assert level(ask(server, clip(3.0), prompt_text="")) == pytest.approx(LEVEL, abs=0.001)
    assert {word[:2] for word in engine.studied[0].text.split()} == {"w3"}  # resampled: not quite the level everywhere
    quiet = wav(np.full(24_000 * 4, 0.01, np.float32), 24_000)
    refused = ask(server, quiet, prompt_text="")
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "prompt_speech")
    assert "nothing is said" in refused.text


def test_where_nothing_listens_the_text_is_asked_for(engine: CopyingEngine) -> None:
    with live_server([engine], recognizers=[]) as server:
        refused = ask(server, clip(), prompt_text="")
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "prompt_text"), refused.text
        assert level(ask(server, clip())) == pytest.approx(LEVEL, abs=0.001)
    assert len(engine.studied) == 1


def test_text_and_language_come_in_kwargs_too(server: LiveServer, engine: CopyingEngine) -> None:
    kwargs = json.dumps({"prompt_text": "  こんにちは。\n 元気ですか。", "prompt_language": "ja-JP", "seed": 3})
    assert ask(server, clip(), prompt_text="", kwargs=kwargs, speed="1.0", stream="False").status_code == 200
    assert (engine.studied[0].text, engine.studied[0].language) == ("こんにちは。 元気ですか。", "ja")


def test_a_voice_that_speaks_as_itself_reads_nothing(server: LiveServer, engine: CopyingEngine) -> None:
    refused = ask(server, b"no recording at all", model="beta")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (400, "voice_cannot_copy", "prompt_speech")
    listed = httpx.get(f"{server.url}/v1/audio/voices", headers={"authorization": f"Bearer {KEY}"}).json()
    assert {voice["id"]: voice["copies"] for voice in listed["voices"]} == {"alpha": True, "beta": False}
    assert not engine.studied


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        (b"", "is empty"),
        (b"hello", "not WAV"),
        (b"RIFF" + bytes(40), "is a RIFF file, but not WAV"),
        (clip(1.0), "lasts 1.0 s"),
        (clip(15.0), "lasts 15.0 s"),
        (wav(np.zeros(32_000, np.float32), 8_000), "is silent"),
        (wav(tone(1, 8000), 8000, 64, data=bytes(128)), "64 channels"),
        (wav(tone(4, 8000), 384_000), "384000 Hz"),
        (recording("m4a", 4.0)[:9000], "cannot be decoded"),
        (encoded("flac", np.zeros(48_000 * 600, np.float32)), "longer than 60 s"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "not WAV"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not WAV"),
    ],
    ids=["empty", "text", "header", "short", "long", "silent", "64", "rate", "half", "bomb", "playlist", "concat"],
)
def test_bad_recordings(server: LiveServer, engine: CopyingEngine, audio: bytes, said: str) -> None:
    refused = ask(server, audio)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (400, "invalid_audio", "prompt_speech")
    assert said in error["message"]
    assert not engine.studied


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"name": "prompt_latent"}, "prompt_latent"),
        ({"prompt_text": "x" * 1001}, "prompt_text"),
        ({"prompt_text": "a\u202eb"}, "prompt_text"),
        ({"prompt_text": "", "kwargs": '{"prompt_text": 7}'}, "prompt_text"),
        ({"prompt_text": "Hello.", "prompt_language": "klingon"}, "language"),
        ({"prompt_text": "Hello.", "prompt_language": "ko"}, "prompt_language"),
        ({"speed": "fast"}, "speed"),
        ({"seed": "1.5"}, "seed"),
        ({"temperature": "nan"}, "temperature"),
        ({"path": f"{ROUTE}?link=1"}, "prompt_speech"),
    ],
)
def test_bad_fields(server: LiveServer, engine: CopyingEngine, sent: dict[str, str], param: str) -> None:
    refused = ask(server, clip(), **sent)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param), refused.text
    assert not engine.studied


@pytest.mark.parametrize("sent", ["/etc/passwd", "http://169.254.169.254/", "UklGRg=="])
def test_a_recording_that_is_no_file_is_not_passed_over(server: LiveServer, engine: CopyingEngine, sent: str) -> None:
    wish = {"model": "alpha", "input": "One."}
    bodies: list[dict[str, Any]] = [
        {"json": {**wish, "prompt_speech": sent}},
        {"json": {**wish, "kwargs": json.dumps({"prompt_speech": sent})}},
        {"json": {"model": "alpha", "inputs": "One.", "parameters": {"prompt_speech": sent}}},
    ]
    headers = {"authorization": f"Bearer {KEY}"}
    for body in bodies:
        refused = httpx.post(server.url + ROUTE, **body, headers=headers)
        assert refused.status_code == 400, refused.text
        assert "as the file 'prompt_speech' of a form" in refused.text
    form: dict[str, Any] = {"data": {**wish, "prompt_speech": sent}, "files": {"further": (None, "x")}}
    refused = httpx.post(server.url + ROUTE, **form, headers=headers)  # a file without a name, and none that is sound
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "prompt_speech"), refused.text
    assert not engine.streams


def test_two_recordings_are_refused(server: LiveServer) -> None:
    files = [("prompt_speech", ("a.wav", clip())), ("prompt_speech", ("b.wav", clip()))]
    refused = httpx.post(
        server.url + ROUTE,
        data={"model": "alpha", "input": "One."},
        files=files,
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "send one recording")


def test_an_owner_has_a_share_and_a_client_that_leaves_gives_it_back(server: LiveServer, engine: CopyingEngine) -> None:
    engine.free.clear()
    with ThreadPoolExecutor(3) as clients:
        first = clients.submit(ask, server, clip())
        wait_until(lambda: len(engine.studied) == 1)
        with _sent(server, clip()):  # and then it leaves
            wait_until(lambda: _tasks(server).count("prompted-voice") == 2)
            refused = ask(server, clip())
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        others = clients.submit(ask, server, clip(), OTHER)
        wait_until(lambda: _tasks(server).count("prompted-voice") == 2)
        assert len(engine.studied) == 1, "one at a time"
        engine.free.set()
        assert level(first.result(30)) == pytest.approx(LEVEL, abs=0.001)
        assert level(others.result(30)) == pytest.approx(LEVEL, abs=0.001)


def test_a_study_that_hangs_is_not_waited_for(
    server: LiveServer, engine: CopyingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompted_voices, "TIMEOUT_S", 0.3)
    engine.free.clear()
    late = ask(server, clip())
    assert (late.status_code, late.json()["error"]["code"]) == (504, "engine_timeout")
    assert "prompted-voice" in _tasks(server), "its place is taken until it ends"
    engine.free.set()
    wait_until(lambda: "prompted-voice" not in _tasks(server))


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (InvalidAudio("no speaker is heard"), 400, "invalid_audio"),
        (KeyError("its own business"), 500, "engine_crashed"),
    ],
)
def test_what_the_engine_finds_wrong(
    server: LiveServer, engine: CopyingEngine, raised: Exception, status: int, code: str
) -> None:
    engine.fails = raised
    refused = ask(server, clip())
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert "business" not in refused.text


def _tasks(server: LiveServer) -> list[str]:
    async def names() -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks()]

    return asyncio.run_coroutine_threadsafe(names(), server.loop).result(5)


def _sent(server: LiveServer, prompt: bytes) -> socket.socket:
    """A connection on which the wish was sent and nobody reads."""
    fields = {"model": "alpha", "input": "One.", "prompt_text": "Said."}
    headers = {"authorization": f"Bearer {KEY}"}
    request = httpx.Request("POST", server.url + ROUTE, data=fields, files={"prompt_speech": prompt}, headers=headers)
    lines = [f"POST {ROUTE} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items()), "", ""]
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall("\r\n".join(lines).encode() + request.read())
    return connection
