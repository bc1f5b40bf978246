"""Hugging Face's own clients, Python and JavaScript, unmodified, against this server."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from PIL import Image, ImageDraw, ImageFont

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from vivavoce.errors import Overloaded

KEY = "a-key-of-sixteen-characters"
SCRIPT = Path(__file__).with_name("huggingface.mjs")


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(("alpha", "beta"), missing=("missing",))], api_keys=(KEY,)) as server:
        yield server


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = Image.new("RGB", (640, 200), "white")
    font = ImageFont.load_default(size=40)
    ImageDraw.Draw(image).text((30, 30), "The quick brown fox", fill="black", font=font)
    ImageDraw.Draw(image).text((30, 110), "jumps over 42 dogs", fill="black", font=font)
    path = tmp_path_factory.mktemp("pictures") / "fox.png"
    image.save(path)
    return path


@pytest.fixture(scope="module")
def from_javascript(server: LiveServer, picture: Path) -> dict[str, Any]:
    command = ["node", str(SCRIPT), server.url, KEY, str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=SCRIPT.parent)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def level(sound: bytes) -> float:
    return float(np.median(soundfile.read(io.BytesIO(sound))[0]))


def test_python_speaks(server: LiveServer) -> None:
    client = InferenceClient(token=KEY)
    assert level(client.text_to_speech("Hello there.", model=f"{server.url}/models/beta")) == pytest.approx(
        2 / 16, abs=0.001
    )
    assert level(client.text_to_speech("Hello there.", model=f"{server.url}/v1/audio/speech")) == pytest.approx(
        1 / 16, abs=0.001
    )
    further = {"voice": "beta", "seed": 3, "response_format": "wav"}
    sound = client.text_to_speech("Hello.", model=f"{server.url}/v1/audio/speech", temperature=0.7, extra_body=further)
    assert sound[:4] == b"RIFF"
    assert level(sound) == pytest.approx(2 / 16, abs=0.001)
    assert InferenceClient(model=f"{server.url}/models/tts-1", token=KEY).text_to_speech("Hi there.")[:4] == b"fLaC"


@pytest.mark.parametrize(
    ("token", "path", "text", "status", "sentence"),
    [
        (KEY, "/models/nobody", "Hello.", 404, "unknown model 'nobody'"),
        (KEY, "/models/alpha", "x" * 5000, 400, "the input has 5000 characters"),
        (KEY, "/v1/audio/speech", " ", 400, "nothing that can be spoken"),
        (KEY, "/models/missing", "Hello.", 424, "is not available: its files are missing"),
        ("wrong", "/models/alpha", "Hello.", 401, "the API key is missing or not known"),
        ("wrong", "/v1/audio/speech", "Hello.", 401, "the API key is missing or not known"),
    ],
)
def test_python_shows_our_sentence(
    server: LiveServer, token: str, path: str, text: str, status: int, sentence: str
) -> None:
    with pytest.raises(HfHubHTTPError) as shown:
        InferenceClient(token=token).text_to_speech(text, model=server.url + path)
    assert shown.value.response.status_code == status
    assert sentence in str(shown.value)
    assert isinstance(shown.value.response.json()["error"], str)


def test_python_reads_pictures(server: LiveServer, picture: Path) -> None:
    client = InferenceClient(token=KEY)
    found = client.image_to_text(picture.read_bytes(), model=f"{server.url}/models/ocr")
    assert found.generated_text == "The quick brown fox\njumps over 42 dogs"
    with pytest.raises(HfHubHTTPError, match="must be a JPEG, a PNG or a WebP"):
        client.image_to_text(b"no picture", model=f"{server.url}/models/ocr")


def test_javascript_speaks(from_javascript: dict[str, Any]) -> None:
    for name in ("/models/beta", "/v1/audio/speech", "endpoint"):
        assert from_javascript[name]["type"] == "audio/flac", from_javascript[name]
        assert from_javascript[name]["bytes"] > 100


def test_javascript_shows_our_sentence(from_javascript: dict[str, Any]) -> None:
    for name, sentence in [
        ("unknown", "unknown model 'nobody'"),
        ("long", "the input has 5000 characters"),
        ("openai path", "nothing that can be spoken"),
        ("key", "the API key is missing or not known"),
        ("busy", "its files are missing"),
    ]:
        assert sentence in from_javascript[name]["error"]


def test_javascript_does_not_repeat_for_ever(from_javascript: dict[str, Any]) -> None:
    assert from_javascript["busy"]["took_ms"] < 5000  # a 503 would be asked again, without pause, until the test ends


def test_javascript_reads_pictures(from_javascript: dict[str, Any]) -> None:
    assert from_javascript["picture"]["generated_text"].startswith("The quick brown fox")


# -- what listens, at a model's address and at OpenAI's


@pytest.fixture(scope="module")
def listening() -> Iterator[LiveServer]:
    ears = FakeRecognizer(("ear",), missing=("lost",))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), api_keys=(KEY,)) as server:
        yield server


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "speech.wav"
    soundfile.write(path, np.concatenate([np.full(16_000, 0.2), np.zeros(16_000)]), 16_000)
    return path


@pytest.mark.parametrize("path", ["/models/ear", "/v1/audio/transcriptions"])
def test_both_are_heard(listening: LiveServer, recording: Path, path: str) -> None:
    client, url = InferenceClient(token=KEY), listening.url + path
    for sound in (recording.read_bytes(), recording):  # without a content type, and with a guess of one
        assert set(client.automatic_speech_recognition(sound, model=url).text.split()) == {"w20"}
    timed = client.automatic_speech_recognition(recording, model=url, extra_body={"return_timestamps": True})
    assert set(timed.text.split()) == {"w20"}, "base64 in JSON"
    assert timed.chunks is not None
    assert timed.chunks[0].timestamp[0] <= 1.0
    command = ["node", "hear.mjs", url, KEY, str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=SCRIPT.parent)
    assert set(done.stdout.split()) == {"w20"}, done.stderr


@pytest.mark.parametrize(
    ("path", "token", "status", "sentence"),
    [
        ("/models/ear", "wrong", 401, "the API key is missing or not known"),
        ("/v1/audio/transcriptions", "wrong", 401, "the API key is missing or not known"),
        ("/models/lost", KEY, 424, "its files are missing"),
    ],
)
def test_both_show_why_nothing_was_heard(
    listening: LiveServer, recording: Path, path: str, token: str, status: int, sentence: str
) -> None:
    with pytest.raises(HfHubHTTPError) as shown:
        InferenceClient(token=token).automatic_speech_recognition(recording, model=listening.url + path)
    assert shown.value.response.status_code == status
    assert sentence in shown.value.response.json()["error"]
    command = ["node", "hear.mjs", listening.url + path, token, str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=SCRIPT.parent)
    assert done.returncode != 0, "and it did not ask again for ever"
    assert sentence in done.stderr


@pytest.mark.parametrize("path", ["/models/ear", "/v1/audio/transcriptions"])
def test_being_busy_is_429(listening: LiveServer, recording: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Overloaded("the server has too many recordings")

    monkeypatch.setattr("vivavoce.decoding.places.Places.enter", full)
    with pytest.raises(HfHubHTTPError) as shown:
        InferenceClient(token=KEY).automatic_speech_recognition(recording.read_bytes(), model=listening.url + path)
    assert shown.value.response.status_code == 429
    assert "too many recordings" in shown.value.response.json()["error"]
    command = ["node", "hear.mjs", listening.url + path, KEY, str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=SCRIPT.parent)
    assert "too many recordings" in done.stderr
