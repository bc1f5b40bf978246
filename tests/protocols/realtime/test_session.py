"""The Realtime session, rule by rule; every event it tells is held against OpenAI's own types."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from realtime_client import Client
from vivavoce.errors import EngineError, UnknownVoice
from vivavoce.protocols.commands import Close
from vivavoce.protocols.realtime.commands import (
    Cancel,
    ClearInput,
    ClearOutput,
    Command,
    Commit,
    Configure,
    Hear,
    HearItem,
    Respond,
    Truncate,
)
from vivavoce.protocols.realtime.response import Response, Usage
from vivavoce.protocols.realtime.session import Limits
from vivavoce.protocols.realtime.session_config import SessionConfig

NAMED = {"type": "function", "name": "nobody"}


def sound(milliseconds: int, bytes_per_ms: int = 48) -> str:
    return base64.b64encode(bytes(milliseconds * bytes_per_ms)).decode()


def text_message(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


def response_of(commands: list[Command]) -> Response:
    (command,) = commands
    assert isinstance(command, Respond)
    return command.response


# -- the session -----------------------------------------------------------------------------------------------------


def test_the_session_comes_first_and_an_update_is_answered_at_once() -> None:
    client = Client()
    created = client.one("session.created")
    assert created["session"]["type"] == "realtime"
    assert created["session"]["model"] == "gpt-realtime"
    (command,) = client.say("session.update", session={"type": "realtime", "instructions": "Be kind."})
    assert isinstance(command, Configure)
    assert client.kinds() == ["session.updated"]
    assert client.session.config.instructions == "Be kind."


def test_updates_are_partial_and_null_is_absent() -> None:
    client = Client()
    client.say("session.update", session={"type": "realtime", "instructions": "One.", "tracing": None, "model": "x"})
    client.say("session.update", session={"instructions": None, "output_modalities": ["text"]})
    client.say("session.update", session={"audio": {"output": {"voice": "marin", "speed": 1.2}, "input": None}})
    config = client.session.config
    assert (config.instructions, config.output_modalities, config.voice, config.speed) == (
        "One.",
        ("text",),
        "marin",
        1.2,
    )
    assert config.model == "gpt-realtime"
    assert client.kinds()[1:] == ["session.updated"] * 3


def test_null_turns_detection_and_transcription_off() -> None:
    client = Client()
    client.say("session.update", session={"audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    client.read()
    client.say("session.update", session={"audio": {"input": {"turn_detection": None, "transcription": None}}})
    session = client.one("session.updated")["session"]
    assert session["audio"]["input"] == {"format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": None}
    assert client.session.config.transcription is None


def test_turn_detection_keeps_what_is_not_given_while_its_type_stays() -> None:
    client = Client()
    detection = {"type": "server_vad", "silence_duration_ms": 350, "interrupt_response": False}
    client.say("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    client.say(
        "session.update", session={"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}}
    )
    now = client.session.config.turn_detection
    assert now is not None
    assert (now.silence_duration_ms, now.threshold, now.interrupt_response) == (350, 0.7, False)
    client.say("session.update", session={"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    detection = client.read()[-1]["session"]["audio"]["input"]["turn_detection"]
    assert detection == {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "dictation"}, "session.type"),
        ({"output_modalities": []}, "session.output_modalities"),
        ({"audio": []}, "session.audio"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "session.audio.input.format.type"),
        ({"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}}, "session.audio.input.format.rate"),
        ({"audio": {"input": {"turn_detection": {"type": "telepathy"}}}}, "session.audio.input.turn_detection.type"),
        ({"audio": {"output": {"speed": 9}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": 7}}}, "session.audio.output.voice"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "session.tools[0]"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "session.tools[0].name"),
        ({"tool_choice": "sometimes"}, "session.tool_choice"),
        ({"max_output_tokens": 0}, "session.max_output_tokens"),
        ({"tools": [{"type": "function", "name": "f", "description": 7}]}, "session.tools[0].description"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": NAMED}, "session.tool_choice.name"),
        ({"audio": {"input": {"noise_reduction": {"type": "loud"}}}}, "session.audio.input.noise_reduction.type"),
        ({"audio": {"input": {"noise_reduction": {"type": ""}}}}, "session.audio.input.noise_reduction.type"),
        ({"modalities": ["text"]}, "session.modalities"),
        ({"voice": "alloy"}, "session.voice"),
        ({"turn_detection": None}, "session.turn_detection"),
        ({"input_audio_format": "g711_ulaw"}, "session.input_audio_format"),
        ({"output_audio_format": "g711_ulaw"}, "session.output_audio_format"),
        ({"input_audio_transcription": {"model": "whisper-1"}}, "session.input_audio_transcription"),
        ({"max_response_output_tokens": 7}, "session.max_response_output_tokens"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_nothing_changes(session: dict[str, Any], param: str) -> None:
    client = Client()
    before = client.session.config
    assert client.say("session.update", event_id="mine", session={"instructions": "New.", **session}) == []
    error = client.one("error")["error"]
    assert error["type"] == "invalid_request_error"
    assert (error["param"], error["event_id"]) == (param, "mine")
    assert client.session.config == before


def test_names_from_before_ga_are_answered_with_those_of_today() -> None:
    client = Client()
    client.say("session.update", session={"voice": "alloy"})
    assert client.one("error")["error"]["message"] == "'session.voice' must be named audio.output.voice"
    client.say("session.update", session={"voice": None, "instructions": "Be brief."})
    assert client.one("session.updated")["session"]["instructions"] == "Be brief."


def test_a_session_that_would_not_fit_its_message_is_refused() -> None:
    client = Client()
    tools = [{"type": "function", "name": f"f{n}", "description": "x" * 9_000} for n in range(50)]
    client.say("session.update", session={"tools": tools})
    assert client.one("session.updated")
    client.say("session.update", session={"instructions": "x" * 59_000})
    assert client.one("error")["error"]["code"] == "session_too_large"
    assert client.session.config.instructions == ""


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"conversation": "conv_1"}, "response.conversation"),
        ({"conversation": 7}, "response.conversation"),
        ({"metadata": {"topic": 7}}, "response.metadata"),
        ({"metadata": {"x" * 65: "long"}}, "response.metadata"),
        ({"metadata": {"long": "x" * 513}}, "response.metadata"),
        ({"metadata": {str(n): "" for n in range(17)}}, "response.metadata"),
        ({"modalities": ["text"]}, "response.modalities"),
        ({"voice": "alloy"}, "response.voice"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": NAMED}, "response.tool_choice.name"),
    ],
)
def test_a_wish_that_cannot_be_met_is_named_and_nothing_is_answered(response: dict[str, Any], param: str) -> None:
    client = Client()
    client.read()
    assert client.say("response.create", response=response) == []
    assert [(event["type"], event["error"]["param"]) for event in client.read()] == [("error", param)]


def test_a_voice_that_the_server_does_not_have_is_refused() -> None:
    def check(config: SessionConfig) -> None:
        if config.voice not in ("default", "marin"):
            raise UnknownVoice(config.voice, ["marin"])

    client = Client(check=check)
    client.say("session.update", session={"audio": {"output": {"voice": "nobody"}}})
    assert client.read()[-1]["error"]["code"] == "voice_not_found"
    client.say("response.create", response={"audio": {"output": {"voice": "nobody"}}})
    assert client.kinds() == ["error"]


def test_tools_are_kept_as_they_came() -> None:
    client = Client()
    tool = {
        "type": "function",
        "name": "set_timer",
        "description": "Sets a timer.",
        "parameters": {"type": "object", "properties": {"minutes": {"type": "number"}}},
    }
    client.say("session.update", session={"tools": [tool], "tool_choice": {"type": "function", "name": "set_timer"}})
    session = client.read()[-1]["session"]
    assert session["tools"] == [tool]
    assert session["tool_choice"] == {"type": "function", "name": "set_timer"}


# -- hostile and mistaken clients ------------------------------------------------------------------------------------


def test_unknown_events_are_answered_and_not_fatal() -> None:
    client = Client()
    assert client.say("conversation.item.invent", event_id="e1") == []
    error = client.read()[-1]["error"]
    assert (error["code"], error["param"], error["event_id"]) == ("unknown_event", "type", "e1")
    assert client.say("response.create") != []


@pytest.mark.parametrize(
    "data",
    ["", "{", "[]", "7", '{"type":7}', "{}", '{"type":"session.update"}', '{"type":"session.update","session":7}',
     '{"type":"conversation.item.create"}', '{"type":"conversation.item.create","item":{"type":"poem"}}',
     '{"type":"conversation.item.truncate","item_id":"x","audio_end_ms":' + "9" * 401 + "}",
     '{"type":"conversation.item.truncate","item_id":"x","audio_end_ms":1e999}',
     '{"type":"input_audio_buffer.append","audio":"***"}', '{"type":"input_audio_buffer.append","audio":7}',
     '{"type":"response.create","response":{"input":"hello"}}', '{"type":"response.create","response":{"metadata":[]}}',
     '{"type":"response.create","response":{"input":[{"type":"item_reference","id":"nowhere"}]}}'],
)  # fmt: skip
def test_nonsense_is_an_error_and_nothing_else(data: str) -> None:
    client = Client()
    client.read()
    assert client.session.receive_message(data, 0.0) == []
    assert client.kinds() == ["error"]


def test_what_cannot_be_read_closes_the_connection() -> None:
    for data, code in ((b"\0", 1003), ("x" * 2_000_000, 1009), ("é" * 600_000, 1009)):
        client = Client()
        assert client.session.receive_message(data, 0.0) == [Close(code, client.read()[-1]["error"]["code"])]
        assert client.say("response.create") == []


def test_too_many_errors_or_events_close_it() -> None:
    client = Client(limits=Limits(max_errors_per_10_s=3))
    assert [client.say("nonsense") for _ in range(4)][-1] == [Close(1008, "too many errors")]
    client = Client(limits=Limits(max_events_per_s=5))
    commands = [command for _ in range(9) for command in client.say("input_audio_buffer.clear")]
    assert commands.count(ClearInput()) == 5
    assert isinstance(commands[-1], Close)


def test_halves_of_characters_come_out_whole() -> None:
    client = Client()
    client.session.receive_message(
        '{"type":"session.update","session":{"instructions":"\\ud83d and \\ud83d\\ude00"}}', 0
    )
    assert client.read()[-1]["session"]["instructions"] == "\ufffd and \U0001f600"


# -- sound in --------------------------------------------------------------------------------------------------------


def test_a_committed_buffer_becomes_a_message_and_then_words() -> None:
    client = Client()
    client.say("session.update", session={"audio": {"input": {"turn_detection": None, "transcription": {}}}})
    assert client.say("input_audio_buffer.append", audio=sound(300)) == [Hear(bytes(300 * 48), "audio/pcm")]
    client.read()
    (commit,) = client.say("input_audio_buffer.commit")
    assert isinstance(commit, Commit)
    committed, added, done = client.read()
    assert committed["previous_item_id"] is None
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert done["item"]["id"] == commit.item_id
    client.session.input.transcribing(commit.item_id, "Hello ")
    client.session.input.transcribed(commit.item_id, "Hello there.", seconds=0.3, language="en")
    delta, completed = client.read()
    assert delta["delta"] == "Hello "
    assert completed["usage"] == {"type": "duration", "seconds": 0.3}
    client.say("conversation.item.retrieve", item_id=commit.item_id)
    assert client.one("conversation.item.retrieved")["item"]["content"][0]["transcript"] == "Hello there."


def test_an_empty_commit_is_an_error_that_clients_know() -> None:
    client = Client()
    client.say("input_audio_buffer.append", audio=sound(50))
    assert client.say("input_audio_buffer.commit") == []
    assert client.read()[-1]["error"]["code"] == "input_audio_buffer_commit_empty"
    assert client.say("input_audio_buffer.clear") == [ClearInput()]
    assert client.kinds() == ["input_audio_buffer.cleared"]


def test_speech_is_told_with_the_id_of_the_message_it_becomes() -> None:
    client = Client()
    client.say("input_audio_buffer.append", audio=sound(2000))
    client.read()
    user = client.session.input
    announced = user.speech_started(412.3)
    user.speech_started(500)  # told once
    user.speech_stopped(1800)
    user.speech_stopped(1900)
    assert user.commit() == announced
    started, stopped, committed, added, _ = client.read()
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (412, 1800)
    assert {e["item_id"] for e in (started, stopped, committed)} == {added["item"]["id"]} == {announced}
    assert user.speech_started(2000) != announced


def test_a_commit_in_mid_speech_ends_the_speech() -> None:
    client = Client()
    client.say("input_audio_buffer.append", audio=sound(1000))
    client.session.input.speech_started(100)
    client.say("input_audio_buffer.commit")
    assert client.kinds()[1:4] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
    ]


def test_idleness_is_told_and_becomes_a_message() -> None:
    client = Client()
    client.session.input.idle(1000, 6000)
    assert client.kinds()[1:] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]


def test_words_that_failed_are_told() -> None:
    client = Client()
    client.say("session.update", session={"type": "transcription"})
    item_id = client.session.input.commit()
    client.session.input.transcription_failed(item_id, EngineError("broken"))
    assert client.one("conversation.item.input_audio_transcription.failed")["error"]["message"] == "broken"


@pytest.mark.parametrize(("name", "bytes_per_ms"), [("audio/pcm", 48), ("audio/pcmu", 8), ("audio/pcma", 8)])
def test_a_flood_of_sound_is_refused_and_slows_down_to_real_time(name: str, bytes_per_ms: int) -> None:
    client = Client(limits=Limits(audio_burst_s=1.0, audio_rate=2.0))
    client.say("session.update", session={"audio": {"input": {"format": {"type": name}}}})
    client.read()
    second = sound(1000, bytes_per_ms)
    assert len(client.say("input_audio_buffer.append", audio=second)) == 1
    assert client.say("input_audio_buffer.append", audio=second) == []
    assert client.one("error")["error"]["code"] == "rate_limit_exceeded"
    client.now += 0.5
    assert len(client.say("input_audio_buffer.append", audio=second)) == 1


def test_a_buffer_that_nobody_commits_is_full_one_day() -> None:
    client = Client(limits=Limits(max_waiting_s=2.0))
    client.say("session.update", session={"audio": {"input": {"turn_detection": None}}})
    client.say("input_audio_buffer.append", audio=sound(1500))
    assert client.say("input_audio_buffer.append", audio=sound(600)) == []
    assert client.read()[-1]["error"]["code"] == "input_audio_buffer_full"


# -- items -----------------------------------------------------------------------------------------------------------


def test_items_are_put_where_the_client_wants_them() -> None:
    client = Client()
    client.say("conversation.item.create", item=text_message("b", id="b"), previous_item_id="root")
    client.say("conversation.item.create", item=text_message("c", id="c"))
    client.say("conversation.item.create", item=text_message("a", id="a"), previous_item_id="root")
    client.say("conversation.item.create", item=text_message("bb", id="bb"), previous_item_id="b")
    before = {e["item"]["id"]: e["previous_item_id"] for e in client.read() if e["type"] == "conversation.item.added"}
    assert before == {"b": None, "c": "b", "a": None, "bb": "b"}
    assert [item.id for item in client.session.conversation] == ["a", "b", "bb", "c"]


def test_errors_of_items_have_the_codes_that_clients_look_for() -> None:
    client = Client()
    client.say("conversation.item.create", item=text_message("a", id="a"))
    client.read()
    client.say("conversation.item.create", item=text_message("a", id="a"))
    client.say("conversation.item.create", item=text_message("b"), previous_item_id="nowhere")
    client.say("conversation.item.retrieve", item_id="nowhere")
    client.say("conversation.item.delete", item_id="nowhere")
    client.say("conversation.item.truncate", item_id="nowhere", content_index=0, audio_end_ms=1)
    assert [event["error"]["code"] for event in client.read()] == [
        "item_create_duplicate_item_id",
        "item_create_invalid_previous_item_id",
        "item_retrieve_invalid_item_id",
        "item_delete_invalid_item_id",
        "item_truncate_invalid_item_id",
    ]


def test_a_deleted_item_is_gone() -> None:
    client = Client()
    client.say("conversation.item.create", item=text_message("a", id="a"))
    client.say("conversation.item.delete", item_id="a")
    assert client.kinds()[-1] == "conversation.item.deleted"
    assert len(client.session.conversation) == 0


def test_a_message_may_come_with_its_sound() -> None:
    client = Client()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(100)}]}
    (command,) = client.say("conversation.item.create", item=item)
    assert command == HearItem("item_1", 0, bytes(4800), "audio/pcm")
    assert "audio" not in client.read()[-1]["item"]["content"][0]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "a"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "a"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": "said"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
    ],
)
def test_every_kind_of_item_is_taken(item: dict[str, Any]) -> None:
    client = Client()
    client.say("conversation.item.create", item=item)
    assert client.kinds()[1:] == ["conversation.item.added", "conversation.item.done"]


def test_an_empty_id_is_none() -> None:
    client = Client()
    client.read()
    for _ in range(2):
        client.say("conversation.item.create", item={**text_message("Hello."), "id": ""}, previous_item_id="")
    added = [event for event in client.read() if event["type"] == "conversation.item.added"]
    assert added[0]["item"]["id"]
    assert added[1]["previous_item_id"] == added[0]["item"]["id"]


@pytest.mark.parametrize("arguments", [{}, [], 0, False])
def test_arguments_of_a_call_are_a_text(arguments: object) -> None:
    client = Client()
    client.say("conversation.item.create", item={"type": "function_call", "name": "f", "arguments": arguments})
    assert client.one("error")["error"]["param"] == "item.arguments"


def test_a_conversation_forgets_its_beginning_before_it_grows_without_end() -> None:
    client = Client(limits=Limits(max_events_per_s=5000))
    for _ in range(1100):
        client.say("conversation.item.create", item=text_message("word"))
    assert len(client.session.conversation) == 1000


# -- responses -------------------------------------------------------------------------------------------------------


def test_a_spoken_response_is_told_in_the_order_that_clients_rely_on() -> None:
    client = Client()
    client.read()
    response = response_of(client.say("response.create", response={"metadata": {"client_event_id": "m1"}}))
    response.say("Hello ")
    response.sound(bytes(4800))
    response.say("there.")
    response.sound(bytes(4800))
    response.finish("completed", usage=Usage(input_tokens=7, output_tokens=2))
    events = client.read()
    assert [event["type"] for event in events] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert events[0]["response"]["metadata"] == {"client_event_id": "m1"}
    done = events[-1]["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "Hello there."}]
    assert done["usage"]["total_tokens"] == 9
    assert done["metadata"] == {"client_event_id": "m1"}


def test_a_written_response_has_text_events_only() -> None:
    client = Client()
    response = response_of(client.say("response.create", response={"output_modalities": ["text"]}))
    response.say("Hello.")
    response.sound(bytes(100))  # nobody wants it
    response.finish()
    kinds = client.kinds()
    assert "response.output_text.delta" in kinds
    assert "response.output_text.done" in kinds
    assert not [kind for kind in kinds if "audio" in kind]


def test_a_function_call_is_an_item_of_its_own() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    response.say("One moment.")
    response.call("call_1", "set_timer", '{"minutes"')
    response.add_arguments(":5}")
    response.end_call()
    response.finish()
    events = client.read()
    done = events[-1]["response"]
    assert [item["type"] for item in done["output"]] == ["message", "function_call"]
    assert done["output"][1]["arguments"] == '{"minutes":5}'
    arguments = [e for e in events if e["type"] == "response.function_call_arguments.done"]
    assert [(e["name"], e["call_id"], e["output_index"]) for e in arguments] == [("set_timer", "call_1", 1)]
    client.say("conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "ok"})
    assert [item.type for item in client.session.conversation] == ["message", "function_call", "function_call_output"]


def test_only_one_response_answers_in_the_conversation() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    assert client.say("response.create") == []
    assert client.read()[-1]["error"]["code"] == "conversation_already_has_active_response"
    assert client.session.respond() is None
    response.finish()
    assert client.session.respond() is not None


def test_a_cancel_ends_the_response_at_once_and_its_unsent_sound_is_taken_back() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    response.say("Long ")
    client.read()
    response.sound(bytes(48000))
    assert client.say("response.cancel") == [Cancel(response)]
    kinds = client.kinds()
    assert "response.output_audio.delta" not in kinds
    assert kinds[-1] == "response.done"
    done = client.events[-1]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert done["output"][0]["status"] == "incomplete"
    response.say("more")
    response.sound(bytes(480))
    response.call("c", "f", "{}")
    response.finish()
    assert client.kinds() == []


def test_a_cancel_of_nothing_has_the_words_that_clients_look_for() -> None:
    client = Client()
    for fields in ({}, {"response_id": "resp_9"}):
        assert client.say("response.cancel", **fields) == []
        error = client.read()[-1]["error"]
        assert error["code"] == "response_cancel_not_active"
        assert error["message"] == "Cancellation failed: no active response found"


def test_an_interruption_ends_the_answer_as_turn_detected() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    assert client.session.responses.interrupt() is response
    details = client.read()[-1]["response"]["status_details"]
    assert details == {"type": "cancelled", "reason": "turn_detected"}
    assert client.session.responses.interrupt() is None


def test_a_failure_is_told_in_the_response() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    response.finish("failed", error=EngineError("the chat model is gone"))
    details = client.read()[-1]["response"]["status_details"]
    assert details["error"]["message"] == "the chat model is gone"


def test_an_answer_aside_leaves_the_conversation_alone() -> None:
    """Speech without a brain: the text to be spoken comes as input."""
    client = Client()
    client.say("conversation.item.create", item=text_message("before", id="first"))
    client.read()
    response = response_of(
        client.say(
            "response.create",
            response={
                "conversation": "none",
                "output_modalities": ["audio"],
                "input": [text_message("Good morning."), {"type": "item_reference", "id": "first"}],
            },
        )
    )
    assert response.options.input is not None
    assert [item.text for item in response.options.input] == ["Good morning.", "before"]
    response.say("Good morning.")
    response.sound(bytes(480))
    response.finish()
    assert not [kind for kind in client.kinds() if kind.startswith("conversation.")]
    assert [item.id for item in client.session.conversation] == ["first"]


def test_sound_in_the_input_of_a_response_is_refused_with_the_way_to_send_it() -> None:
    client = Client()
    spoken = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound(200)}]}
    assert client.say("response.create", response={"input": [text_message("x"), spoken]}) == []
    error = client.one("error")["error"]
    assert error["param"] == "response.input[1].content[0].audio"
    assert "item_reference" in error["message"]


def test_several_answers_aside_have_a_limit() -> None:
    client = Client(limits=Limits(max_responses=2))
    aside = {"conversation": "none", "input": [text_message("x")]}
    assert [len(client.say("response.create", response=aside)) for _ in range(3)] == [1, 1, 0]
    assert client.read()[-1]["error"]["code"] == "too_many_responses"


def test_long_sound_and_long_words_are_cut_into_small_events() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    response.say("word " * 5000)
    response.sound(bytes(1_000_001))
    response.finish()
    events = client.read()
    assert max(len(str(event)) for event in events if event["type"].endswith("delta")) < 60_000
    audio = b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta")
    assert len(audio) == 1_000_000  # the half sample at the end is nothing


def test_truncation_is_never_refused_and_keeps_the_heard_words() -> None:
    client = Client()
    response = response_of(client.say("response.create"))
    response.say("One two three.")
    response.finish()
    client.read()
    item_id = response.item_id
    assert item_id is not None
    for end_ms in (900, 10_000_000):
        assert client.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms) == [
            Truncate(item_id, end_ms / 1000)
        ]
        assert client.one("conversation.item.truncated")["audio_end_ms"] == end_ms
    client.session.heard(item_id, "One two")
    client.say("conversation.item.retrieve", item_id=item_id)
    content = client.one("conversation.item.retrieved")["item"]["content"]
    assert content == [{"type": "output_audio", "transcript": "One two"}]


def test_a_track_tells_when_it_sounds() -> None:
    client = Client()
    client.read()
    responses = client.session.responses
    responses.sounding("resp_1")
    responses.sound_stopped()
    responses.sound_stopped()
    responses.sounding("resp_2")
    assert client.say("output_audio_buffer.clear") == [ClearOutput()]
    assert client.kinds() == [f"output_audio_buffer.{what}" for what in ("started", "stopped", "started", "cleared")]


# -- transcription sessions ------------------------------------------------------------------------------------------


def test_a_transcription_session_has_words_and_no_responses() -> None:
    client = Client(SessionConfig(type="transcription"))
    assert client.one("session.created")["session"]["type"] == "transcription"
    client.say(
        "session.update",
        session={
            "type": "transcription",
            "audio": {"input": {"transcription": {"model": "gpt-transcribe", "languages": ["en"], "keywords": []}}},
        },
    )
    session = client.one("session.updated")["session"]
    assert "output" not in session["audio"]
    assert client.say("response.create") == []
    assert client.one("error")["error"]["code"] == "invalid_event"
    assert client.session.respond() is None


# -- events of our own -----------------------------------------------------------------------------------------------


def test_nothing_of_our_own_is_sent_unless_it_was_asked_for() -> None:
    client = Client()
    client.session.tell("words", words=[])
    client.say("session.update", session={"vivavoce": {"events": ["words"]}})
    client.session.tell("words", words=[])
    client.session.tell("metrics", turn_ms=1)
    assert client.kinds() == ["session.created", "session.updated", "vivavoce.words"]
