"""What `docs/listening.md` shows is run as it stands, against a server with the model that is installed."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from live_server import LiveServer, live_server
from recognizer import word_error_rate
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from vivavoce.protocols.captions.messages import ClientMessage, Limits, ListenConfig, ServerMessage

PAGE = (Path(__file__).parent.parent / "docs" / "listening.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
SAID = "The train leaves at noon."
TYPES = [kind.type for kind in (*ClientMessage.__args__, *ServerMessage.__args__)]
KINDS = (Limits, ListenConfig, *ServerMessage.__args__)
FIELDS = {each.name for kind in KINDS for each in dataclasses.fields(kind)} - {"utterance_index"}  # the other stream's


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([open_engine(VoiceSettings())]) as live:
        yield live


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, server: LiveServer) -> Path:
    """Where the first lines of the page have been run."""
    folder = tmp_path_factory.mktemp("listening")
    run(block("sh", "curl"), folder, server)
    return folder


def block(language: str, holding: str) -> str:
    (found,) = [text for name, text in BLOCKS if name == language and holding in text]
    return str(found).replace("vivavoce ", f"{sys.executable} -m vivavoce ")


def run(script: str, folder: Path, server: LiveServer, *, python: bool = False) -> str:
    script = script.replace("127.0.0.1:7860", f"127.0.0.1:{server.port}")
    command = [sys.executable, "-W", "error", "-c", script] if python else ["sh", "-ec", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_lines(folder: Path) -> None:
    subtitles = (folder / "train.srt").read_text()
    assert subtitles.startswith("1\n00:00:0")
    assert word_error_rate(SAID, subtitles.splitlines()[2]) <= 0.2


def test_the_python_lines(folder: Path, server: LiveServer) -> None:
    lines = run(block("python", "OpenAI"), folder, server, python=True).splitlines()
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)
    assert word_error_rate(SAID, " ".join(line.split()[1] for line in lines)) <= 0.2


def test_the_lines_without_a_server(folder: Path, server: LiveServer) -> None:
    assert word_error_rate(SAID, run(block("sh", "vivavoce transcribe"), folder, server)) <= 0.2
    assert (folder / "train.vtt").read_text().startswith("WEBVTT\n")


def test_another_language_offline(folder: Path, server: LiveServer) -> None:
    """Heard by the model that is installed, translated by the package that is."""
    with (folder / "train.wav").open("rb") as file:
        answer = httpx.post(
            f"{server.url}/v1/audio/translations",
            files={"file": file},
            data={"to_language": "Portuguese", "response_format": "srt"},
            timeout=60,
        )
    assert answer.text.splitlines()[2] == "O trem sai ao meio-dia."


def test_the_live_lines(folder: Path, server: LiveServer) -> None:
    lines = run(block("python", "websockets"), folder, server, python=True).splitlines()
    finals = [line.removeprefix("transcript.final ") for line in lines if line.startswith("transcript.final")]
    assert word_error_rate(SAID, " ".join(finals)) <= 0.2


@pytest.mark.parametrize("name", sorted({*TYPES, *FIELDS}))
def test_the_page_names_it(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{name} " in PAGE
