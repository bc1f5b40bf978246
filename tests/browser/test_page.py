"""The page in Chromium, against a real server: what is heard, what lights up, what is said when something fails.

Each test runs one scenario of `scenarios.mjs`; sound is recorded on its way to the loudspeakers and read back by a
recognizer. Pictures are left in `test-results/`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recognizer import transcribe, word_error_rate

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
RESULTS = ROOT / "test-results"
KEY = "a-key-of-this-test"
TEXT = "The quick brown fox jumps over the lazy dog. She sells fresh bread by the sea shore every morning."
LONG = "When the rain had stopped, the children ran out to the river, and counted the boats that came home."
STORY = (
    "The lighthouse keeper wrote one letter every winter, and never posted it. This year, the sea came up the stairs "
    "to fetch it. It was very polite; it knocked first, and it left the lamp burning when it went. In the morning "
    "there was salt on the desk, and an answer, in a hand as round as pebbles."
)

Result = dict[str, Any]


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """A server of its own on a free port; its address."""
    command = [sys.executable, "-m", "vivavoce", "serve", "--port", "0", "--engines", "embedded"]
    env = {**os.environ, **environment}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"listens on (http://\S+)", line):
                    yield found.group(1) + "/"
                    break
            else:
                pytest.fail("the server did not start:\n" + "".join(lines))
        finally:
            process.terminate()
            process.stdout.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def locked_url() -> Iterator[str]:
    with serving(VIVAVOCE_API_KEYS=KEY) as address:
        yield address


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if not Path(os.environ.get("VIVAVOCE_CHROMIUM", "/usr/bin/chromium")).exists():
        pytest.fail("Chromium is missing: install the Debian package chromium, or set VIVAVOCE_CHROMIUM to its path")
    if shutil.which("node") is None:
        pytest.fail("Node.js is missing: install the Debian packages nodejs and npm")
    if not (ROOT / "client_js" / "node_modules" / "playwright-core").is_dir():
        pytest.fail("the browser driver is missing: run `npm ci` in client_js")


def run(scenario: str, folder: Path, **options: str) -> Result:
    """What the scenario saw; it had nothing to complain about."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = json.dumps({"folder": str(folder), **options})
    done = subprocess.run(
        ["node", str(HERE / "scenarios.mjs"), scenario, arguments], capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result: Result = json.loads(done.stdout.splitlines()[-1])
    assert result["complaints"] == []
    return result


def heard(sound: Result) -> str:
    """What a listener understood."""
    samples = np.fromfile(sound["path"], dtype=np.float32)
    return transcribe(samples, int(sound["rate"]))


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
def test_the_page_speaks_and_its_words_light_up_in_order(transport: str, url: str, tmp_path: Path) -> None:
    seen = run("speak", tmp_path, url=url, transport=transport, text=TEXT)
    assert word_error_rate(TEXT, heard(seen["sound"])) <= 0.15
    assert seen["words"] == TEXT.split()
    assert int(seen["firstAudio"]) > 0
    assert (seen["button"], seen["notice"]) == ("Speak", "")


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
def test_stop_silences_at_once_and_tells_what_was_heard(transport: str, url: str, tmp_path: Path) -> None:
    result = run("stop", tmp_path, url=url, transport=transport, text=LONG)
    stopped = result["stopped"]
    silence = np.fromfile(result["silence"]["path"], dtype=np.float32)
    assert len(silence) > 0.2 * result["silence"]["rate"]
    assert np.abs(silence).max() < 0.01
    assert stopped["heard"]
    assert LONG.startswith(stopped["heard"])
    said = len(stopped["heard"].split())
    assert abs(said - len(stopped["words"])) <= 1, "what is lit and what was heard agree"
    assert result["continued"] == LONG[len(stopped["heard"]) :].split()


def test_what_is_written_while_it_speaks_is_spoken_too(url: str, tmp_path: Path) -> None:
    text = "The first sentence was here from the start, and it is long enough to leave some time for writing. "
    more = "The second one came while it was speaking."
    seen = run("write", tmp_path, url=url, text=text, more=more)
    assert word_error_rate(text + more, heard(seen["sound"])) <= 0.2
    assert seen["words"] == (text + more).split()


def test_it_speaks_while_it_is_written(url: str, tmp_path: Path) -> None:
    text = "Nobody pressed a button, and still this is being read aloud."
    seen = run("live", tmp_path, url=url, text=text)
    assert word_error_rate(text, heard(seen["sound"])) <= 0.2
    assert seen["words"] == text.split()
    assert seen["underruns"] == "0", "waiting for the writer is no underrun"


@pytest.mark.parametrize("loses", ["", "the first one"])
def test_the_microphone_writes_what_is_said(url: str, tmp_path: Path, loses: str) -> None:
    sentence = "The train to the mountains leaves at noon, and nobody has bought any tickets yet."
    spoken = tmp_path / "spoken.wav"
    subprocess.run(
        [sys.executable, "-m", "vivavoce", "say", sentence, "--quiet", "-o", str(spoken), "--sample-rate", "48000"],
        check=True,
        timeout=60,
    )
    samples, rate = soundfile.read(spoken, dtype="float32")
    quiet = np.zeros(2 * rate, np.float32)
    microphone = tmp_path / "microphone.wav"
    soundfile.write(microphone, np.concatenate([quiet, samples, quiet, quiet]), rate, subtype="PCM_16")
    RESULTS.mkdir(exist_ok=True)
    seen = run("dictate", RESULTS, url=url, microphone=str(microphone), loses=loses)
    assert seen["guess"]["isGrey"]
    assert seen["guess"]["text"].strip()
    assert seen["guess"]["field"] == "Dear diary.", "a guess is no text yet"
    assert seen["text"].startswith("Dear diary. ")
    assert word_error_rate(sentence, seen["text"].removeprefix("Dear diary. ")) <= 0.15
    assert seen["microphones"] == ["ended"] * (2 if loses else 1)
    assert seen["notice"] == ""


def test_a_broken_connection_is_told_and_mended(url: str, tmp_path: Path) -> None:
    result = run("broken", tmp_path, url=url, text=LONG)
    assert "connection broke" in result["broken"]["notice"]
    assert result["again"]["notice"] == ""
    assert result["again"]["words"][-1] == LONG.split()[-1]


def test_an_unreachable_server_is_told_in_plain_words(url: str, tmp_path: Path) -> None:
    seen = run("unreachable", tmp_path, url=url)
    assert seen["notice"] == "The server could not be reached. Is it still running?"


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
def test_a_server_with_keys_is_asked_with_one(transport: str, locked_url: str, tmp_path: Path) -> None:
    seen = run("key", tmp_path, url=locked_url, key=KEY, transport=transport, text="An open door.")
    assert seen["words"] == ["An", "open", "door."]
    assert seen["notice"] == ""


def test_the_http_route_plays_while_it_downloads_without_an_audio_worklet(url: str, tmp_path: Path) -> None:
    result = run("library", tmp_path, url=url, text=TEXT)
    assert (result["done"]["status"], result["first"], result["last"]) == ("completed", "audio-start", "done")
    assert result["hasMetrics"]
    assert word_error_rate(TEXT, heard(result["sound"])) <= 0.15


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_fit_to_be_seen_and_read_aloud(theme: str, url: str) -> None:
    result = run("look", RESULTS, url=url, text=STORY, colorScheme=theme)
    assert result["violations"] == []
    assert len(list(RESULTS.glob(f"page-*-{theme}*.png"))) == 4
