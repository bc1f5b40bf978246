"""A written folder, started as the hub starts it: the command of its Dockerfile, in an environment made from its own
requirements, as a user who may write nowhere but home. It answers as the plan of such Spaces says.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fake_engine import wait_until
from genie_text_data import text_data
from synthetic_genie_data import genie_data, voice_library
from synthetic_voice import cache_root
from voice_packs import link, write

ROOT = Path(__file__).parents[2]
UID = 1000
KEPT_RIGHT = "dac_read_search"  # may read everything and write nothing: interpreters of developers lie in their homes

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Space:
    """A folder and the environment made from its requirements."""

    folder: Path
    environment: Path


@dataclass(frozen=True, slots=True)
class Running:
    """A Space that answers."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def speak(self, **fields: object) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/audio/speech", json=fields, timeout=240)

    def said(self) -> str:
        return self.log.read_text("utf-8")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    """Written by the command, with the embedded voice and a synthetic V2ProPlus one; then three go wrong."""
    place = tmp_path_factory.mktemp("space")
    (place / "cache").mkdir()
    (place / "cache" / "genie").symlink_to(cache_root() / "compiled")
    shutil.copytree(genie_data(), place / "GenieData")
    shutil.copytree(text_data() / "G2P", place / "GenieData" / "G2P", dirs_exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", place / "dist", ROOT], check=True)
    (wheel,) = (place / "dist").iterdir()
    voices = ["--voices", str(voice_library()), "--voice", "alpha", "--voice", "heart"]
    subprocess.run(
        [sys.executable, "-m", "vivavoce", "space", "space", *voices, "--package", str(wheel)],
        cwd=place,
        env={
            **os.environ,
            "GENIE_DATA_DIR": str(place / "GenieData"),
            "VIVAVOCE_CACHE_DIR": str(place / "cache"),
            "VIVAVOCE_DATA_DIR": str(place / "data"),
        },
        check=True,
    )
    _spoil(place / "space" / "models")
    subprocess.run([sys.executable, "-m", "venv", place / "environment"], check=True)
    install = [str(place / "environment" / "bin" / "pip"), "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*install, "-r", "requirements.txt"], cwd=place / "space", check=True)
    return Space(place / "space", place / "environment")


def _spoil(models: Path) -> None:
    """Beside the good voice: one without its clip, one whose language is a lie, one with somebody else's graph."""
    for name in ("silent", "liar", "forged"):
        for path in (path for path in (models / "alpha").rglob("*") if path.is_file()):
            target = models / name / path.relative_to(models / "alpha")
            target.parent.mkdir(parents=True, exist_ok=True)
            link(path, target)
    (models / "silent" / "reference" / "audio.wav").unlink()
    (models / "liar" / "reference" / "config.json").unlink()
    write(models / "liar" / "reference" / "config.json", {"text": "Hello there.", "language": "ko"})
    graph = models / "forged" / "tts_models" / "vits_fp32.onnx"
    content = bytearray(graph.read_bytes())
    content[1000] ^= 1
    graph.unlink()
    graph.write_bytes(content)


def _unprivileged() -> list[str]:
    """How to run a command as somebody else; nothing where this is somebody else already."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root cannot become another user here: there is no setpriv")
    rights = [f"--inh-caps=+{KEPT_RIGHT}", f"--ambient-caps=+{KEPT_RIGHT}"]
    return [setpriv, "--reuid", str(UID), "--regid", str(UID), "--clear-groups", *rights]


@contextmanager
def started(space: Space, home: Path, **settings: str) -> Iterator[Running]:
    """The command of the folder's Dockerfile with its variables, its places being these."""
    dockerfile = re.sub(r"\\\n\s*", " ", (space.folder / "Dockerfile").read_text())
    lines = dict(line.split(maxsplit=1) for line in dockerfile.splitlines() if line and not line.startswith("#"))
    places = {"/home/user/app": str(space.folder), "/home/user/.local/bin": str(space.environment / "bin")}
    variables = {}
    for name, value in (pair.split("=", 1) for pair in lines["ENV"].split()):
        for place, here in places.items():
            value = value.replace(place, here)
        variables[name] = value.replace("/home/user", str(home))
    command = json.loads(lines["CMD"])
    program = shutil.which(command[0], path=variables["PATH"])
    assert program == str(space.environment / "bin" / command[0])
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*_unprivileged(), program, *command[1:]],
            cwd=space.folder,
            env={**variables, "VIVAVOCE_PORT": "0", **settings},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(lambda: process.poll() is not None or "try it" in log.read_text("utf-8"), "its greeting")
        greeting = re.search(r"listens on (http://127\.0\.0\.1:\d+)", log.read_text("utf-8"))
        assert greeting is not None, log.read_text("utf-8")
        yield Running(greeting[1], log, process)
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(is_so: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def running(space: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(space, _home(tmp_path_factory.mktemp("of-user"))) as running:
        yield running


def _home(folder: Path) -> Path:
    """A home with nothing in it but the graphs that `vivavoce voices prepare` would have compiled into the image."""
    home = folder / "user"
    (home / ".cache" / "vivavoce" / "genie").mkdir(parents=True)
    (home / ".cache" / "vivavoce" / "genie" / "graphs").symlink_to(cache_root() / "compiled" / "graphs")
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            if not path.is_symlink():
                os.chown(path, UID, UID)
    return home


def test_it_runs_as_somebody_who_may_write_nowhere_but_home(running: Running, space: Space) -> None:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    assert re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)[1] != "0"  # type: ignore[index]
    tried = subprocess.run([*_unprivileged(), "touch", space.folder / "written"], capture_output=True)
    assert tried.returncode != 0 or os.geteuid() != 0


def test_a_voice_is_named_by_its_model_alone(running: Running) -> None:
    answer = running.speak(model="alpha", input="こんにちは。")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (32_000, 1, 2)
        assert sound.getnframes() > 3200
        assert any(sound.readframes(sound.getnframes()))


@pytest.mark.parametrize(
    "fields",
    [
        {"voice": "alpha"},
        {"voice": "alloy", "speed": 1.0, "response_format": "wav"},
        {"voice": None, "speed": None, "response_format": None},
    ],
)
def test_what_may_be_sent_along(running: Running, fields: dict[str, object]) -> None:
    answer = running.speak(model="heart", input="Hello there.", **fields)

    assert (answer.status_code, answer.content[:4]) == (200, b"RIFF")
    assert answer.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize(
    "text", ["안녕하세요. AI가 3시에 말해요.", "你好，世界。", "Good morning.", "Hello, 안녕, 你好, こんにちは."]
)
def test_every_language_is_spoken(running: Running, text: str) -> None:
    answer = running.speak(model="alpha", input=text, response_format="pcm")
    assert answer.status_code == 200
    assert any(answer.content)


def test_health_and_models(running: Running) -> None:
    running.speak(model="forged", input="はい。")  # when this is refused, the start has tried them all
    assert httpx.get(f"{running.url}/health").json() == {"status": "healthy", "models": ["alpha", "heart"]}
    models = httpx.get(f"{running.url}/v1/models").json()
    assert models["object"] == "list"
    assert [entry["id"] for entry in models["data"]][:2] == ["alpha", "heart"]
    assert all({"id", "object", "created", "owned_by"} <= entry.keys() for entry in models["data"])


def test_an_unknown_model_is_the_plans_error(running: Running) -> None:
    answer = running.speak(model="nobody", input="Hello.")

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "model_not_found")
    assert "nobody" in error["message"]


def test_a_key_means_nothing_where_none_is_set(running: Running) -> None:
    for headers in ({"authorization": "Bearer anything at all"}, {"x-api-key": "no"}, {"authorization": "Basic eA=="}):
        body = {"model": "heart", "input": "Hello."}
        assert httpx.post(f"{running.url}/v1/audio/speech", json=body, headers=headers, timeout=60).status_code == 200


def test_damage_and_lies_are_told_at_the_start_and_the_others_speak(running: Running) -> None:
    refused = {name: running.speak(model=name, input="はい。") for name in ("silent", "liar", "forged")}
    damaged = "vits_fp32.onnx is damaged: it is not the graph that every v2ProPlus voice has"
    wait_until(lambda: damaged in running.said(), timeout_s=60)  # the start tries one voice after the other
    said = running.said()

    assert "not available   silent: reference/audio.wav is missing" in said
    assert "not available   liar: reference/config.json: the language is 'ko', but the text is written in 'en'" in said
    assert said.count(damaged) == 1
    assert {name: answer.status_code for name, answer in refused.items()} == dict.fromkeys(refused, 503)
    assert running.speak(model="heart", input="Hello.").status_code == 200


def test_the_embedded_voice_alone_needs_no_more(space: Space, tmp_path: Path) -> None:
    """A folder without a Genie voice, in the same environment; and with a key, which is then asked for."""
    subprocess.run([sys.executable, "-m", "vivavoce", "space", tmp_path / "space", "--voice", "heart"], check=True)
    key = "a-key-of-enough-characters"
    alone = Space(tmp_path / "space", space.environment)
    with started(alone, _home(tmp_path / "of-user"), VIVAVOCE_API_KEYS=key) as running:
        body = {"model": "heart", "input": "Hello there."}
        asked = httpx.post(f"{running.url}/v1/audio/speech", json=body, timeout=60)
        given = httpx.post(
            f"{running.url}/v1/audio/speech", json=body, timeout=60, headers={"authorization": f"Bearer {key}"}
        )
        models = httpx.get(f"{running.url}/health").json()["models"]

    assert (asked.status_code, asked.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (given.status_code, given.content[:4]) == (200, b"RIFF")
    assert models == ["heart"]
