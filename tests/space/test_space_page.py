"""Every snippet of docs/space.md, in the page's order: commands in a shell, the folder it makes started as it says.

Three things stand in: `pip install` only has its extras looked up, the converter (which needs torch, and has its own
tests) hands out a synthetic voice once its arguments are read, and the hub is one of ours on this machine, to which
the real `hf` uploads.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from decoders import decode_with_ffmpeg
from synthetic_genie_data import genie_data, reference_clip
from synthetic_voice import cache_root, synthetic_voice

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "space.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
PUBLIC = "https://YOUR-NAME-anna-speaks.hf.space"

pytestmark = pytest.mark.timeout(400)

PIP = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
"""
VIVAVOCE = """#!{python}
import shutil, sys
from vivavoce.cli.main import _parser, main
if sys.argv[1:3] == ["voices", "convert"]:
    args = _parser("voices").parse_args(sys.argv[1:])
    assert args.ckpt.name.endswith(".ckpt") and args.pth.name.endswith(".pth")
    shutil.copytree({voice!r}, args.out)
else:
    main()
"""
HF = """#!/bin/sh
if [ "$1" = auth ]; then exec {hf} auth login --help > /dev/null; fi
exec {hf} "$@"
"""


@dataclass(slots=True)
class Hub:
    """Takes uploads; of large files only the names."""

    endpoint: str = ""
    created: list[dict[str, str]] = field(default_factory=list)
    offered: set[str] = field(default_factory=set)
    committed: set[str] = field(default_factory=set)

    def answer(self, path: str, body: bytes) -> object:
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.endpoint}/spaces/YOUR_NAME/anna-speaks"}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            self.offered |= {file["path"] for file in files}
            return {
                "files": [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": file["size"] > 100_000}
                    for file in files
                ]
            }
        if "/commit/" in path:
            entries = [json.loads(line) for line in body.splitlines()]
            self.committed |= {entry["value"]["path"] for entry in entries if entry["key"] == "file"}
            return {
                "success": True,
                "commitOid": "0" * 40,
                "commitUrl": f"{self.endpoint}/spaces/YOUR_NAME/anna-speaks/commit/{'0' * 40}",
            }
        return {"id": "YOUR_NAME/anna-speaks", "sha": "0" * 40, "siblings": [], "tags": []}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who types what the page says, in a folder of theirs."""

    folder: Path
    environment: dict[str, str]
    hub: Hub

    def types(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-ec", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self, script: str) -> None:
        subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=self.folder, check=True, timeout=300)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            data = json.dumps(hub.answer(self.path.partition("?")[0], body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        yield hub
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def reader(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("reader")
    tools = folder / "tools"
    tools.mkdir()
    programs = {
        "pip": PIP.format(python=sys.executable, log=str(folder / "installed")),
        "vivavoce": VIVAVOCE.format(python=sys.executable, voice=str(synthetic_voice())),
        "hf": HF.format(hf=Path(sys.executable).parent / "hf"),
    }
    for name, text in programs.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    for name in ("anna-e15.ckpt", "anna_e8_s200.pth"):
        (folder / name).touch()
    (folder / "anna.wav").write_bytes(reference_clip().path.read_bytes())
    (folder / "cache").mkdir()
    (folder / "cache" / "genie").symlink_to(cache_root() / "compiled")
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "GENIE_DATA_DIR": str(genie_data()),
        "VIVAVOCE_DATA_DIR": str(folder / "data"),
        "VIVAVOCE_CACHE_DIR": str(folder / "cache"),
        "VIVAVOCE_PORT": "0",
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": "hf_" + "a" * 30,
        "HF_HOME": str(folder / "hf"),
    }
    return Reader(folder, environment, hub)


def of_kind(language: str, holding: str) -> str:
    """The one block in this language that holds these words."""
    found = [text for name, text in BLOCKS if name == language and holding in text]
    assert len(found) == 1, holding
    text: str = found[0]
    return text


@pytest.fixture(scope="module")
def folder(reader: Reader) -> Path:
    """Steps 1 to 3."""
    reader.types(of_kind("sh", "voices convert"))
    checked = reader.types(of_kind("sh", "voices check"))
    assert "every checksum is right" in checked
    said = reader.types(of_kind("sh", "vivavoce space"))
    assert "anna speaks: " in said
    return reader.folder / "my-space"


@pytest.fixture(scope="module")
def address(reader: Reader, folder: Path) -> Iterator[str]:
    """Step 4: the folder, started as the page says."""
    log = reader.folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            ["sh", "-ec", of_kind("sh", "vivavoce serve")],
            cwd=reader.folder,
            env=reader.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline_s = time.monotonic() + 120
        while "try it" not in log.read_text() and server.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.1)
        greeting = re.search(r"listens on (http://\S+)", log.read_text())
        assert greeting is not None, log.read_text()
        yield greeting[1]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def test_every_block_has_its_test() -> None:
    assert [name for name, _ in BLOCKS] == ["sh", "sh", "sh", "sh", "sh", "sh", "python", "python"]


def test_what_it_installs_exists(reader: Reader, folder: Path) -> None:
    installed = [json.loads(line) for line in (reader.folder / "installed").read_text().splitlines()]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert installed == [["install", "vivavoce[convert]"], ["install", "vivavoce[genie,korean]"]]
    assert {"convert", "genie", "korean"} <= extras.keys()


def test_the_folder_holds_what_the_page_lists(folder: Path) -> None:
    for row in re.findall(r"^\| (`[^|]+) \|", PAGE.partition("What is written:")[2].partition("`--package")[0], re.M):
        for name in re.findall(r"`([^`]+)`", row):
            assert (folder / name).exists(), name
    assert len(list((folder / "models" / "anna" / "tts_models").iterdir())) == 9


def test_it_is_uploaded(reader: Reader, folder: Path) -> None:
    reader.types(of_kind("sh", "hf upload"))
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert reader.hub.created[0]["type"] == "space"
    assert reader.hub.offered == written
    small = {name for name in written if (folder / name).stat().st_size <= 100_000}
    assert reader.hub.committed == small
    assert {"README.md", "Dockerfile", "models/anna/reference/config.json"} <= reader.hub.committed


def test_the_curl_line_speaks(reader: Reader, address: str) -> None:
    reader.types(of_kind("sh", "curl").replace(PUBLIC, address))
    sound = decode_with_ffmpeg((reader.folder / "speech.wav").read_bytes())
    assert (sound.sample_rate, len(sound.samples) > 3200) == (32_000, True)


@pytest.mark.parametrize(("library", "file"), [("requests", "speech.wav"), ("OpenAI", "speech.mp3")])
def test_the_python_lines_speak(reader: Reader, address: str, library: str, file: str) -> None:
    (reader.folder / file).unlink(missing_ok=True)
    reader.runs(of_kind("python", library).replace(PUBLIC, address))
    sound = decode_with_ffmpeg((reader.folder / file).read_bytes())
    assert (sound.sample_rate, len(sound.samples) > 3200) == (32_000, True)


@pytest.mark.parametrize("number", range(3))
def test_the_lines_of_the_spaces_own_page_speak(reader: Reader, folder: Path, address: str, number: int) -> None:
    blocks = re.findall(r"```(bash|python)\n(.*?)```", (folder / "README.md").read_text("utf-8"), re.DOTALL)
    assert [language for language, _ in blocks] == ["bash", "python", "python", "bash"]
    language, script = blocks[number]
    script = script.replace("https://YOUR-NAME-YOUR-SPACE.hf.space", address)
    (reader.folder / "speech.wav").unlink(missing_ok=True)
    if language == "bash":
        reader.types(script)
    else:
        reader.runs(script)
    assert len(decode_with_ffmpeg((reader.folder / "speech.wav").read_bytes()).samples) > 3200
