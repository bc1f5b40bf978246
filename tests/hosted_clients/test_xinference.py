"""xinference-client 4.1, unmodified, against this server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from xinference_client import RESTfulClient as Client

import synthetic_whisper
from copying_engine import CopyingEngine
from fake_engine import FakeEngine, StepGate, wait_until
from fake_recognizer import FakeRecognizer
from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from live_server import LiveServer, live_server
from loudness import Loudness
from vivavoce.hub import Hub

KEY, OTHER = "a-key-of-sixteen-characters", "another-key-of-sixteen"
FIRST = [
    "whisper-tiny", "whisper-tiny.en", "whisper-base", "whisper-base.en", "whisper-medium", "whisper-medium.en",
    "whisper-large-v3", "Belle-distilwhisper-large-v2-zh", "Belle-whisper-large-v2-zh", "Belle-whisper-large-v3-zh",
]  # fmt: skip


class SlowToLoad(FakeEngine):
    """Loads a voice when the test says so."""

    def __init__(self) -> None:
        super().__init__(("alpha", "beta"))
        self.gate = StepGate()

    def load_voice(self, voice_id: str, progress: Any = None) -> Any:
        if progress is not None:
            progress("reading", 0.5)
        if voice_id == "beta":
            self.gate([])
            while not self.gate.opened.wait(0.01):
                pass
        return super().load_voice(voice_id, progress)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(("alpha", "beta"))


@pytest.fixture
def server(engine: FakeEngine) -> Iterator[LiveServer]:
    with live_server([engine]) as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Client:
    return Client(server.url)


def test_what_is_there(client: Client) -> None:
    models = client.list_models()
    assert {"alpha", "beta", "tts-1"} <= set(models)
    described = client.describe_model("alpha")
    assert (described["model_type"], described["model_ability"]) == ("audio", ["text2audio"])
    assert isinstance(client._get_supervisor_internal_address(), str)
    names = [entry["model_name"] for entry in client.list_model_registrations("audio")]
    assert {"alpha", "beta", *FIRST} <= set(names)
    detailed = {entry["model_name"]: entry for entry in client.list_model_registrations("audio", detailed=True)}
    for name in FIRST:
        assert detailed[name]["licence"] in ("MIT", "Apache-2.0")
        assert detailed[name]["size_mib"] > 50
        here = detailed[name]["problem"] is None  # one or two come with packages
        assert here or f"vivavoce models pull {name}" in detailed[name]["problem"]
    assert detailed["whisper-large-v3"]["problem"] is not None
    assert client.list_model_registrations("LLM") == []


def test_launch_speak_terminate(client: Client, engine: FakeEngine) -> None:
    uid = client.launch_model(model_name="beta", model_type="audio")
    assert uid == "beta"
    assert engine.loads.count("beta") == 1
    handle = client.get_model(uid)
    sound = handle.speech("Hello there.", response_format="wav", speed=1.0)
    samples, _ = soundfile.read(io.BytesIO(sound))
    assert np.median(samples) == pytest.approx(2 / 16, abs=0.001)
    assert b"".join(handle.speech("Hello there.", response_format="pcm", stream=True))
    assert handle.speech("Hello there.", voice="alpha", response_format="flac", seed=3, temperature=0.7)[:4] == b"fLaC"
    assert client.get_instance_info("beta", uid)[0]["status"] == "READY"
    assert client.get_launch_model_progress(uid)["progress"] == 1.0
    client.terminate_model(uid)
    assert engine.unloads.count("beta") == 1
    with pytest.raises(RuntimeError, match="Model not found in the model list, uid: beta"):
        client.terminate_model(uid)
    assert client.get_instance_info("beta", uid) == []


def test_a_name_of_ones_own(client: Client) -> None:
    assert client.launch_model(model_name="beta", model_uid="My-Voice.1", model_type="audio") == "My-Voice.1"
    assert "My-Voice.1" in client.list_models()
    sound = client.get_model("My-Voice.1").speech("Hello there.", response_format="wav")
    assert np.median(soundfile.read(io.BytesIO(sound))[0]) == pytest.approx(2 / 16, abs=0.001)
    client.terminate_model("My-Voice.1")
    with pytest.raises(RuntimeError, match="no such model"):
        client.get_model("My-Voice.1")


def test_a_recording_to_speak_like() -> None:
    """The client sends it as a form, with the rest in `kwargs`; the recognizer hears it where nobody says its words."""
    prompt = io.BytesIO()
    soundfile.write(prompt, np.full(64_000, 0.3), 16_000, format="WAV")
    engine, ears = CopyingEngine(), FakeRecognizer(("ear",))
    with live_server([engine], recognizers=[ears], activity=Loudness(), api_keys=(KEY,)) as server:
        client = Client(server.url, api_key=KEY)
        handle = client.get_model(client.launch_model(model_name="alpha", model_uid="mine", model_type="audio"))
        for further in ({"prompt_text": "What is said.", "seed": 3}, {}):
            sound = handle.speech("Hello there.", response_format="wav", prompt_speech=prompt.getvalue(), **further)
            assert np.median(soundfile.read(io.BytesIO(sound))[0]) == pytest.approx(0.3, abs=0.001)
        assert [clip.text.split()[0] for clip in engine.studied] == ["What", "w30"]
        streamed = handle.speech("Hello.", response_format="pcm", stream=True, prompt_speech=prompt.getvalue())
        assert np.median(np.frombuffer(b"".join(streamed), "<i2")) == pytest.approx(0.3 * 32767, abs=40)
        with pytest.raises(RuntimeError, match="voice 'beta' cannot speak like somebody in a recording"):
            client.get_model("beta").speech("Hello.", prompt_speech=prompt.getvalue(), speed=2.0)
        with pytest.raises(RuntimeError, match="not WAV"):
            handle.speech("Hello.", prompt_speech=b"no recording", prompt_text="Said.")
        with pytest.raises(RuntimeError, match="a voice takes one file"):
            handle.speech("Hello.", prompt_latent=b"numbers of another model")


def test_a_launch_that_is_not_waited_for() -> None:
    engine = SlowToLoad()
    with live_server([engine]) as server:
        client = Client(server.url)
        uid = client.launch_model(model_name="beta", model_type="audio", wait_ready=False)
        wait_until(lambda: client.get_launch_model_progress(uid)["progress"] == 0.5)
        with pytest.raises(RuntimeError, match="being loaded: 50%"):
            client.get_model(uid)
        assert client.get_instance_info("", uid)[0]["status"] == "LOADING"
        client.cancel_launch_model(uid)
        with pytest.raises(RuntimeError, match="Model not found"):
            client.get_launch_model_progress(uid)
        engine.gate.open()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"model_name": "whisper-large-v3", "model_type": "audio"},
            "`vivavoce models pull whisper-large-v3` fetches it",
        ),
        ({"model_name": "Belle-whisper-large-v3-zh", "model_type": "audio"}, "Apache-2.0"),
        ({"model_name": "ChatTTS", "model_type": "audio"}, "vivavoce[chattts]"),
        ({"model_name": "nobody", "model_type": "audio"}, "unknown model 'nobody'"),
        ({"model_name": "alpha", "model_type": "LLM"}, "only models of model_type 'audio'"),
        ({"model_name": "alpha", "model_type": "audio", "model_path": "/etc"}, "no route takes a path"),
        ({"model_name": "alpha", "model_type": "audio", "model_uid": "../x"}, "model_uid has letters"),
    ],
)
def test_the_client_shows_our_sentence(client: Client, asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RuntimeError) as shown:
        client.launch_model(**asked)
    assert sentence in str(shown.value)


def test_errors_of_speech_are_shown(client: Client) -> None:
    handle = client.get_model("alpha")
    with pytest.raises(RuntimeError, match="the input has 5000 characters"):
        handle.speech("x" * 5000)
    with pytest.raises(RuntimeError, match="unsupported format 'midi'"):
        handle.speech("Hello.", response_format="midi")
    with pytest.raises(RuntimeError, match="models are added where the server runs"):
        client.register_model("audio", "{}", persist=False)
    with pytest.raises(RuntimeError, match="models are added where the server runs"):
        client.unregister_model("audio", "alpha")


def test_a_key_is_asked_for_and_launches_are_ones_own(engine: FakeEngine) -> None:
    with live_server([engine], api_keys=(KEY, OTHER)) as server:
        with pytest.raises(RuntimeError, match="the API key is missing or not known"):
            Client(server.url).list_models()
        with pytest.raises(RuntimeError, match="keys, not users"):
            Client(server.url).login("user", "password")
        mine, yours = Client(server.url, api_key=KEY), Client(server.url, api_key=OTHER)
        uid = mine.launch_model(model_name="beta", model_type="audio", model_uid="mine")
        assert mine.get_model(uid).speech("Hello.", response_format="wav")[:4] == b"RIFF"
        assert uid not in yours.list_models()
        for refused in (yours.terminate_model, yours.get_launch_model_progress):
            with pytest.raises(RuntimeError, match="Model not found"):
                refused(uid)
        with pytest.raises(RuntimeError, match="unknown model"):
            yours.get_model("alpha").__class__("mine", server.url, yours._headers).speech("Hello.")
        with pytest.raises(RuntimeError, match="is taken"):
            mine.launch_model(model_name="alpha", model_type="audio", model_uid=uid)
        yours.launch_model(model_name="alpha", model_type="audio", model_uid=uid)
        yours.terminate_model(uid)
        assert (uid in yours.list_models(), uid in mine.list_models()) == (False, True), "each has his own"


# -- what listens


SOUND = np.concatenate([np.full(16_000, 0.2), np.zeros(16_000)])


@pytest.fixture
def recording() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, SOUND, 16_000, format="WAV")
    return file.getvalue()


def test_launch_transcribe_translate_terminate(recording: bytes) -> None:
    ears = FakeRecognizer(("ear", "other"))
    with live_server(
        [FakeEngine(("alpha",))], recognizers=[ears], activity=Loudness(), api_keys=(KEY, OTHER)
    ) as server:
        client = Client(server.url, api_key=KEY)
        uid = client.launch_model(model_name="ear", model_uid="My-Ear", model_type="audio")
        described = client.describe_model(uid)
        assert (described["model_type"], described["model_ability"]) == ("audio", ["audio2text"])
        handle = client.get_model(uid)
        assert set(handle.transcriptions(recording)["text"].split()) == {"w20"}
        timed = handle.transcriptions(
            recording,
            language="en",
            prompt="before",
            response_format="verbose_json",
            temperature=0,
            timestamp_granularities=["word"],
            batch_size=4,
        )
        assert {word["word"].strip() for word in timed["words"]} == {"w20"}
        with pytest.raises(RuntimeError, match=r"model 'ear' .* not translate"):
            handle.translations(recording)
        with pytest.raises(RuntimeError, match="language"):
            handle.transcriptions(recording, language="klingon")
        with pytest.raises(RuntimeError, match="file"):
            handle.transcriptions(b"no sound at all" * 100)
        with pytest.raises(RuntimeError, match="unknown model 'My-Ear'"):
            handle.__class__("My-Ear", server.url, Client(server.url, api_key=OTHER)._headers).transcriptions(recording)
        client.terminate_model(uid)
        with pytest.raises(RuntimeError, match="unknown model 'My-Ear'"):
            handle.transcriptions(recording)


def test_a_launch_that_downloads(recording: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in synthetic_whisper.folder().iterdir()}
    with HubStandIn(files) as hub:
        there = Hub(REPOSITORY, COMMIT, endpoint=hub.endpoint, retry_wait_s=0.0)
        monkeypatch.setattr("vivavoce.models.pull.Hub", lambda repository, revision: there)
        engine = FakeEngine(("alpha",))
        with live_server([engine], activity=Loudness(), data_dir=tmp_path, pull_on_launch=True) as server:
            client = Client(server.url)
            uid = client.launch_model(model_name="whisper-small", model_type="audio", wait_ready=False)
            wait_until(lambda: client.get_launch_model_progress(uid)["progress"] == 1.0)
            assert client.get_instance_info("", uid)[0]["status"] == "READY"
            handle = client.get_model(uid)
            assert handle.transcriptions(recording)["text"] == "One two three four."
            assert handle.translations(recording)["text"] == "One two three four."
