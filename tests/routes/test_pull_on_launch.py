"""A launch that downloads: from a stand-in of the hub, where a setting allows it, and stopped when nobody wants it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest

import synthetic_whisper
from fake_engine import FakeEngine, wait_until
from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from live_server import LiveServer, live_server
from loudness import Loudness
from vivavoce.errors import DownloadError, ModelUnavailable, VoiceUnavailable
from vivavoce.hosted.hearing import wav_file
from vivavoce.hub import Hub
from vivavoce.models.catalogue import KnownModel
from vivavoce.progress import Progress
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.routes.launchables import KnownElsewhere
from vivavoce.routes.launched import LaunchedModels, NotLaunched

SPEECH = wav_file(np.concatenate([np.full(16_000, 0.3, np.float32), np.zeros(16_000, np.float32)]))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    files = {path.name: path.read_bytes() for path in synthetic_whisper.folder().iterdir()}
    with HubStandIn(files) as hub:
        there = Hub(REPOSITORY, COMMIT, endpoint=hub.endpoint, retry_wait_s=0.0)
        monkeypatch.setattr("vivavoce.models.pull.Hub", lambda repository, revision: there)
        yield hub


@pytest.fixture
def server(hub: HubStandIn, tmp_path: Path) -> Iterator[LiveServer]:
    with live_server([FakeEngine(("x",))], activity=Loudness(), data_dir=tmp_path, pull_on_launch=True) as server:
        yield server


def launch(server: LiveServer, name: str, **query: str) -> httpx.Response:
    body = {"model_name": name, "model_type": "audio"}
    return httpx.post(server.url + "/v1/models", json=body, params=query, timeout=60)


def test_a_launch_brings_the_model_and_it_hears(server: LiveServer, hub: HubStandIn) -> None:
    assert launch(server, "whisper-small", wait_ready="false").json() == {"model_uid": "whisper-small"}
    wait_until(lambda: progress(server)["progress"] == 1.0)
    files = {"file": ("a.wav", SPEECH, "audio/wav")}
    heard = httpx.post(
        server.url + "/v1/audio/transcriptions", data={"model": "whisper-small"}, files=files, timeout=60
    )
    assert heard.json()["text"] == "One two three four."
    count = len(hub.downloads())
    assert httpx.delete(server.url + "/v1/models/whisper-small").status_code == 200
    assert launch(server, "whisper-small").status_code == 200
    assert len(hub.downloads()) == count, "it is here now"


def progress(server: LiveServer) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(server.url + "/v1/models/whisper-small/progress").json()
    return found


def test_what_has_to_be_converted_is_a_commands_work(server: LiveServer, hub: HubStandIn) -> None:
    answer = launch(server, "Belle-whisper-large-v3-zh")
    assert answer.status_code == 503
    assert "`vivavoce models pull Belle-whisper-large-v3-zh`" in answer.json()["detail"]
    hub.files["model.safetensors"] = hub.files.pop("model.bin")  # the hub holds another form than is known
    answer = launch(server, "whisper-small")
    assert answer.status_code == 503
    assert "has to be converted first" in answer.json()["detail"]
    assert hub.downloads() == []


def test_a_hub_that_cannot_be_reached_is_told(server: LiveServer, hub: HubStandIn) -> None:
    hub.files.clear()
    answer = launch(server, "whisper-small")
    assert answer.status_code == 503
    assert "whisper-small could not be fetched" in answer.json()["detail"]


def test_without_the_setting_nothing_is_downloaded(hub: HubStandIn, tmp_path: Path) -> None:
    with live_server([FakeEngine(("x",))], activity=Loudness(), data_dir=tmp_path) as server:
        answer = launch(server, "whisper-small")
        assert answer.status_code == 503
        assert "`vivavoce models pull whisper-small` fetches it" in answer.json()["detail"]
    assert hub.requests == []


# -- without a server


class Keeper:
    """Loads nothing."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    async def load_model(self, model_id: str, progress: object = None) -> None:
        self.loaded.append(model_id)


class Slow:
    """A download that goes on until the test says so, and tells how it ended."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.at_once = self.most = 0
        self.ended: list[str] = []

    def __call__(self, model: KnownModel, progress: Progress) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            progress(model.name, 0.25)
            self.begun.set()
            self.go_on.wait(20)
            try:
                progress(model.name, 0.5)
            except Exception:  # as a downloader that tries again
                progress(model.name, 0.5)
            self.ended.append("whole")
        except BaseException:
            self.ended.append("stopped")
            raise
        finally:
            self.at_once -= 1


def elsewhere(fetch: Any) -> tuple[LaunchedModels, Keeper]:
    keeper = Keeper()
    return LaunchedModels((KnownElsewhere(cast(ModelKeeper, keeper), fetch),)), keeper


async def test_a_launch_taken_back_stops_the_download() -> None:
    slow = Slow()
    launched, keeper = elsewhere(slow)
    each = await launched.launch("whisper-small", None, "me", wait=False)
    assert await asyncio.to_thread(slow.begun.wait, 20)
    assert each.progress == 0.25
    assert (each.state, each.stage) == ("LOADING", "whisper-small")
    loading = each.loading
    assert loading is not None
    keeper.forget = lambda model_id: None  # type: ignore[attr-defined]
    await launched.end("whisper-small", "me")
    await asyncio.sleep(0)  # the launch hears of it
    slow.go_on.set()
    await asyncio.wait({loading})
    assert slow.ended == ["stopped"]
    assert keeper.loaded == []
    with pytest.raises(NotLaunched):
        launched.of("whisper-small", "me")


async def test_one_download_at_a_time() -> None:
    slow = Slow()
    slow.go_on.set()
    launched, keeper = elsewhere(slow)
    names = [("whisper-small", "a"), ("whisper-small", "b"), ("whisper-tiny", "c")]
    await asyncio.gather(*(launched.launch(name, uid, uid, wait=True) for name, uid in names))
    assert slow.most == 1
    assert keeper.loaded == [name for name, _ in names]


async def test_what_a_download_raises_is_a_sentence() -> None:
    def broken(model: KnownModel, progress: Progress) -> None:
        raise DownloadError("the hub cannot be reached")

    launched, _ = elsewhere(broken)
    with pytest.raises(ModelUnavailable, match=r"whisper-small could not be fetched: the hub cannot be reached"):
        await launched.launch("whisper-small", None, "me", wait=True)
    refusing, _ = elsewhere(None)
    with pytest.raises(VoiceUnavailable, match="models pull"):
        await refusing.launch("whisper-small", None, "me", wait=True)
