"""The rules of a listening session: messages in, commands and messages out, no clock and no socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import EngineError
from vivavoce.protocols.captions.messages import Final, Limits, Partial
from vivavoce.protocols.captions.session import Begin, CaptionSession, End, Flush, Sound
from vivavoce.protocols.commands import Close


def session() -> CaptionSession:
    made = CaptionSession("sess_1", Limits(), ["whisper-base"])
    (created,) = told(made)
    assert created["limits"]["max_message_bytes"] == 262_144
    assert created["models"] == ["whisper-base"]
    return made


def told(made: CaptionSession) -> list[dict[str, Any]]:
    return [json.loads(message) for message in made.messages_to_send()]


def send(made: CaptionSession, kind: str, now: float = 0.0, **fields: Any) -> list[Any]:
    return made.receive_message(json.dumps({"type": kind, **fields}), now)


def test_sound_begins_a_stream_and_done_ends_it() -> None:
    made = session()
    begin, sound = made.receive_message(b"12", 0.0)
    assert isinstance(begin, Begin)
    assert sound == Sound(b"12")
    assert made.receive_message(b"34", 0.0) == [Sound(b"34")]
    assert send(made, "input.flush") == [Flush()]
    assert send(made, "input.done") == [End()]
    assert made.is_listening
    made.finish(0, "completed", duration_ms=5, segments=0)
    made.finish(0, "failed", duration_ms=5, segments=0)  # the second end of one is none
    assert told(made) == [{"type": "session.done", "status": "completed", "duration_ms": 5, "segments": 0}]
    assert isinstance(made.receive_message(b"56", 0.0)[0], Begin)


def test_a_stream_without_sound_is_done_at_once() -> None:
    made = session()
    assert send(made, "input.done") == []
    assert told(made)[0]["status"] == "completed"


def test_the_config_stays_and_comes_before_the_sound() -> None:
    made = session()
    send(made, "session.config", language="pt", keywords=["Ulm"], unknown=1)
    send(made, "session.config", language=None, words=True)
    (begin, _) = made.receive_message(b"12", 0.0)
    assert isinstance(begin, Begin)
    assert (begin.config.language, begin.config.words, begin.config.keywords) == ("pt", True, ("Ulm",))
    send(made, "session.config", language="en")
    assert told(made)[-1]["error"]["code"] == "config_too_late"


def test_a_failed_streams_sound_is_dropped_until_its_end() -> None:
    made = session()
    made.receive_message(b"12", 0.0)
    made.report(EngineError("it broke"), 0.0)
    made.finish(0, "failed", duration_ms=0, segments=0)
    assert [each["type"] for each in told(made)] == ["error", "session.done"]
    assert made.receive_message(b"34", 0.0) == []
    assert send(made, "input.done") == []
    assert told(made) == []
    assert isinstance(made.receive_message(b"56", 0.0)[0], Begin)


def test_a_guess_that_nobody_took_gives_way() -> None:
    made = session()
    made.receive_message(b"12", 0.0)
    for text in ("a", "a b"):
        made.tell(0, Partial(segment=0, text=text, start_ms=0, end_ms=1))
    made.tell(0, Partial(segment=1, text="c", start_ms=0, end_ms=1))
    assert [each["text"] for each in told(made)] == ["a b", "c"]
    made.tell(0, Partial(segment=0, text="x", start_ms=0, end_ms=1))
    made.tell(0, Final(segment=0, text="a b", language="en", start_ms=0, end_ms=1))
    assert [each["type"] for each in told(made)] == ["transcript.final"]
    made.finish(0, "completed", duration_ms=1, segments=1)
    told(made)
    made.tell(0, Partial(segment=2, text="late", start_ms=0, end_ms=1))
    assert told(made) == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("no json", "invalid_json"),
        ("{}", "unknown_type"),
        ('{"type":"nothing"}', "unknown_type"),
        ('{"type":"session.config","sample_rate":1}', "invalid_field"),
        ('{"type":"session.config","sample_rate":' + "9" * 401 + "}", "invalid_field"),
        ('{"type":"session.config","encoding":"mp3"}', "invalid_field"),
        ('{"type":"session.config","threshold":1e999}', "invalid_json"),
    ],
)
def test_refusals(data: str, code: str) -> None:
    made = session()
    made.receive_message(data, 0.0)
    (error,) = told(made)
    assert error["error"]["code"] in (code, "invalid_field")
    assert "999" not in error["error"]["message"]


def test_floods_and_giants_close_the_connection() -> None:
    made = session()
    commands = [command for _ in range(30) for command in send(made, "input.flush")]
    assert commands[-1] == Close(1008, "rate_limit_exceeded")
    assert session().receive_message(bytes(300_000), 0.0) == [Close(1009, "payload_too_large")]
    made = session()
    closes = [made.receive_message("?", 0.1 * k) for k in range(11)]
    assert closes[-1] == [Close(1008, "too many errors")]
    assert made.receive_message(b"12", 2.0) == []


@given(st.lists(st.one_of(st.binary(max_size=9), st.text(max_size=40)), max_size=20))
def test_nothing_raises(messages: list[str | bytes]) -> None:
    made = session()
    for k, message in enumerate(messages):
        made.receive_message(message, 0.01 * k)
    for line in made.messages_to_send():
        json.loads(line)
