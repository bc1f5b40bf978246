"""An engine that fails at every step: what is listed, what is ready and what is refused follow from what works now."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence

import httpx
import numpy as np

from fake_engine import FakeEngine, wait_until
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness


class Broken:
    """`before_step` of an engine that fails until it is mended."""

    def __init__(self, of: Sequence[str] = ()) -> None:
        self.mended = False
        self.of = of

    def __call__(self, streams: Sequence[object]) -> None:
        mine = [s for s in streams if not self.of or s.voice.id in self.of]  # type: ignore[attr-defined]
        if mine and not self.mended:
            raise RuntimeError("the weights have gone")


def speak(server: LiveServer, text: str = "Hello.", **fields: object) -> httpx.Response:
    return httpx.post(server.url + "/v1/audio/speech", json={"input": text, "response_format": "pcm", **fields})


def ready(server: LiveServer) -> int:
    return httpx.get(server.url + "/readyz").status_code


def problem(server: LiveServer, voice: str) -> str | None:
    voices = httpx.get(server.url + "/v1/audio/voices").json()["voices"]
    return next(each["problem"] for each in voices if each["id"] == voice)  # type: ignore[no-any-return]


def test_a_voice_that_always_fails_is_not_ready_and_comes_back_by_itself() -> None:
    broken = Broken()
    with live_server([FakeEngine(["alpha", "beta"], before_step=broken)]) as server:
        assert ready(server) == 200
        assert [speak(server).status_code for _ in range(3)] == [500] * 3
        wait_until(lambda: ready(server) == 503)
        refused = speak(server)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "voice_unavailable")
        assert problem(server, "alpha") is not None
        assert problem(server, "beta") is not None, "nor does the one that would have spoken instead"
        broken.mended = True
        wait_until(lambda: ready(server) == 200, timeout_s=30)
        wait_until(lambda: problem(server, "alpha") is None, timeout_s=30)
        assert speak(server).status_code == 200


def test_another_voice_speaks_where_the_default_always_fails() -> None:
    with live_server([FakeEngine(["alpha", "beta"], before_step=Broken(["alpha"]))]) as server:
        assert [speak(server).status_code for _ in range(3)] == [500] * 3
        wait_until(lambda: speak(server).status_code == 200)
        assert ready(server) == 200
        assert speak(server, voice="alpha").status_code == 503


def test_texts_that_break_an_engine_take_its_voice_from_nobody() -> None:
    def breaks(streams: Sequence[object]) -> None:
        if any("x" in s.sentence.text for s in streams):  # type: ignore[attr-defined]
            raise RuntimeError

    engine = FakeEngine(before_step=breaks)
    with live_server([engine]) as server:
        for _ in range(3):
            assert speak(server, "xxx").status_code == 500
        wait_until(lambda: engine.steps > 0)  # it was tried
        assert ready(server) == 200
        assert speak(server).status_code == 200


def test_a_recognizer_that_always_fails_is_listed_so_and_comes_back() -> None:
    broken = Broken()
    ears = FakeRecognizer(before_step=broken)

    def hear(server: LiveServer) -> httpx.Response:
        sound = io.BytesIO()
        with wave.open(sound, "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes((np.ones(16_000) * 8000).astype("<i2").tobytes() + bytes(32_000))
        form = {"file": ("a.wav", sound.getvalue())}
        return httpx.post(server.url + "/v1/audio/transcriptions", files=form, data={"model": "ear"}, timeout=30)

    def listed(server: LiveServer) -> bool:
        return "ear" in [each["id"] for each in httpx.get(server.url + "/v1/models").json()["data"]]

    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        assert listed(server)
        assert [hear(server).status_code for _ in range(3)] == [500] * 3
        wait_until(lambda: not listed(server))
        refused = hear(server)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_unavailable")
        broken.mended = True
        wait_until(lambda: listed(server), timeout_s=30)
        assert hear(server).status_code == 200
