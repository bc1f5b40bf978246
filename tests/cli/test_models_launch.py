"""Launching on a running server, which is played by a small one that speaks Xinference's contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from vivavoce.cli.main import main
from vivavoce.cli.models_launch import LaunchFailed, RunningServer, launch
from vivavoce.errors import ConfigError


class Stage:
    """A server whose launch goes on until its progress was asked for so often.

    Attributes:
        answer: (status, content) of the launch.
        asked: (path, content, key) of every request.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, bytes] = (200, b'{"model_uid": "whisper-small-1a2b3c4d"}')
        self.asked: list[tuple[str, Any, str | None]] = []
        self.polls = 0
        self.done = threading.Event()
        self.done.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def polled(self) -> float:
        """How far it is; the third look finds it done."""
        self.polls += 1
        if self.polls >= 3:
            self.done.set()
        return self.polls / 4

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stage.asked.append((self.path, content, self.headers.get("Authorization")))
            assert stage.done.wait(20)
            self._send(*stage.answer)

        def do_GET(self) -> None:
            stage.asked.append((self.path, None, self.headers.get("Authorization")))
            self._send(200, json.dumps({"progress": stage.polled(), "stage": "weights"}).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


def test_a_launch_and_its_progress(stage: Stage) -> None:
    stage.done.clear()
    told: list[tuple[str, float]] = []
    uid = launch(
        RunningServer(stage.url, "a key"), "whisper-small", None, lambda *step: told.append(step), poll_s=0.005
    )
    assert uid == "whisper-small-1a2b3c4d"
    assert told[0] == ("weights", 0.25)
    assert told[-1] == ("ready", 1.0)
    path, content, key = stage.asked[0]
    assert (path, key) == ("/v1/models", "Bearer a key")
    assert content == {"model_name": "whisper-small", "model_type": "audio", "model_uid": None}
    assert stage.asked[1][0] == "/v1/models/whisper-small/progress"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b'{"detail": "Model not found"}', "Model not found"),
        (404, b'{"error": {"message": "unknown model", "type": "x", "param": null, "code": "y"}}', "unknown model"),
        (500, b"<html>", "answered with status 500"),
        (200, b"no json", "cannot be asked"),
    ],
)
def test_refusals_in_the_servers_own_words(stage: Stage, status: int, body: bytes, said: str) -> None:
    stage.answer = (status, body)
    with pytest.raises(LaunchFailed, match=said):
        launch(RunningServer(stage.url), "whisper-small", "mine")


def test_nobody_is_there() -> None:
    with pytest.raises(LaunchFailed, match="is `vivavoce serve` running there"):
        launch(RunningServer("http://127.0.0.1:9"), "whisper-small", None)
    for url in ("127.0.0.1:7860", "file:///etc/passwd", "http://"):
        with pytest.raises(ConfigError, match="no address of a server"):
            RunningServer(url)


def test_the_command(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "0123456789abcdef")
    with pytest.raises(SystemExit) as left:
        main(["models", "launch", "mika", "--uid", "mine", "--url", stage.url])
    assert left.value.code == 0
    assert "ask for it as 'whisper-small-1a2b3c4d'" in capsys.readouterr().out
    assert stage.asked[0][1]["model_uid"] == "mine"
    assert stage.asked[0][2] == "Bearer 0123456789abcdef"
