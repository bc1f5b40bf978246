"""What each message of a client means, one rule at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivavoce.errors import EngineError
from vivavoce.protocols.commands import AskHeard, Begin, Cancel, Close, Command, End, Flush, Played, Write
from vivavoce.protocols.native.client_messages import SessionConfig
from vivavoce.protocols.native.server_messages import Limits, VoiceSummary, Word
from vivavoce.protocols.native.session import Session

LIMITS = Limits(formats=("pcm", "mp3"))


def message(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def text(delta: str) -> str:
    return message("input.text", text=delta)


DONE, FLUSH, CANCEL = message("input.done"), message("input.flush"), message("input.cancel")


class Talk:
    """A session whose first message was read, and what is said to it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.session = Session("sess_1", limits)
        self.session.messages_to_send()
        self.now = 0.0

    def say(self, *texts: str | bytes) -> list[Command]:
        return [event for each in texts for event in self.session.receive_message(each, self.now)]

    def sent(self) -> list[Any]:
        return [json.loads(m) if isinstance(m, str) else m for m in self.session.messages_to_send()]

    def error_codes(self) -> list[str]:
        return [m["error"]["code"] for m in self.sent() if m["type"] == "error"]


def test_the_first_message_publishes_version_limits_and_voices() -> None:
    session = Session("sess_1", LIMITS, [VoiceSummary(id="mika", name="Mika")])
    [created] = [json.loads(m) for m in session.messages_to_send()]
    assert (created["type"], created["protocol"], created["session_id"]) == ("session.created", 1, "sess_1")
    assert created["limits"]["max_controls_per_s"] == 20
    assert created["voices"] == [{"id": "mika", "name": "Mika", "languages": [], "references": []}]
    assert session.messages_to_send() == []


def test_an_utterance_is_begun_by_its_first_text_and_ended_by_done() -> None:
    config = SessionConfig(voice="mika")
    assert Talk().say(message("session.config", voice="mika"), text("Hel"), text("lo."), FLUSH, DONE) == [
        Begin(0, config), Write(0, "Hel"), Write(0, "lo."), Flush(0), End(0),
    ]  # fmt: skip


def test_utterances_follow_one_another_on_one_connection() -> None:
    talk = Talk()
    events = talk.say(text("a"), DONE, text("b"), DONE)
    assert [event for event in events if isinstance(event, Begin)] == [
        Begin(0, SessionConfig()),
        Begin(1, SessionConfig()),
    ]
    assert events[-1] == End(1)


def test_configuration_is_sticky_and_null_changes_nothing() -> None:
    talk = Talk()
    talk.say(message("session.config", voice="mika", speed=1.5))
    talk.say(message("session.config", voice="ruri", speed=None))
    assert talk.say(text("a"))[0] == Begin(0, SessionConfig(voice="ruri", speed=1.5))


def test_configuration_sent_while_speaking_is_for_the_next_utterance() -> None:
    talk = Talk()
    talk.say(text("a"), message("session.config", voice="mika"), text("b"), DONE)
    assert talk.say(text("c"))[0] == Begin(1, SessionConfig(voice="mika"))


def test_an_unknown_format_is_refused_and_the_rest_of_that_message_too() -> None:
    talk = Talk()
    assert talk.say(message("session.config", response_format="midi", voice="mika")) == []
    assert talk.error_codes() == ["unsupported_format"]
    assert talk.say(text("a"))[0] == Begin(0, SessionConfig())


def test_an_empty_format_is_none_and_a_voice_may_be_an_object() -> None:
    talk = Talk()
    assert talk.say(message("session.config", response_format="", voice={"id": "mika"})) == []
    assert talk.error_codes() == []
    assert talk.say(text("a"))[0] == Begin(0, SessionConfig(voice="mika"))


@pytest.mark.parametrize("voice", [{}, {"id": 5}, {"name": "mika"}, ["mika"], 5, {"id": "m" * 200}])
def test_a_voice_that_is_no_name_is_refused(voice: object) -> None:
    talk = Talk()
    assert talk.say(message("session.config", voice=voice)) == []
    assert len(talk.error_codes()) == 1


def test_done_without_text_is_an_empty_utterance() -> None:
    assert Talk().say(text(""), DONE) == [Begin(0, SessionConfig()), End(0)]


def test_flush_and_cancel_without_an_utterance_do_nothing() -> None:
    talk = Talk()
    assert talk.say(FLUSH, CANCEL) == []
    assert talk.sent() == []


def test_a_character_cut_in_two_is_put_together() -> None:
    high, low = '{"type":"input.text","text":"a\\ud83d"}', '{"type":"input.text","text":"\\udc4bb"}'
    assert Talk().say(high, low)[1:] == [Write(0, "a"), Write(0, "👋b")]


def test_halves_of_characters_that_never_meet_are_replaced() -> None:
    assert Talk().say('{"type":"input.text","text":"\\udc4b!\\ud83d"}', text("x"))[1:] == [
        Write(0, "\ufffd!"), Write(0, "\ufffdx"),
    ]  # fmt: skip


def test_cancel_stops_everything_that_is_not_done() -> None:
    talk = Talk()
    talk.say(text("a"), DONE, text("b"))
    assert talk.say(CANCEL) == [Cancel(0), Cancel(1)]


def test_cancel_is_idempotent_and_ends_once() -> None:
    talk = Talk()
    talk.say(text("a"))
    for _ in range(2):
        talk.say(CANCEL)
        talk.session.outbox.finish(0, "cancelled", duration_ms=0)
    assert [m["type"] for m in talk.sent()] == ["session.done"]
    assert talk.say(CANCEL) == [AskHeard(0)]


def test_done_after_cancel_belongs_to_the_cancelled_utterance() -> None:
    talk = Talk()
    talk.say(text("a"), CANCEL)
    talk.session.outbox.finish(0, "cancelled", duration_ms=0)
    assert talk.say(DONE) == []
    assert talk.say(text("b"), DONE) == [Begin(1, SessionConfig()), Write(1, "b"), End(1)]


def test_text_after_cancel_is_a_new_utterance() -> None:
    talk = Talk()
    talk.say(text("a"), CANCEL)
    assert talk.say(text("b")) == [Begin(1, SessionConfig()), Write(1, "b")]


def test_the_rest_of_a_failed_utterances_text_is_dropped() -> None:
    talk = Talk()
    talk.say(text("a"))
    talk.session.report(EngineError("no"), 0.0, 0)
    talk.session.outbox.finish(0, "failed", duration_ms=0)
    assert talk.say(text("b"), FLUSH, DONE) == []
    assert talk.say(text("c")) == [Begin(1, SessionConfig()), Write(1, "c")]
    error, done = talk.sent()
    assert (error["error"]["code"], error["utterance_index"]) == ("engine_error", 0)
    assert done["status"] == "failed"


def test_too_many_waiting_utterances_are_refused_whole() -> None:
    talk = Talk(Limits(max_pending_utterances=1))
    talk.say(text("a"), DONE, text("b"), DONE)
    assert talk.say(text("c"), text("d"), DONE) == []
    assert talk.error_codes() == ["too_many_utterances"]
    assert talk.say(DONE) == []  # an empty utterance is one, too
    assert talk.error_codes() == ["too_many_utterances"]
    talk.session.outbox.finish(0, "completed", duration_ms=0)
    assert talk.say(text("e"))[0] == Begin(2, SessionConfig())


def test_playback_positions_are_passed_on_for_utterances_that_have_begun() -> None:
    talk = Talk()
    talk.say(text("a"), DONE)
    assert talk.say(message("playback.position", utterance_index=0, played_ms=250)) == [Played(0, 0.25)]
    assert talk.say(message("playback.position", utterance_index=1, played_ms=250)) == []
    assert talk.error_codes() == ["unknown_utterance"]


def test_close_cancels_and_says_goodbye() -> None:
    talk = Talk()
    talk.say(text("a"))
    assert talk.say(message("session.close")) == [Cancel(0), Close(1000, "bye")]
    assert talk.say(text("b")) == []


# -- nonsense and floods


def test_nonsense_is_answered_and_the_connection_stays() -> None:
    talk = Talk()
    assert talk.say("{", message("input.shout"), message("input.text")) == []
    assert talk.error_codes() == ["invalid_json", "unknown_type", "missing_field"]
    assert talk.say(text("a"))


def test_binary_is_answered_and_closes_with_1003() -> None:
    talk = Talk()
    assert talk.say(b"\0\1") == [Close(1003, "binary_message")]
    assert talk.error_codes() == ["binary_message"]


def test_a_message_over_the_limit_closes_with_1009() -> None:
    talk = Talk(Limits(max_message_bytes=100))
    assert talk.say(text("é" * 50)) == [Close(1009, "payload_too_large")]
    assert talk.error_codes() == ["payload_too_large"]


def test_more_than_ten_errors_in_ten_seconds_close_with_1008() -> None:
    talk = Talk()
    assert talk.say(*["{"] * 10) == []
    talk.now = 9.9
    assert talk.say("{") == [Close(1008, "too many errors")]


def test_errors_spread_over_time_do_not_close() -> None:
    talk = Talk()
    for _ in range(50):
        talk.now += 1.1
        assert talk.say("{") == []


@pytest.mark.parametrize("control", [CANCEL, FLUSH, message("session.config")])
def test_a_flood_of_control_messages_is_answered_and_closes_with_1008(control: str) -> None:
    talk = Talk()
    assert talk.say(*[control] * 20) == []
    assert talk.say(control) == [Close(1008, "rate_limit_exceeded")]
    assert talk.error_codes() == ["rate_limit_exceeded"]
    assert talk.say(control, text("a")) == []


def test_sixteen_controls_a_second_are_allowed_for_ever() -> None:
    talk = Talk()
    for _ in range(200):
        talk.now += 0.0625
        assert talk.say(CANCEL) == []


# -- what is sent


def speak(talk: Talk, index: int, sentence: int = 0) -> None:
    talk.session.outbox.start_sentence(index, sentence, "Hi. ", format="pcm", sample_rate=24000)
    talk.session.outbox.send_words(index, [Word("Hi", 0, 300)], estimated=True, start_ms=0)
    talk.session.outbox.send_audio(index, b"\0\1")


def test_a_spoken_utterance_is_sent_in_the_order_of_the_protocol() -> None:
    talk = Talk()
    talk.say(text("Hi. Ho."), DONE)
    speak(talk, 0)
    speak(talk, 0, sentence=1)
    talk.session.outbox.finish(0, "completed", duration_ms=600)
    kinds = [m if isinstance(m, bytes) else m["type"] for m in talk.sent()]
    sentence = ["audio.start", "audio.timestamps", b"\0\1", "audio.done"]
    assert kinds == [*sentence, *sentence, "session.done"]


def test_audio_is_sent_in_base64_where_asked_for() -> None:
    talk = Talk()
    talk.say(message("session.config", audio="base64"), text("Hi."))
    speak(talk, 0)
    assert talk.sent()[2] == {"type": "audio.delta", "audio": "AAE="}


def test_a_cancelled_utterance_takes_back_what_was_not_sent() -> None:
    talk = Talk()
    talk.say(text("Hi. Ho."))
    speak(talk, 0)
    talk.session.outbox.finish(0, "cancelled", duration_ms=200, heard="Hi.")
    speak(talk, 0)
    assert talk.sent() == [
        {
            "type": "session.done",
            "utterance_index": 0,
            "total_sentences": 1,
            "status": "cancelled",
            "duration_ms": 200,
            "heard": "Hi.",
        }
    ]


def test_a_failed_utterance_marks_the_sentence_that_broke_off() -> None:
    talk = Talk()
    talk.say(text("Hi."))
    speak(talk, 0)
    talk.session.outbox.finish(0, "failed", duration_ms=200)
    *_, audio_done, done = talk.sent()
    assert audio_done == {
        "type": "audio.done", "utterance_index": 0, "sentence_index": 0, "total_bytes": 2, "error": True,
    }  # fmt: skip
    assert done["status"] == "failed"


@pytest.mark.parametrize("written", ["English", "en-US", " EN "])
def test_a_language_by_name_or_tag_begins_an_utterance_in_it(written: str) -> None:
    talk = Talk()
    began = talk.say(
        json.dumps({"type": "session.config", "language": written}), '{"type": "input.text", "text": "Hi."}'
    )
    assert [each.config.language for each in began if isinstance(each, Begin)] == ["en"]
