"""The assistant's page in Chromium with a microphone that hears a recording, against a real server whose chat model is
the test's: what is heard, answered and shown, and what happens when somebody talks over the answer.

Each test runs one scenario of `assistant.mjs`. Pictures are left in `test-results/`.
"""

from __future__ import annotations

import json
import re
import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import wait_until
from live_server import LiveServer, live_server
from realtime_sdk import think_with
from recognizer import transcribe, word_error_rate
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from vivavoce.hosted.chat import HostedChat

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "test-results"
KEY = "a-key-of-this-test"
RATE = 24_000
QUESTION = "What is the capital of France?"
ANSWER = "Paris is the capital of France, and has been for a very long time."
STORY = (
    "The lighthouse keeper wrote one letter every winter, and never posted it. This year, the sea came up the stairs "
    "to fetch it. It was very polite; it knocked first, and it left the lamp burning when it went."
)

Result = dict[str, Any]


@pytest.fixture(scope="module")
def stand_in() -> ChatStandIn:
    return ChatStandIn()


@contextmanager
def talking(chat: ChatStandIn, **settings: Any) -> Iterator[LiveServer]:
    """A server with the embedded voice; its calls have ended before it stops."""
    with live_server([open_engine(VoiceSettings())], **settings) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=chat))
        yield running
        wait_until(lambda: not any(name.startswith("call-") for name in running.tasks()))


@pytest.fixture(scope="module")
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    with talking(stand_in) as running:
        yield running


def thinks(stand_in: ChatStandIn, text: str) -> None:
    stand_in.parts = [*(chunk(piece) for piece in re.findall(r"\S+\s*", text)), chunk(finish="stop"), DONE]
    stand_in.asked.clear()


def run(scenario: str, url: str, folder: Path, **options: str) -> Result:
    """What the scenario saw; it had nothing to complain about."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = json.dumps({"folder": str(folder), "url": url, **options})
    done = subprocess.run(
        ["node", str(HERE / "assistant.mjs"), scenario, arguments], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr[-4000:]
    result: Result = json.loads(done.stdout.splitlines()[-1])
    assert result["complaints"] == []
    return result


def recording(server: LiveServer, path: Path, *parts: str | float) -> str:
    """A WAV file of texts that are spoken, and of seconds of silence."""
    sound = b"".join(spoken(server, part) if isinstance(part, str) else bytes(2 * round(part * RATE)) for part in parts)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound)
    return str(path)


def spoken(server: LiveServer, text: str) -> bytes:
    request = {"input": text, "model": "tts-1", "response_format": "pcm", "sample_rate": RATE}
    return httpx.post(f"{server.url}/v1/audio/speech", json=request, timeout=30).raise_for_status().content


def heard(sound: Result) -> str:
    """What a listener understood."""
    return transcribe(np.fromfile(sound["path"], dtype=np.float32), int(sound["rate"]))


TRANSPORTS = ["webrtc", "websocket"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_question_is_heard_answered_and_shown(
    transport: str, server: LiveServer, stand_in: ChatStandIn, tmp_path: Path
) -> None:
    thinks(stand_in, ANSWER)
    speech = recording(server, tmp_path / "question.wav", 1.0, QUESTION, 30.0)
    result = run("ask", server.url, tmp_path, transport=transport, speech=speech)
    question, answer = result["said"]
    assert (question["who"], answer["who"]) == ("user", "assistant")
    assert word_error_rate(QUESTION, question["text"]) <= 0.2
    assert answer == {"who": "assistant", "text": ANSWER, "isCut": False}
    assert stand_in.asked[0]["messages"][-1]["content"] == question["text"]
    assert word_error_rate(ANSWER, heard(result["sound"])) <= 0.15
    assert [who for who in result["floor"] if who in ("user", "assistant")] == ["user", "assistant"]
    assert int(result["answered"]) > 0
    assert set(result["stages"]) == {"certain", "words", "thought", "sound"}
    assert result["microphones"] == ["live"]
    assert result["ended"] == ["ended"], "End frees the microphone"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_whoever_talks_over_the_answer_is_given_the_floor(
    transport: str, server: LiveServer, stand_in: ChatStandIn, tmp_path: Path
) -> None:
    thinks(stand_in, STORY)
    speech = recording(server, tmp_path / "talk.wav", 1.0, "Tell me a story.", 5.0, "Wait, please stop now.", 30.0)
    result = run("interrupt", server.url, tmp_path, transport=transport, speech=speech)
    cut = next(each["text"] for each in result["cut"]["said"] if each["isCut"])
    shown = next(each["text"] for each in result["later"]["said"] if each["isCut"])
    silence = np.fromfile(result["silence"]["path"], dtype=np.float32)
    assert len(silence) > 0.15 * result["silence"]["rate"]
    assert np.abs(silence).max() < 0.01
    assert STORY.startswith(shown)
    assert 3 < len(shown.split()) < len(STORY.split())
    assert abs(len(shown.split()) - len(cut.split())) <= 1, "the page and the server agree on what was heard"
    remembered = next(m["content"] for m in stand_in.asked[-1]["messages"] if m["role"] == "assistant")
    assert remembered.startswith(shown), "the chat model knows what was heard"
    assert not remembered.startswith(STORY)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_change_of_microphone_is_lived_through(
    transport: str, server: LiveServer, stand_in: ChatStandIn, tmp_path: Path
) -> None:
    thinks(stand_in, ANSWER)
    speech = recording(server, tmp_path / "question.wav", 4.0, QUESTION, 60.0)
    result = run("device", server.url, tmp_path, transport=transport, speech=speech)
    question, answer = result["answered"]["said"]
    assert word_error_rate(QUESTION, question["text"]) <= 0.2, "the next one hears"
    assert answer["text"] == ANSWER
    assert result["answered"]["microphones"] == ["ended", "live"]
    assert result["answered"]["connections"] == 1, "the conversation is still the same"
    assert result["without"]["notice"].startswith("No microphone was found.")
    assert result["without"]["microphones"] == ["ended", "ended"]
    assert result["again"]["microphones"] == ["ended", "ended", "live"]
    assert result["again"]["connections"] == 1
    assert result["again"]["notice"] == ""
    assert set(result["ended"]) == {"ended"}


@pytest.mark.parametrize(
    ("transport", "how"), [("webrtc", "freeze"), ("websocket", "freeze"), ("websocket", "machine")]
)
def test_a_page_that_stood_still_plays_nothing_old_and_goes_on(
    transport: str, how: str, server: LiveServer, stand_in: ChatStandIn, tmp_path: Path
) -> None:
    thinks(stand_in, STORY)
    result = run("sleep", server.url, tmp_path, transport=transport, how=how)
    assert result["woken"]["notice"].startswith("The page was asleep.")
    story = next(each for each in result["woken"]["said"] if each["isCut"])
    assert STORY.startswith(story["text"])
    silence = np.fromfile(result["silence"]["path"], dtype=np.float32)
    assert len(silence) > 0.15 * result["silence"]["rate"]
    assert np.abs(silence).max() < 0.01
    assert result["goesOn"]["connections"] == 2
    asked = stand_in.asked[-1]["messages"]
    assert [each["content"] for each in asked if each["role"] == "user"] == ["Tell me a story.", QUESTION]
    remembered = next(each["content"] for each in asked if each["role"] == "assistant")
    assert remembered.startswith(story["text"]), "the chat model knows what was heard"
    assert len(remembered) < len(STORY)


def test_commands_are_acted_on(server: LiveServer, stand_in: ChatStandIn, tmp_path: Path) -> None:
    thinks(stand_in, ANSWER)
    result = run("write", server.url, tmp_path)
    assert result["rang"]["said"][:2] == [
        {"who": "user", "text": "Set a timer for two seconds.", "isCut": False},
        {"who": "assistant", "text": "I set a timer for two seconds.", "isCut": False},
    ]
    assert result["rang"]["microphones"] == [], "writing opens none"
    assert any("Music" in item for item in result["played"]["doing"])
    assert not stand_in.asked, "no chat model was needed"


def test_a_server_with_keys_is_asked_with_one(stand_in: ChatStandIn, tmp_path: Path) -> None:
    with talking(stand_in, api_keys=(KEY,)) as locked:
        result = run("key", locked.url, tmp_path, key=KEY)
    assert result["notice"] == ""
    assert [each["who"] for each in result["said"]] == ["user", "assistant"]


def test_a_refused_microphone_is_told_in_plain_words(server: LiveServer, tmp_path: Path) -> None:
    result = run("refused", server.url, tmp_path)
    assert result["notice"].startswith("The microphone is not allowed here.")
    assert result["floor"][-1] == "nobody"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_is_fit_to_be_seen_and_read_aloud(
    theme: str, server: LiveServer, stand_in: ChatStandIn, tmp_path: Path
) -> None:
    thinks(stand_in, STORY)
    speech = recording(server, tmp_path / "silence.wav", 60.0)
    result = run("look", server.url, RESULTS, text="Tell me a story.", colorScheme=theme, speech=speech)
    assert result["violations"] == []
    assert len(list(RESULTS.glob(f"assistant-*-{theme}-*.png"))) == 10
