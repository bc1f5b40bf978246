"""What the README shows is run as it stands, against a real server; only the port is another one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from decoders import decode_with_ffmpeg
from live_server import LiveServer, live_server
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def block(language: str, holding: str) -> str:
    """The one block in this language that holds these words."""
    found = [text for name, text in BLOCKS if name == language and holding in text]
    assert len(found) == 1
    text: str = found[0]
    return text


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([open_engine(VoiceSettings())]) as live:
        yield live


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_line_speaks(server: LiveServer, tmp_path: Path) -> None:
    script = block("sh", "curl").replace("127.0.0.1:7860", f"127.0.0.1:{server.port}")
    run(["sh", "-c", script], tmp_path)
    audio = decode_with_ffmpeg((tmp_path / "hello.mp3").read_bytes())
    assert 2.0 < len(audio.samples) / audio.sample_rate < 8.0


def test_the_python_lines_speak(server: LiveServer, tmp_path: Path) -> None:
    script = block("python", "OpenAI").replace("127.0.0.1:7860", f"127.0.0.1:{server.port}")
    lines = run([sys.executable, "-W", "error", "-c", script], tmp_path).splitlines()
    assert len(lines) > 10
    assert all(line.endswith("bytes of sound") for line in lines)


def test_the_say_line_speaks(tmp_path: Path) -> None:
    found = re.search(r"`(vivavoce say [^`]+)`", README)
    assert found is not None
    script = found[1].replace("vivavoce", f"{sys.executable} -m vivavoce", 1)
    run(["sh", "-c", script], tmp_path)
    assert len(decode_with_ffmpeg((tmp_path / "hello.wav").read_bytes()).samples) > 10_000


def test_every_page_it_links_to_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_folder_of_its_tree_exists() -> None:
    tree = re.search(r"(    server/vivavoce/ .*?)\n## ", README, re.DOTALL)
    assert tree is not None
    for line in tree[1].splitlines():
        if line.startswith("    ") and not line.startswith("     ") and line.strip():
            assert (ROOT / line.split()[0]).exists(), line
