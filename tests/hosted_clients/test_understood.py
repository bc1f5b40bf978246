"""What other people's clients save is speech: a recognizer that this project did not make reads it back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from xinference_client import RESTfulClient

from decoders import decode_with_ffmpeg
from live_server import LiveServer, live_server
from recognizer import transcribe, word_error_rate
from vivavoce.engines.embedded import EmbeddedEngine

TEXT = "The train to the coast leaves early tomorrow morning, and it costs $3.50."
SPOKEN = "The train to the coast leaves early tomorrow morning, and it costs three dollars and fifty cents."
KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([EmbeddedEngine()], api_keys=(KEY,)) as server:
        yield server


def hugging_face(server: LiveServer) -> Any:
    return InferenceClient(token=KEY).text_to_speech(TEXT, model=f"{server.url}/models/heart")


def xinference(server: LiveServer) -> Any:
    client = RESTfulClient(server.url, api_key=KEY)
    return client.get_model(client.launch_model(model_name="heart", model_type="audio")).speech(TEXT)


def test_a_recognizer_hears_for_hugging_faces_clients(server: LiveServer, tmp_path: Path) -> None:
    client = InferenceClient(token=KEY)
    recording = client.text_to_speech("The ship sailed at noon.", model=f"{server.url}/models/heart")
    (tmp_path / "ship.flac").write_bytes(recording)
    command = ["node", "hear.mjs", f"{server.url}/models/whisper-tiny.en", KEY, str(tmp_path / "ship.flac")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parent)
    assert word_error_rate("The ship sailed at noon.", done.stdout) < 0.3, done.stderr
    url = f"{server.url}/models/whisper-tiny.en"
    heard = client.automatic_speech_recognition(recording, model=url).text
    assert word_error_rate("The ship sailed at noon.", heard) < 0.3
    timed = client.automatic_speech_recognition(recording, model=url, extra_body={"return_timestamps": "word"})
    assert timed.chunks
    assert timed.chunks[0].text.strip().lower() == "the"
    with pytest.raises(HfHubHTTPError, match="the file"):
        client.automatic_speech_recognition(b"no sound at all" * 100, model=url)


def test_a_recognizer_is_launched_by_xinferences_client(server: LiveServer) -> None:
    client = RESTfulClient(server.url, api_key=KEY)
    uid = client.launch_model(model_name="whisper-tiny.en", model_type="audio")
    assert client.describe_model(uid)["model_ability"] == ["audio2text"]
    client.terminate_model(uid)


@pytest.mark.parametrize("speak", [hugging_face, xinference])
def test_what_a_client_saves_is_understood(server: LiveServer, speak: Any) -> None:
    audio = decode_with_ffmpeg(speak(server))
    heard = transcribe(audio.samples, audio.sample_rate)
    assert word_error_rate(SPOKEN, heard) < 0.2, heard
