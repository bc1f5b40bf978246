"""Cloning and deleting over HTTP: what arrives is counted, nothing of the client's words becomes a path."""

from __future__ import annotations

import asyncio
import errno
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from fake_engine import FakeEngine
from live_server import live_server
from recordings import CONTAINERS, encoded, recording, tone, wav
from vivavoce.config import LimitSettings
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.routes.voices import MAX_CLONES, voices_router
from vivavoce.serving.gate import error_response
from vivavoce.voices.clip import decode_clip
from vivavoce.voices.install import NewReference, clone
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import TEXT, make_pack

ROUTE = "/v1/audio/voices"


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")])
    make_pack(store.home / "anna", version="v2")
    return store


@pytest.fixture
def forgotten() -> list[str]:
    return []


@pytest.fixture
async def client(store: VoiceStore, forgotten: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    decoding = DecodingService(Metrics())
    limits = LimitSettings(max_upload_mib=1, body_timeout_s=5)

    def find(voice_id: str) -> VoiceInfo:
        pack = store.get(voice_id)
        return VoiceInfo(pack.id, pack.name, (pack.language,), "genie", 32_000, tuple(pack.references))

    reserved = {"heart", "alloy"}
    app.include_router(
        voices_router(store, limits, None, decoding, find, forgotten.append, is_reserved=reserved.__contains__)
    )
    app.add_exception_handler(VivaVoceError, lambda _, error: error_response(error))
    transport = httpx.ASGITransport(_Owned(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened
    await decoding.aclose()


class _Owned:
    """What the gate does before a route runs: every caller is somebody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = dict(scope["headers"])
        owner = names.get(b"x-owner", b"somebody").decode()
        scope.setdefault("state", {}).update(owner=owner, client=owner)
        await self._app(scope, receive, send)


def clip(seconds: float = 4.0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((6000 * np.sin(np.arange(int(8000 * seconds)) / 9)).astype("<i2").tobytes())
    return out.getvalue()


def form(**changed: Any) -> dict[str, Any]:
    fields = {"name": "Anna sad", "ref_text": TEXT, "language": "ja", "base": "anna"} | changed
    return {name: value for name, value in fields.items() if value is not None}


async def post(client: httpx.AsyncClient, audio: bytes | None = None, **changed: Any) -> httpx.Response:
    return await client.post(
        ROUTE, data=form(**changed), files={"audio_sample": ("../../x.wav", clip() if audio is None else audio)}
    )


async def test_a_clone_is_made_and_deleted(client: httpx.AsyncClient, store: VoiceStore, forgotten: list[str]) -> None:
    made = await post(client)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{ROUTE}/anna-sad"
    body = made.json()
    assert body | {"created": 0} == {
        "id": "anna-sad",
        "name": "Anna sad",
        "language": "ja",
        "languages": ["ja"],
        "engine": "genie",
        "sample_rate": 32000,
        "references": ["Normal"],
        "copies": False,
        "default": False,
        "available": True,
        "problem": None,
        "base": "anna",
        "created": 0,
    }
    assert store.verified("anna-sad").reference.text == TEXT

    gone = await client.delete(f"{ROUTE}/anna-sad")
    assert gone.json() == {"id": "anna-sad", "object": "voice", "deleted": True}
    assert forgotten == ["anna-sad"]
    assert [pack.id for pack in store.list()] == ["anna"]
    assert (await client.delete(f"{ROUTE}/anna-sad")).status_code == 404


async def test_only_its_maker_deletes_a_clone(client: httpx.AsyncClient, store: VoiceStore) -> None:
    assert (await post(client)).status_code == 201
    other = await client.delete(f"{ROUTE}/anna-sad", headers={"x-owner": "another"})
    assert (other.status_code, other.json()["error"]["code"]) == (403, "not_yours")
    assert store.get("anna-sad").problem is None
    assert (await client.delete(f"{ROUTE}/anna-sad")).status_code == 200


async def test_what_the_machines_owner_cloned_is_not_a_callers(client: httpx.AsyncClient, store: VoiceStore) -> None:
    clone(store, "by hand", "anna", NewReference(decode_clip(clip()), TEXT))
    assert (await client.delete(f"{ROUTE}/by-hand")).status_code == 403
    assert (await client.delete(f"{ROUTE}/by-hand", headers={"x-owner": "anonymous"})).status_code == 200


@pytest.mark.parametrize("name", ["heart", "Heart", "ALLOY", " alloy "])
async def test_names_that_mean_another_voice_are_reserved(client: httpx.AsyncClient, name: str) -> None:
    refused = await post(client, name=name)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")


RESERVED = [
    *("tts-1", "TTS-1-HD", " tts 1 ", "\uff54\uff54\uff53-1", "tts-9", "gpt-4o-mini-tts", "GPT-4o mini TTS 2025-12-15"),
    *("whisper-1", "Whisper Base", "base", "tiny", "gpt-4o-transcribe", "default", "auto", "vivavoce", "fake", "alpha"),
    *("heart/", "Alloy", "marin", "ch\u00e9f"),
]


def test_no_clone_has_a_name_that_clients_use_in_voice_or_in_model(tmp_path: Path) -> None:
    """One called tts-1 spoke for everybody whose client names a model and one of OpenAI's voices."""
    make_pack(tmp_path / "voices" / "anna", version="v2")
    engines = [FakeEngine(("alpha", "heart"))]
    with live_server(engines, voices=(tmp_path / "voices",), voice_map=("chef=alpha",)) as server:
        for name in RESERVED:
            files = {"audio_sample": ("x.wav", clip())}
            refused = httpx.post(server.url + ROUTE, data=form(name=name), files=files)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict"), name
    assert [entry.name for entry in (tmp_path / "voices").iterdir()] == ["anna"]


async def test_clones_that_are_made_at_once_are_counted_one_by_one(
    client: httpx.AsyncClient, store: VoiceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivavoce.routes.voices.MAX_CLONES_PER_OWNER", 1)
    answers = await asyncio.gather(*(post(client, name=f"clone {n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(store.list()) == 2


async def test_one_name_wanted_by_many_is_had_by_one(client: httpx.AsyncClient, store: VoiceStore) -> None:
    answers = await asyncio.gather(*(post(client, name=name) for name in ("Eva", "eva", "EVA", "\u00c9va")))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    "name", ["a" * 65, "anna\u202e", "x" * 7800, "two\nlines", "a" + "\u0301" * 60, "a\u20dd\u20dd\u0489\u0489"]
)
async def test_what_others_see_has_a_size_and_plain_characters(client: httpx.AsyncClient, name: str) -> None:
    refused = await post(client, name=name)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "name")


async def test_one_owner_does_not_take_all_the_room(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.routes.voices.MAX_CLONES_PER_OWNER", 1)
    assert (await post(client)).status_code == 201
    assert (await post(client, name="second")).status_code == 409
    files = {"audio_sample": ("x.wav", clip())}
    others = await client.post(ROUTE, data=form(name="second"), files=files, headers={"x-owner": "another"})
    assert others.status_code == 201


async def test_language_and_base_may_be_left_out_where_there_is_one(
    client: httpx.AsyncClient, store: VoiceStore
) -> None:
    made = await post(client, language=None, base=None)
    assert (made.status_code, made.json()["language"], made.json()["base"]) == (201, "ja", "anna")
    assert (await post(client, name="second", base=None)).status_code == 201, "a clone is no second base"
    make_pack(store.home / "berta", version="v2")
    asked = await post(client, name="third", base=None)
    assert (asked.status_code, asked.json()["error"]["param"]) == (400, "base")
    assert "anna, berta" in asked.json()["error"]["message"]


@pytest.mark.parametrize(
    ("changed", "status", "param"),
    [
        ({"name": None}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "花"}, 400, "name"),
        ({"name": "anna"}, 409, "name"),
        ({"ref_text": None}, 400, "ref_text"),
        ({"ref_text": "x" * 1001}, 400, "ref_text"),
        ({"ref_text": "a\u0000b"}, 400, "ref_text"),
        ({"language": "klingon"}, 400, "language"),
        ({"base": "nobody"}, 404, "base"),
        ({"base": "../anna"}, 400, "base"),
        ({"base": "/etc"}, 400, "base"),
        ({"name": "x" * 9000}, 400, None),
    ],
)
async def test_bad_fields(
    client: httpx.AsyncClient, store: VoiceStore, changed: dict[str, Any], status: int, param: str | None
) -> None:
    answer = await post(client, **changed)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert str(store.home) not in answer.text
    assert [path.name for path in store.home.iterdir()] == ["anna"]


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("name", ["../../evil", "/etc/cron.d/evil", "..", "a/../../b", "C:\\evil"])
async def test_names_never_become_paths(
    client: httpx.AsyncClient, store: VoiceStore, tmp_path: Path, name: str
) -> None:
    before = everything_below(tmp_path)
    answer = await post(client, name=name)
    assert answer.status_code in (201, 400)
    new = everything_below(tmp_path) - before
    made = {store.home / answer.json()["id"]} if answer.status_code == 201 else set()
    assert {path for path in new if path.parent == store.home} == made
    assert all(any(path.is_relative_to(folder) for folder in made) for path in new)
    assert not any(path.name == "x.wav" for path in new)


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        (b"", "is empty"),
        (b"hello", "not WAV"),
        (b"RIFF" + bytes(40), "is a RIFF file, but not WAV"),
        (clip(1.0), "lasts 1.0 s"),
        (clip(15.0), "lasts 15.0 s"),
        (wav(tone(1, 8000), 8000, 9, data=bytes(18)), "9 channels"),
        (wav(tone(1, 8000), 8000, 64, data=bytes(128)), "64 channels"),
        (wav(tone(4, 8000), 384_000), "384000 Hz"),
        (recording("amr"), "not WAV"),
        (recording("m4a", 4.0)[:9000], "cannot be decoded"),
        (encoded("flac", np.zeros(48_000 * 600, np.float32)), "longer than 60 s"),
    ],
    ids=["empty", "text", "header", "short", "long", "9", "64", "rate", "amr", "half", "silence"],
)
async def test_bad_clips(client: httpx.AsyncClient, store: VoiceStore, audio: bytes, said: str) -> None:
    answer = await post(client, audio)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_audio", "audio_sample"), answer.text
    assert said in error["message"]
    assert [path.name for path in store.home.iterdir()] == ["anna"]


@pytest.mark.parametrize("name", [n for n in CONTAINERS if "amr" not in n])
async def test_every_container_makes_a_voice(client: httpx.AsyncClient, store: VoiceStore, name: str) -> None:
    made = await post(client, recording(name, 4.0))
    assert made.status_code == 201, made.text


async def test_a_full_disk_under_the_uploads(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: SpooledTemporaryFile[bytes], data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpooledTemporaryFile, "write", full)
    answer = await post(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "server_overloaded")


async def test_a_path_in_place_of_the_file(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        ROUTE, files={"audio_sample": (None, "/etc/passwd"), **dict.fromkeys(("name", "ref_text"), (None, "x"))}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_audio")
    assert answer.json()["error"]["param"] == "audio_sample"


async def test_bytes_are_counted_whatever_is_declared(client: httpx.AsyncClient) -> None:
    answer = await post(client, bytes(2 << 20))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")

    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="audio_sample"; filename="a"\r\n\r\n'
        while True:
            sent += 65536
            yield bytes(65536)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = await client.post(ROUTE, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert sent <= 2 << 20


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 415),
        ({}, b"", 415),
        ({"content-type": "multipart/form-data"}, b"x", 400),
        ({"content-type": "multipart/form-data; boundary=b"}, b"garbage", 400),
        ({"content-type": "multipart/form-data; boundary=b"}, b"--b\r\n" * 100, 400),
        (
            {"content-type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 40 + b"--b--\r\n",
            400,
        ),
    ],
)
async def test_malformed_forms(client: httpx.AsyncClient, headers: dict[str, str], content: bytes, status: int) -> None:
    answer = await client.post(ROUTE, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert "error" in answer.json()


async def test_only_clones_are_deleted(client: httpx.AsyncClient, store: VoiceStore, forgotten: list[str]) -> None:
    refused = await client.delete(f"{ROUTE}/anna")
    assert refused.status_code == 409
    assert "vivavoce voices remove anna" in refused.json()["error"]["message"]
    for name in ("nobody", "..", "%2e%2e%2fanna", "anna%2f..", "%00"):
        assert (await client.delete(f"{ROUTE}/{name}")).status_code in (404, 405)
    assert forgotten == []
    assert store.get("anna").problem is None


async def test_clones_are_bounded(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_CLONES < 1000
    monkeypatch.setattr("vivavoce.routes.voices.MAX_CLONES", 1)
    assert (await post(client)).status_code == 201
    assert (await post(client, name="another")).status_code == 409


async def test_a_disk_that_cannot_be_written_tells_the_log_and_not_the_client(
    client: httpx.AsyncClient, store: VoiceStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.home = tmp_path / "file" / "voices"
    (tmp_path / "file").touch()
    answer = await post(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "voice_unavailable")
    assert str(tmp_path) not in answer.text
    assert str(tmp_path) in caplog.text


async def test_a_damaged_base_is_named(client: httpx.AsyncClient, store: VoiceStore) -> None:
    (store.home / "anna" / "tts_models" / "vits_fp16.bin").unlink()
    answer = await post(client)
    assert (answer.status_code, answer.json()["error"]["param"]) == (503, "base")
    assert "vits_fp16.bin is missing" in answer.json()["error"]["message"]
