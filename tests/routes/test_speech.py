"""`POST /v1/audio/speech` of a real server over an engine whose every step can be watched and held."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import random
import socket
import threading
import wave
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest

from decoders import decode_pcm, decode_with_ffmpeg, decode_with_libsndfile
from fake_engine import FakeEngine, FakeStream, StepGate, wait_until
from live_server import LiveServer, live_server
from vivavoce.errors import GenerationFailed
from vivavoce.logs import JsonFormatter

ROUTE = "/v1/audio/speech"
TWO = "The first sentence is here. And here comes the second one."


def post(server: LiveServer, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + ROUTE, json={"input": TWO, **fields}, timeout=30)


def samples_of(text_steps: int, engine: FakeEngine, pause_s: float) -> int:
    """What a fake utterance must be long: a step a character, and the pauses."""
    return text_steps * engine.step_samples + round(pause_s * engine.sample_rate)


WHOLE = samples_of(27 + 30, FakeEngine(), 0.15)


def test_first_bytes_leave_before_the_second_sentence_is_computed() -> None:
    gate = StepGate(allowed=1)
    engine = FakeEngine(before_step=gate)
    with live_server([engine]) as server:
        with httpx.stream("POST", server.url + ROUTE, json={"input": TWO, "response_format": "pcm"}) as response:
            parts = response.iter_raw()
            first = next(parts)
            assert engine.steps == 1
            assert len(engine.streams) == 1
            gate.open()
            rest = b"".join(parts)
        assert len(first) == 2 * engine.step_samples
        assert len(first + rest) == 2 * WHOLE


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav", "ogg"])
def test_each_format_decodes_to_the_right_length(name: str) -> None:
    with live_server([FakeEngine()]) as server:
        response = post(server, response_format=name)
    assert response.headers["content-type"].startswith("audio/")
    decoded = [decode_with_ffmpeg(response.content)]
    if name != "aac":  # libsndfile does not read ADTS
        decoded.append(decode_with_libsndfile(response.content))
    for audio in decoded:
        frame = {"mp3": 1152 * 2, "aac": 1024 * 3, "ogg": 512}.get(name, 1)  # whole frames pad the ends
        seconds = len(audio.samples) / audio.sample_rate
        assert seconds == pytest.approx(WHOLE / 24_000, abs=frame / 24_000 + 0.001)


def test_pcm_is_24_khz_whatever_the_voice_makes() -> None:
    with live_server([FakeEngine(sample_rate=32_000, step_samples=640)]) as server:
        response = post(server, response_format="pcm")
    assert response.headers["x-audio-sample-rate"] == "24000"
    assert len(decode_pcm(response.content)) == pytest.approx(WHOLE, abs=4)


def test_a_sample_rate_may_be_asked_for() -> None:
    with live_server([FakeEngine()]) as server:
        response = post(server, response_format="wav", sample_rate=16_000)
    assert response.headers["x-audio-sample-rate"] == "16000"
    assert decode_with_ffmpeg(response.content).sample_rate == 16_000


def test_streamed_wav_has_open_sizes_and_exact_wav_true_ones() -> None:
    with live_server([FakeEngine()]) as server:
        streamed = post(server, response_format="wav").content
        exact = httpx.post(
            server.url + ROUTE, params={"wav_sizes": "exact"}, json={"input": TWO, "response_format": "wav"}
        ).content
    assert streamed[4:8] == streamed[40:44] == b"\xff\xff\xff\xff"
    with wave.open(io.BytesIO(exact)) as file:
        assert file.getnframes() == WHOLE
        assert file.readframes(WHOLE) == streamed[44:]


def test_server_sent_events_carry_audio_words_and_usage() -> None:
    with live_server([FakeEngine()]) as server:
        response = post(server, response_format="pcm", stream_format="sse", timestamps="word")
        plain = post(server, response_format="pcm").content
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.split("\n\n") if line]
    audio = b"".join(base64.b64decode(e["audio"]) for e in events if e["type"] == "speech.audio.delta")
    assert audio == plain
    words = [w for e in events if e["type"] == "speech.audio.words" for w in e["words"]]
    assert "".join(TWO[slice(*w["characters"])] for w in words) == TWO.replace(". And", ".And")
    usage = events[-1]["usage"]
    assert events[-1]["type"] == "speech.audio.done"
    assert usage["output_tokens"] == round(WHOLE / 24_000 * 25)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_silence_before_the_voice_holds_the_headers_back() -> None:
    """A failure in the silence is still a JSON error with its status."""
    engine = FakeEngine(voices=("mute",))
    engine.levels["mute"] = 0.0
    calls: list[int] = []

    def before(_: Sequence[FakeStream]) -> None:
        calls.append(1)
        if len(calls) == 5:
            raise GenerationFailed("collapsed")

    engine.before_step = before
    with live_server([engine]) as server:
        response = post(server)
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "generation_failed"


def fail_after(steps: int) -> FakeEngine:
    engine = FakeEngine()

    def before(_: Sequence[FakeStream]) -> None:
        if engine.steps >= steps:
            raise GenerationFailed("collapsed")

    engine.before_step = before
    return engine


def test_a_failure_after_the_first_sound_aborts_the_connection() -> None:
    with live_server([fail_after(3)]) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            post(server, response_format="pcm")
        wait_until(
            lambda: (
                server.metric("voice_requests_total", route="speech", outcome="error", reason="generation_failed") == 1
            )
        )


def test_a_failure_in_an_event_stream_is_an_event() -> None:
    with live_server([fail_after(3)]) as server:
        response = post(server, response_format="pcm", stream_format="sse")
    last = json.loads(response.text.rstrip().rpartition("data: ")[2])
    assert last["type"] == "speech.audio.error"
    assert last["error"]["code"] == "generation_failed"


def test_eight_parallel_requests_never_mix() -> None:
    names = tuple(f"voice{i}" for i in range(8))
    engine = FakeEngine(voices=names, batched=True, max_batch=4)

    async def all_at_once(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(timeout=30) as client:
            bodies = [{"input": TWO * 3, "voice": name, "response_format": "pcm"} for name in names]
            return await asyncio.gather(*(client.post(url, json=body) for body in bodies))

    with live_server([engine]) as server:
        responses = asyncio.run(all_at_once(server.url + ROUTE))
    for name, response in zip(names, responses, strict=True):
        samples = decode_pcm(response.content)
        levels = set(np.unique(np.round(samples[samples != 0] * 16)).tolist())
        assert levels == {engine.levels[name] * 16}


def request_bytes(server: LiveServer, text: str) -> bytes:
    body = json.dumps({"input": text, "response_format": "pcm"}).encode()
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_client_that_leaves_stops_its_engine_within_one_step() -> None:
    gate = StepGate(allowed=5)
    entered = threading.Event()

    def before(streams: Sequence[FakeStream]) -> None:
        if engine.steps == 5:
            entered.set()
        gate(streams)

    engine = FakeEngine(before_step=before)
    with live_server([engine]) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(request_bytes(server, TWO))
            assert client.recv(1000)
            assert entered.wait(10)  # the sixth step has begun
        wait_until(lambda: server.server.synthesizer.speaking == 0)
        gate.open()
        wait_until(lambda: not engine.open_streams)
        assert engine.steps == 6
        assert server.metric("voice_requests_total", route="speech", outcome="client_gone", reason="") == 1


def test_two_hundred_disconnects_at_random_offsets_leave_nothing() -> None:
    rng = random.Random(2)
    engine = FakeEngine(voices=("a", "b"))
    with live_server([engine], max_streams=64) as server:
        post(server, voice="a")
        before = open_files()
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                whole = request_bytes(server, TWO * 4)
                cut = rng.choice([40, 150, len(whole), len(whole)])
                client.sendall(whole[:cut])
                remaining = rng.randrange(60_000) if cut == len(whole) else 0
                while remaining > 0 and (got := client.recv(min(remaining, 8192))):
                    remaining -= len(got)
        wait_until(lambda: not engine.open_streams and server.server.synthesizer.speaking == 0)
        wait_until(lambda: not {n for n in server.tasks() if n in ("speak", "watch-disconnect")})
        wait_until(lambda: open_files() <= before)
        assert sum(t.name.startswith("worker-") for t in threading.enumerate()) == 3
        assert post(server).status_code == 200


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_client_that_stops_reading_does_not_slow_its_neighbour() -> None:
    engine = FakeEngine(voices=("stalled", "quick"), step_samples=24_000)
    with live_server([engine]) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request_bytes(server, "word " * 700))  # about an hour of fake audio
        wait_until(lambda: server.server.synthesizer.speaking == 1 and engine.steps > 3)
        wait_until(lambda: stalls(engine))
        assert post(server, voice="quick").status_code == 200
        assert not engine.streams[0].closed or len(engine.streams) > 2
        assert server.server.synthesizer.speaking == 1


def stalls(engine: FakeEngine) -> bool:
    """True when a while goes by without a step."""
    before = engine.steps
    threading.Event().wait(0.2)
    return engine.steps == before


def test_a_client_that_takes_nothing_for_too_long_is_dropped() -> None:
    engine = FakeEngine(step_samples=24_000)
    with live_server([engine], stall_timeout_s=0.3) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(request_bytes(server, "word " * 700))
            wait_until(lambda: server.server.synthesizer.speaking == 1)
            wait_until(lambda: server.server.synthesizer.speaking == 0)
        dropped = {"route": "speech", "outcome": "error", "reason": "client_too_slow"}
        wait_until(lambda: server.metric("voice_requests_total", **dropped) == 1)


def test_no_line_of_the_log_holds_what_was_spoken(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), live_server([fail_after(3)]) as server:
        secret = "The password of the vault is swordfish. Nobody may read it."
        with pytest.raises(httpx.RemoteProtocolError):
            post(server, input=secret, response_format="pcm")
        wait_until(lambda: any("utterance ended" in r.message for r in caplog.records))
    lines = [JsonFormatter().format(record) for record in caplog.records if not record.name.startswith("httpcore")]
    assert any('"characters": 59' in line for line in lines)
    assert not any("swordfish" in line or "vault" in line for line in lines)


# -- which form the answer has where none is asked for


@pytest.mark.parametrize(
    "extra", [{}, {"voice": "alloy", "speed": 1.0}, {"voice": "beta"}, {"voice": None, "response_format": None}]
)
def test_a_voice_for_a_model_answers_with_a_wav_file(extra: dict[str, Any]) -> None:
    with live_server([FakeEngine(["alpha", "beta"])]) as server:
        answer = post(server, model="alpha", **extra)

    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (32_000, 1, 2)
        assert abs(file.getnframes() - WHOLE * 4 // 3) < 32
        assert len(file.readframes(1 << 30)) == 2 * file.getnframes()


@pytest.mark.parametrize("fields", [{}, {"model": "tts-1"}, {"model": "genie"}, {"voice": "alpha"}])
def test_every_other_model_answers_with_openais_mp3(fields: dict[str, Any]) -> None:
    with live_server([FakeEngine()]) as server:
        assert post(server, **fields).headers["content-type"] == "audio/mpeg"


def test_a_voice_for_a_model_streams_what_is_asked_for() -> None:
    with live_server([FakeEngine()]) as server:
        assert post(server, model="alpha", response_format="mp3").headers["content-type"] == "audio/mpeg"
        asked = post(server, model="alpha", response_format="wav")
        assert asked.headers["x-audio-sample-rate"] == "24000"
        streamed = httpx.post(
            f"{server.url}{ROUTE}?wav_sizes=stream", json={"input": TWO, "model": "alpha"}, timeout=30
        )
        assert streamed.headers["x-audio-sample-rate"] == "32000"
        assert streamed.content[4:8] == asked.content[4:8] == b"\xff" * 4
        events = post(server, model="alpha", stream_format="sse").text
    first = json.loads(events.partition("\n\n")[0].removeprefix("data: "))
    assert base64.b64decode(first["audio"])[:1] == b"\xff"  # mp3: what OpenAI's own clients of events expect
