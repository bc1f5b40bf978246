"""The page of `examples/` and the Swagger page in Chromium: models elsewhere are heard and read, over a stand-in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_engine import FakeEngine
from inference_stand_in import InferenceStandIn
from live_server import LiveServer, live_server
from pictures import picture
from web_site import site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with site(EXAMPLES) as address:
        yield address


@pytest.fixture(scope="module")
def hub() -> Iterator[InferenceStandIn]:
    with InferenceStandIn() as hub:
        yield hub


@pytest.fixture(scope="module")
def server(hub: InferenceStandIn, origin: str) -> Iterator[LiveServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        with live_server([FakeEngine()], hosted=True, cors=True, allowed_origins=(origin,), api_keys=(KEY,)) as server:
            yield server


def seen(scenario: str, url: str, **wish: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("hosted.mjs"))
    command = ["node", script, scenario, url, json.dumps(wish)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_page_of_ones_own(hub: InferenceStandIn, server: LiveServer, origin: str, tmp_path: Path) -> None:
    (tmp_path / "cats.png").write_bytes(picture("png"))
    text = 'Rain "on" a tin roof,\nand 🐈.'
    asks = {"server": server.url, "key": KEY, "token": "hf_of_the_user", "picture": str(tmp_path / "cats.png")}
    page = f"{origin}/hosted_models.html"
    found = seen("page", page, **asks, text=text, audio="org/flac", image="org/caption-list")
    assert found["complaints"] == []
    assert found["seconds"] == pytest.approx(1.0, abs=0.1)
    assert found["words"] == ["two cats on a sofa"]
    sound, caption = hub.asked
    assert sound.json["inputs"] == text
    assert (sound.token, caption.token) == ("hf_of_the_user", "hf_of_the_user")
    assert (caption.content_type, caption.body) == ("image/png", (tmp_path / "cats.png").read_bytes())

    refused = seen("page", page, **asks, text=text, audio="org/broke", image="org/busy")
    assert "exceeded your monthly included credits" in refused["refused"]
    assert "Rate limit reached" in refused["refusedPicture"]
    spoken = seen("page", page, **asks, text="Hello there.", audio="", image="org/caption-object")
    assert spoken["seconds"] == pytest.approx(12 * 480 / 24_000, abs=0.05)  # by the server's own voice


def test_the_swagger_page_runs_its_examples(hub: InferenceStandIn) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        with live_server([FakeEngine()], hosted=True) as server:
            heard = seen("swagger", f"{server.url}/docs", path="/v1/hosted/text-to-audio")
            assert (heard["status"], heard["complaints"]) == ("200", [])
            assert heard["seconds"] == pytest.approx(19 * 480 / 24_000, abs=0.05)
            read = seen("swagger", f"{server.url}/docs", path="/v1/hosted/image-to-text")
            assert "GOOD" in read["body"] or "vivavoce[ocr]" in read["body"]
