"""What other people's clients save is speech: a recognizer that this project did not make reads it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import InferenceClient
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


@pytest.mark.parametrize("speak", [hugging_face, xinference])
def test_what_a_client_saves_is_understood(server: LiveServer, speak: Any) -> None:
    audio = decode_with_ffmpeg(speak(server))
    heard = transcribe(audio.samples, audio.sample_rate)
    assert word_error_rate(SPOKEN, heard) < 0.2, heard
