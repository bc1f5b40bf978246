"""Models by name without anybody's client: dialects of a wish to speak, launches, and a body that was not read."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import EngineError, InvalidRequest, RateLimited, UnknownModel, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.recognition.listener import ResolvedModel
from vivavoce.routes.launchables import LaunchableRecognizers, LaunchableVoices
from vivavoce.routes.launched import MAX_OF_ONE, LaunchedModels, NotLaunched, StillLoading
from vivavoce.routes.speech_body import parse_speech
from vivavoce.routes.speech_dialects import (
    from_form,
    from_hugging_face,
    from_xinference,
    is_hugging_face,
    with_seed_of_voice,
)

KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(("alpha", "beta"))]) as server:
        yield server


# -- dialects


def test_hugging_faces_fields() -> None:
    fields: dict[str, Any] = {
        "inputs": "Hello",
        "parameters": {"voice": "beta", "generation_parameters": {"seed": 3}, "input": "smuggled", "model": "x"},
    }
    assert is_hugging_face(fields)
    flat = from_hugging_face(fields, "alpha")
    assert (flat["input"], flat["model"], flat["voice"], flat["seed"]) == ("Hello", "alpha", "beta", 3)
    assert flat["response_format"] == "flac"
    assert not is_hugging_face({"input": "a", "inputs": "b"})


@pytest.mark.parametrize("fields", [{}, {"inputs": 7}, {"inputs": ["a"]}, {"inputs": "a", "parameters": "x"}])
def test_hugging_faces_fields_that_are_none(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        from_hugging_face(fields)


def test_xinferences_fields() -> None:
    flat = from_xinference({"input": "a", "seed": 1, "kwargs": json.dumps({"seed": 2, "top_k": 5, "model": "x"})})
    assert (flat["seed"], flat["top_k"]) == (1, 5)
    assert from_xinference({"input": "a", "kwargs": {"seed": 2, "input": "b"}}) | {"kwargs": ""} == {
        "input": "a", "seed": 2, "kwargs": ""
    }  # fmt: skip
    assert "model" not in flat
    with pytest.raises(InvalidRequest, match="kwargs"):
        from_xinference({"kwargs": "[1]"})
    form = FormData([("input", "a"), ("speed", "1.5"), ("stream", "False"), ("kwargs", "{}")])
    assert from_form(form)["speed"] == 1.5
    with pytest.raises(InvalidRequest, match="speed"):
        parse_speech(from_form(FormData([("input", "a"), ("speed", "fast")])), max_text=10)
    numbers = from_form(FormData([("seed", "7"), ("top_k", "5"), ("temperature", "0.5"), ("prompt_text", "7")]))
    assert numbers == {"seed": 7, "top_k": 5, "temperature": 0.5, "prompt_text": "7"}
    with pytest.raises(InvalidRequest, match="seed"):
        parse_speech(from_form(FormData([("input", "a"), ("seed", "1.5")])), max_text=10)


@pytest.mark.parametrize(
    ("voice", "seed"), [("7", 7), ("a calm man", 79_624_379), ("chattts/3", None), ("", None), (None, None)]
)
def test_a_speaker_of_chattts_is_a_seed(voice: str | None, seed: int | None) -> None:
    fields = with_seed_of_voice({"model": "ChatTTS", "voice": voice, "input": "a"})
    assert fields.get("seed") == seed
    assert ("voice" in fields) == (seed is None)
    assert with_seed_of_voice({"model": "heart", "voice": "7"})["voice"] == "7"


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=8), st.integers(), st.none()), max_size=5))
def test_no_fields_raise_anything_else(fields: dict[str, Any]) -> None:
    for read in (from_hugging_face, from_xinference):
        try:
            read(fields)
        except InvalidRequest:
            continue


# -- launches


class Kind:
    """Models that load when the test says so."""

    ability = "text2audio"

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.fails = False
        self.unloaded: list[str] = []

    def find(self, name: str) -> str | None:
        return name if name in ("one", "two") else None

    async def load(self, model_id: str, progress: Progress) -> None:
        progress("reading", 0.25)
        await self.go.wait()
        if self.fails:
            raise VoiceUnavailable("its files are damaged")

    async def unload(self, model_id: str) -> None:
        self.unloaded.append(model_id)


class LooksAtTheDisk:
    """Keeps voices and models; tells in which thread it was asked which is the default."""

    def __init__(self) -> None:
        self.asked_in: list[int] = []
        self.forgotten: list[str] = []

    def default_id(self) -> str:
        self.asked_in.append(threading.get_ident())
        return "first"

    def voices(self) -> list[VoiceInfo]:
        return [VoiceInfo("loaded-at-start", "", ("en",), "genie", 32_000, preload=True)]

    def choose(self, model: str | None = None) -> ResolvedModel:
        return ResolvedModel(RecognizerInfo(self.default_id(), ("en",), "whisper"))

    def forget(self, model_id: str) -> None:
        self.forgotten.append(model_id)


@pytest.mark.parametrize("kind", [LaunchableVoices, LaunchableRecognizers])
async def test_what_is_ended_leaves_memory_and_the_disk_is_read_in_a_thread(kind: Any) -> None:
    keeper = LooksAtTheDisk()
    launchable = kind(keeper)
    await launchable.unload("second")
    await launchable.unload("first")  # speaks or listens where nothing is named
    if kind is LaunchableVoices:
        await launchable.unload("loaded-at-start")
        del keeper.asked_in[-1]
    assert keeper.forgotten == ["second"]
    assert len(keeper.asked_in) == 2
    assert threading.get_ident() not in keeper.asked_in


async def test_a_launch_is_its_launchers_own() -> None:
    kind = Kind()
    models = LaunchedModels([kind])
    begun = await models.launch("one", "mine", "me", wait=False)
    await asyncio.sleep(0)
    assert (begun.state, begun.progress, begun.stage) == ("LOADING", 0.25, "reading")
    with pytest.raises(StillLoading, match="25%"):
        models.loaded_model_of("mine", "me")
    kind.go.set()
    assert (await models.launch("one", "mine", "me", wait=True)) is begun
    assert begun.state == "READY"
    assert (models.model_of("mine", "me"), models.model_of("mine", "you")) == ("one", "mine")
    with pytest.raises(InvalidRequest, match="taken"):
        await models.launch("two", "mine", "me", wait=True)
    with pytest.raises(NotLaunched):
        await models.end("mine", "you")
    await models.launch("one", "mine", "you", wait=True)  # a name is its owner's: nobody takes it from another
    assert [models.of("mine", owner).owner for owner in ("me", "you")] == ["me", "you"]
    await models.end("mine", "me")
    assert kind.unloaded == []  # somebody else has it
    assert models.model_of("mine", "you") == "one"
    await models.end("mine", "you")
    assert kind.unloaded == ["one"]
    await models.aclose()


async def test_a_launch_that_fails_says_why_and_leaves_nothing() -> None:
    kind = Kind()
    kind.fails = True
    kind.go.set()
    models = LaunchedModels([kind])
    with pytest.raises(VoiceUnavailable, match="damaged"):
        await models.launch("one", None, "me", wait=True)
    assert models.all("me") == []
    with pytest.raises(UnknownModel):
        await models.launch("three", None, "me", wait=True)


async def test_a_loader_that_raises_anything_else_ends_too() -> None:
    class Broken(Kind):
        async def load(self, model_id: str, progress: Progress) -> None:
            raise ZeroDivisionError

    with pytest.raises(EngineError, match="could not be loaded"):
        await LaunchedModels([Broken()]).launch("one", None, "me", wait=True)


async def test_launches_have_a_number() -> None:
    kind = Kind()
    models = LaunchedModels([kind])
    for number in range(MAX_OF_ONE):
        await models.launch("one", f"n{number}", "me", wait=False)
    with pytest.raises(RateLimited):
        await models.launch("one", "more", "me", wait=False)
    await models.launch("one", "other", "you", wait=False)
    await models.aclose()


# -- over HTTP


def test_whether_a_key_is_asked_for() -> None:
    with live_server([FakeEngine()], api_keys=(KEY,)) as server:
        assert httpx.get(server.url + "/v1/cluster/auth").json() == {"auth": True}
        assert httpx.get(server.url + "/v1/models").status_code == 401


def test_a_wish_in_another_dialect_at_openais_path(server: LiveServer) -> None:
    for body in ({"inputs": "Hello."}, {"input": "Hello.", "kwargs": "{}", "stream": False, "voice": ""}):
        assert httpx.post(server.url + "/v1/audio/speech", json=body).status_code == 200
    refused = httpx.post(server.url + "/v1/audio/speech", json={"inputs": ""})
    assert isinstance(refused.json()["error"], str)
    assert httpx.post(server.url + "/models/alpha", content=b"RIFF").status_code == 415


def test_an_answer_before_the_bodys_end_closes_the_connection_and_says_so() -> None:
    with (
        live_server([FakeEngine()], api_keys=(KEY,)) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n")
        head = client.recv(4096).lower()
        assert head.startswith(b"http/1.1 401")
        assert b"\r\nconnection: close\r\n" in head
    with live_server([FakeEngine()]) as server:
        read = httpx.post(server.url + "/v1/audio/speech", json={"input": ""})
        assert read.status_code == 400
        assert "connection" not in read.headers
