"""The examples of models elsewhere, run as a user runs them, against a real server and a stand-in of the models'."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from decoders import decode_with_libsndfile
from fake_engine import FakeEngine
from inference_stand_in import InferenceStandIn
from live_server import LiveServer, live_server
from pictures import picture

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    patch = pytest.MonkeyPatch()
    with InferenceStandIn() as hub:
        patch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        with live_server([FakeEngine()], hosted=True, api_keys=(KEY,)) as server:
            yield server
    patch.undo()


def run(server: LiveServer, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VIVAVOCE_URL": server.url, "VIVAVOCE_KEY": KEY, "HF_TOKEN": "hf_of_the_user"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=folder)


@pytest.mark.parametrize(
    ("program", "script"), [([sys.executable], "text_to_audio.py"), (["node"], "text_to_audio.mjs")]
)
def test_a_text_becomes_sound(server: LiveServer, tmp_path: Path, program: list[str], script: str) -> None:
    command = [*program, str(EXAMPLES / script)]
    for arguments in (("rain", "a.ogg", "org/flac"), ("Rain on a tin roof.", "b.ogg")):
        done = run(server, *command, *arguments, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(decode_with_libsndfile((tmp_path / arguments[1]).read_bytes()).samples) > 5000
    failed = run(server, *command, "rain", "c.ogg", "org/broke", folder=tmp_path)
    assert failed.returncode == 1
    assert "You have exceeded your monthly included credits" in failed.stderr


def test_a_picture_becomes_words(server: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "cats.jpg").write_bytes(picture("mjpeg"))
    (tmp_path / "cats.png").write_bytes(picture("png"))
    script = str(EXAMPLES / "image_to_text.mjs")
    for name, model in [("cats.jpg", "org/caption-list"), ("cats.png", "org/caption-object")]:
        done = run(server, "node", script, name, model, folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, "two cats on a sofa\n"), done.stderr
    failed = run(server, "node", script, "cats.jpg", "org/busy", folder=tmp_path)
    assert (failed.returncode, "Rate limit reached" in failed.stderr) == (1, True)
