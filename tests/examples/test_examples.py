"""The example programs, run as a user runs them, against a real server and a chat model of our own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pytest

from live_server import live_server
from recognizer import transcribe, word_error_rate
from vivavoce.audio.chunk import Samples
from vivavoce.engines.embedded import EmbeddedEngine

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANSWER = "The ship sailed at noon. Nobody on the quay waved, for nobody knew that it was leaving."
RATE = 24_000


class ChatModel(BaseHTTPRequestHandler):
    """Writes the answer a few letters at a time, as OpenAI's chat route does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for at in range(0, len(ANSWER), 4):
            choice = {"index": 0, "delta": {"content": ANSWER[at : at + 4]}, "finish_reason": None}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:
        """Be silent."""


@pytest.fixture(scope="module")
def chat_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ChatModel) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def speech_url() -> Iterator[str]:
    with live_server([EmbeddedEngine()]) as server:
        yield server.url


def run(command: list[str], speech_url: str, chat_url: str = "") -> bytes:
    """Standard output of a program that ended well."""
    env = {**os.environ, "VIVAVOCE_URL": speech_url, "OPENAI_BASE_URL": chat_url, "OPENAI_API_KEY": "none"}
    done = subprocess.run(command, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def from_pcm(data: bytes) -> Samples:
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)


def test_the_python_example_speaks_what_a_chat_model_writes(speech_url: str, chat_url: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.wav"
    run([sys.executable, str(EXAMPLES / "chat_to_speech.py"), "Tell me a story", str(path)], speech_url, chat_url)
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == RATE
        samples = from_pcm(sound.readframes(sound.getnframes()))
    assert word_error_rate(ANSWER, transcribe(samples, RATE)) <= 0.15


def test_the_node_example_speaks_what_a_chat_model_writes(speech_url: str, chat_url: str) -> None:
    command = ["node", "--experimental-websocket", str(EXAMPLES / "chat_to_speech.mjs"), "Tell me a story"]
    samples = from_pcm(run(command, speech_url, chat_url))
    assert word_error_rate(ANSWER, transcribe(samples, RATE)) <= 0.15


def test_the_curl_example_speaks(speech_url: str) -> None:
    mp3 = run([str(EXAMPLES / "speak.sh"), ANSWER], speech_url)
    with av.open(io.BytesIO(mp3), "r") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate(frames, axis=-1)[0]
    assert word_error_rate(ANSWER, transcribe(samples.astype(np.float32), rate)) <= 0.15
