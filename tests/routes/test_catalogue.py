"""Lists of models and voices, probes and metrics: what other programs ask a server before they let it speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server

SERIES = {
    "voice_requests_total": {"route", "outcome", "reason"},
    "voice_ttfa_seconds_count": {"transport", "engine"},
    "voice_queue_seconds_count": set(),
    "voice_engine_rtf_count": {"engine", "stage"},
    "voice_chunk_slack_seconds_count": set(),
    "voice_chunk_gap_seconds_count": set(),
    "voice_underruns_total": set(),
    "voice_underrun_seconds_total": set(),
    "voice_active_streams": {"transport"},
    "voice_open_sockets": {"transport"},
    "voice_rt_load_ratio": set(),
    "voice_rt_capacity_ratio": set(),
    "voice_audio_seconds_total": set(),
    "voice_input_characters_total": set(),
    "voice_cancel_latency_seconds_count": set(),
    "voice_event_loop_lag_seconds_count": set(),
    "voice_voices_loaded": set(),
    "voice_voice_load_seconds_count": set(),
    "voice_bad_samples_total": set(),
    "voice_rejected_inputs_total": {"code"},
    "voice_auth_failures_total": {"reason"},
}
SECRET = "a text that nobody else should read"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    engine = FakeEngine(voices=("alpha", "beta"), missing=("gone",))
    with live_server([engine], voice_map=("echo=gone", "Onyx=Alpha")) as live:
        yield live


def get(server: LiveServer, path: str) -> Any:
    response = httpx.get(server.url + path)
    assert response.status_code == 200, response.text
    assert response.headers["x-request-id"]
    return response.json()


def speak(server: LiveServer, **fields: Any) -> httpx.Response:
    body = {"input": SECRET, "voice": "alpha", **fields}
    return httpx.post(server.url + "/v1/audio/speech", json=body, timeout=30)


def samples(server: LiveServer) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Metric series by name, read by Prometheus' own parser."""
    response = httpx.get(server.url + "/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    series: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(response.text):
        assert family.name.startswith("voice_")
        assert family.documentation
        for sample in family.samples:
            series.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return series


def test_every_voice_is_a_model_and_so_are_openais_names(server: LiveServer) -> None:
    answer = get(server, "/v1/models")
    assert answer["object"] == "list"
    speaking = ["alpha", "beta", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"]
    assert [model["id"] for model in answer["data"]][:5] == speaking  # what listens comes behind
    for model in answer["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert model["object"] == "model"
        assert isinstance(model["created"], int)


def test_one_model(server: LiveServer) -> None:
    assert get(server, "/v1/models/beta").items() >= get(server, "/v1/models")["data"][1].items()
    missing = httpx.get(server.url + "/v1/models/nobody")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "not_found"
    assert "nobody" not in missing.text


def test_voices_tell_what_they_are_and_what_is_wrong_with_them(server: LiveServer) -> None:
    voices = {voice["id"]: voice for voice in get(server, "/v1/audio/voices")["voices"]}
    assert list(voices) == ["alpha", "beta", "gone"]
    assert voices["alpha"] == {
        "id": "alpha",
        "name": "Alpha",
        "language": "en",
        "languages": ["en"],
        "engine": "fake",
        "sample_rate": 24_000,
        "references": [],
        "default": True,
        "available": True,
        "problem": None,
        "copies": False,
        "aliases": ["onyx"],
    }
    assert [voice["default"] for voice in voices.values()] == [True, False, False]
    assert (voices["gone"]["available"], voices["gone"]["problem"]) == (False, "its files are missing")
    assert voices["gone"]["aliases"] == ["echo"], "and so is what else it is called"
    assert speak(server, voice="echo").json() == speak(server, voice="gone").json()


def test_probes(server: LiveServer) -> None:
    assert get(server, "/health") == {"status": "healthy", "models": ["alpha", "beta"]}
    assert get(server, "/livez") == {"status": "ok"}
    assert get(server, "/readyz") == {"status": "ready"}


def test_a_server_without_a_voice_lives_but_is_not_ready() -> None:
    with live_server([FakeEngine(voices=(), missing=("gone",))]) as server:
        assert httpx.get(server.url + "/livez").status_code == 200
        ready = httpx.get(server.url + "/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "no voice can speak"})
        assert get(server, "/health")["models"] == []


def test_a_draining_server_is_not_ready_while_it_finishes() -> None:
    gate = StepGate(allowed=1)
    body = {"input": "Hi", "response_format": "pcm"}
    with live_server([FakeEngine(before_step=gate)]) as server:
        try:
            with httpx.stream("POST", server.url + "/v1/audio/speech", json=body, timeout=30) as response:
                server.loop.call_soon_threadsafe(server.uvicorn_server.begin_drain)
                wait_until(lambda: server.server.draining.has_begun)
                ready = httpx.get(server.url + "/readyz")
                assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
                assert speak(server).json()["error"]["code"] == "server_shutting_down"
                gate.open()
                assert len(response.read()) > 0
        finally:
            gate.open()


def test_every_metric_is_there_with_its_labels(server: LiveServer) -> None:
    assert speak(server).status_code == 200
    assert speak(server, input="").status_code == 400
    wait_until(lambda: server.metric("voice_active_streams", transport="http") == 0.0)
    series = samples(server)
    described = httpx.get(server.url + "/metrics").text
    for name, labels in SERIES.items():
        family = name.removesuffix("_count") if name.endswith("_count") else name
        assert f"# HELP {family} " in described, name
        for found, _ in series.get(name, []):
            assert set(found) == labels, name


def test_metrics_count_what_happened() -> None:
    with live_server([FakeEngine()]) as server:
        assert speak(server, response_format="pcm").status_code == 200
        assert speak(server, input=" ").status_code == 400
        assert httpx.get(server.url + "/livez", headers={"host": "elsewhere.example"}).status_code == 403
        wait_until(lambda: server.metric("voice_requests_total", route="speech", outcome="completed", reason="") == 1.0)
        series = samples(server)
        assert ({"code": "empty_input"}, 1.0) in series["voice_rejected_inputs_total"]
        assert ({"reason": "host"}, 1.0) in series["voice_auth_failures_total"]
        assert series["voice_input_characters_total"] == [({}, float(len(SECRET)))]
        assert series["voice_audio_seconds_total"][0][1] == pytest.approx(len(SECRET) * 480 / 24_000)
        assert ({"transport": "http", "engine": "fake"}, 1.0) in series["voice_ttfa_seconds_count"]
        assert ({"transport": "http"}, 0.0) in series["voice_active_streams"]


def test_metrics_hold_no_text(server: LiveServer) -> None:
    speak(server)
    speak(server, voice="someone-unknown")
    text = httpx.get(server.url + "/metrics").text
    assert SECRET not in text
    assert "someone-unknown" not in text
