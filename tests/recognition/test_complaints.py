"""What users of other servers that listen complain of, one test each: the
fault is named in its sentence. Numbers 3, 12 and 15 are in `test_complaints_in_process.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from openai import OpenAI

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recognizer import word_count, word_error_rate
from recordings import encoded, recording, silence, wav
from vivavoce.audio.chunk import Samples
from vivavoce.engines.whisper import guards
from vivavoce.engines.whisper.own_speech import SENTENCES, own_speech

PATH = "/v1/audio/transcriptions"
RATE = 16_000
NOISE = np.random.default_rng(7)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """With the model that is installed."""
    with live_server([FakeEngine()]) as server:
        yield server


@pytest.fixture(scope="module")
def said() -> list[Samples]:
    return own_speech()


def post(server: LiveServer, audio: bytes, path: str = PATH, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + path, files={"file": ("a", audio)}, data=fields, timeout=60)


def spoken(*parts: Samples) -> bytes:
    return wav(np.concatenate(parts), RATE)


def pause(seconds: float) -> Samples:
    return np.zeros(round(RATE * seconds), np.float32)


def sine(hertz: float, seconds: float, level: float = 0.3) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)).astype(np.float32)


def noise(level: float, seconds: float) -> Samples:
    return (level * NOISE.standard_normal(round(RATE * seconds))).astype(np.float32)


def clicks(seconds: float) -> Samples:
    sound = pause(seconds)
    sound[:: RATE // 2] = 0.9
    return sound


NO_SPEECH = {
    "silence": pause(5),
    "a constant": np.full(3 * RATE, 0.2, np.float32),
    "faint noise": noise(0.001, 5),
    "noise": noise(0.03, 5),
    "loud noise": noise(0.3, 5),
    "brown noise": np.clip(np.cumsum(noise(0.01, 5)) * 0.02, -1, 1).astype(np.float32),
    "a hum": sine(50, 5),
    "a tone": sine(440, 5),
    "a whistle": sine(3000, 5),
    "beeps": np.concatenate([np.concatenate([sine(1000, 0.2), pause(0.3)]) for _ in range(8)]),
    "clicks": clicks(5),
    "a sweep": (0.3 * np.sin(2 * np.pi * np.cumsum(np.linspace(50, 4000, 5 * RATE)) / RATE)).astype(np.float32),
}


@pytest.mark.parametrize("name", NO_SPEECH)
def test_1_silence_thanks_nobody_for_watching(server: LiveServer, name: str) -> None:
    assert post(server, spoken(NO_SPEECH[name])).json()["text"] == ""


def test_2_nothing_is_said_twice(server: LiveServer, said: list[Samples]) -> None:
    for sentence, sound in zip(SENTENCES, said, strict=True):
        text = post(server, spoken(sound)).json()["text"]
        assert word_count(text) <= word_count(sentence) + 1, text


def test_4_and_5_no_sound_is_decoded_for_a_minute(server: LiveServer) -> None:
    """At most one further try, at the same temperature, and no more tokens than can be said in the time."""
    babble = sum((np.roll(sound, 900 * k) for k, sound in enumerate([noise(0.1, 3) * sine(4, 3, 1.0)] * 3)), pause(3))
    answer = post(server, spoken(np.clip(babble, -1, 1)), response_format="verbose_json", chunking_strategy="auto")
    for segment in answer.json()["segments"]:
        assert segment["temperature"] == 0.0
        assert len(segment["tokens"]) <= guards.most_tokens(3.0)
    assert guards.most_tokens(3.0) < 100


def test_6_verbose_json_needs_no_granularities(server: LiveServer, said: list[Samples]) -> None:
    content = post(server, spoken(said[1]), response_format="verbose_json").json()
    assert len(content["segments"]) == 1
    assert "words" not in content


@pytest.mark.parametrize("wanted", [(), ("segment",), ("word",), ("segment", "word")])
def test_7_what_is_asked_for_is_there(server: LiveServer, said: list[Samples], wanted: tuple[str, ...]) -> None:
    fields: dict[str, Any] = {"response_format": "verbose_json", "timestamp_granularities[]": wanted}
    content = post(server, spoken(said[3]), **fields).json()
    assert bool(content.get("segments")) == ("segment" in (wanted or ("segment",)))
    assert bool(content.get("words")) == ("word" in wanted)


def test_8_openais_types_parse_it_and_times_are_seconds(server: LiveServer, said: list[Samples]) -> None:
    client = OpenAI(base_url=server.url + "/v1", api_key="none")
    heard = client.audio.transcriptions.create(
        model="whisper-1",
        file=spoken(pause(2), said[4], pause(1)),
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert heard.segments is not None
    assert heard.words is not None
    assert heard.duration == pytest.approx(3 + len(said[4]) / RATE, abs=0.01)
    assert heard.segments[0].start == pytest.approx(2.0, abs=0.2)
    assert heard.words[0].start == pytest.approx(2.0, abs=0.2)
    assert heard.words[-1].end == pytest.approx(2.0 + len(said[4]) / RATE, abs=0.25)
    assert heard.segments[0].avg_logprob < 0
    assert heard.segments[0].tokens


@pytest.mark.parametrize(("format", "kind"), [("srt", "text/plain"), ("text", "text/plain"), ("vtt", "text/vtt")])
def test_9_text_is_no_json(server: LiveServer, said: list[Samples], format: str, kind: str) -> None:
    answer = post(server, spoken(said[1]), response_format=format)
    assert answer.headers["content-type"].startswith(kind)
    assert not answer.text.startswith(("{", '"'))


def test_10_ten_minutes_are_heard_to_their_end() -> None:
    ears = FakeRecognizer(("whisper-base",))
    levels = [10 + k % 80 for k in range(300)]
    sound = np.concatenate([np.concatenate([np.full(RATE, level / 100, np.float32), pause(1)]) for level in levels])
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        content = post(server, wav(sound, RATE), response_format="verbose_json").json()
    firsts = [segment["text"].split()[0] for segment in content["segments"]]
    assert content["duration"] == pytest.approx(600, abs=0.1)
    assert len(firsts) == 300
    assert content["segments"][-1]["start"] == pytest.approx(598, abs=0.5)


def test_11_a_browsers_recording_has_the_length_of_its_samples(server: LiveServer) -> None:
    content = post(server, recording("webm live", 2.0), response_format="verbose_json").json()
    assert content["duration"] == pytest.approx(2.0, abs=0.05)
    assert post(server, recording("m4a", 2.0)).status_code == 200


def test_13_a_model_in_use_is_not_unloaded() -> None:
    gate = threading.Event()
    ears = FakeRecognizer(("whisper-base", "other"), before_step=lambda _: _wait(gate))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        body = {"model_name": "other", "model_type": "audio"}
        httpx.post(server.url + "/v1/models", json=body)
        with ThreadPoolExecutor(1) as other:
            sound = spoken(np.full(RATE, 0.3, np.float32), pause(1))
            answer = other.submit(post, server, sound, model="other")
            _until(lambda: bool(ears.open_streams))
            assert httpx.delete(server.url + "/v1/models/other").status_code == 200
            assert ears.unloads == []
            gate.set()
            assert answer.result().json()["text"].startswith("w30")
        _until(lambda: ears.unloads == ["other"])


def test_14_too_many_recordings_are_refused_and_the_others_finish() -> None:
    ears = FakeRecognizer(("whisper-base",))
    sound = spoken(np.full(RATE, 0.3, np.float32), pause(1))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        with ThreadPoolExecutor(40) as many:
            answers = list(many.map(lambda _: post(server, sound), range(40)))
        statuses = {answer.status_code for answer in answers}
        assert statuses <= {200, 429, 503}
        assert sum(answer.status_code == 200 for answer in answers) >= 4
        for answer in answers:
            if answer.status_code != 200:
                assert answer.headers["retry-after"]
        assert post(server, sound).status_code == 200
        assert httpx.get(server.url + "/health").status_code == 200


# -- what strangers send


HOSTILE = {
    "64 channels": wav(np.zeros(64 * 100, np.float32), 16_000, 64),
    "384 kHz": wav(np.zeros(1000, np.float32), 384_000),
    "a text": b"this is no sound" * 100,
    "one byte": b"R",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_recording_is_told_so(server: LiveServer, name: str) -> None:
    answer = post(server, HOSTILE[name])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_audio")


@pytest.mark.parametrize(
    "container", ["wav", "wav, length unknown", "mp3", "ogg opus", "webm live", "m4a", "aac", "flac", "amr"]
)
def test_half_a_recording_is_heard_as_far_as_it_goes_or_refused(server: LiveServer, container: str) -> None:
    data = recording(container, 2.0)
    answer = post(server, data[: len(data) // 2])
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 200 or answer.json()["error"]["code"] == "invalid_audio"
    assert post(server, wav(pause(0.1), RATE, claimed_bytes=1 << 30)).status_code in (200, 400)


def test_long_silence_in_a_small_file(server: LiveServer) -> None:
    """A file of a few kilobytes holds many minutes: they are counted, lie on disk, and hold no words."""
    data = silence("ogg opus", 600)
    assert len(data) < 250_000
    content = post(server, data, response_format="verbose_json").json()
    assert content["text"] == ""
    assert content["duration"] == pytest.approx(600, abs=1)


def test_speech_is_heard_in_every_container(server: LiveServer, said: list[Samples]) -> None:
    sound = np.concatenate([pause(0.5), said[3], pause(0.5)])
    for container in ("mp3", "ogg opus", "webm", "m4a", "flac", "amr"):
        rate = {"amr": 8000, "m4a": 44_100}.get(container, 48_000)
        data = encoded(container, _at(sound, rate))
        assert word_error_rate(SENTENCES[3], post(server, data).json()["text"]) <= 0.2, container


def _at(sound: Samples, rate: int) -> Samples:
    import soxr

    resampled: Samples = soxr.resample(sound, RATE, rate)
    return resampled


def _wait(gate: threading.Event) -> None:
    gate.wait(20)


def _until(holds: Any) -> None:
    import time

    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
