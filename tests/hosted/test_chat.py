"""Chat models elsewhere: whatever their servers do becomes pieces of an answer or an error of ours."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from chat_stand_in import DONE, USAGE, ChatStandIn, chunk, line
from vivavoce.assistant.chat_model import (
    ChatFunction,
    ChatMessage,
    ChatModel,
    ChatOptions,
    ChatPiece,
    ChatUsage,
    CutShort,
    FunctionCall,
    TextDelta,
)
from vivavoce.errors import ConfigError, HostedModelBusy, HostedModelFailed, HostedModelTimeout
from vivavoce.hosted.chat import ChatTimeouts, HostedChat

QUESTION = [ChatMessage("system", "Be kind."), ChatMessage("user", "Hello?")]


async def ask(
    parts: Sequence[bytes | float | Exception],
    status: int = 200,
    timeouts: ChatTimeouts | None = None,
    *,
    kind: str = "text/event-stream",
    messages: Sequence[ChatMessage] = QUESTION,
) -> list[ChatPiece]:
    stand_in = ChatStandIn(parts, status)
    stand_in.answers_with = {"content-type": kind}
    model = HostedChat("http://chat.test/v1", "tiny", "secret-key", transport=stand_in, timeouts=timeouts)
    try:
        async with model.reply(messages, ChatOptions()) as pieces:
            return [piece async for piece in pieces]
    finally:
        await model.aclose()
        assert stand_in.closed or (parts and isinstance(parts[0], httpx.ConnectError))


def test_nothing_is_left_to_be_imported_at_the_first_request() -> None:
    """httpcore imports `sniffio` in its calls; where it is missing each of them would search the disk for it."""
    script = "import sys, vivavoce.hosted.chat; sys.exit('sniffio' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


async def test_words_come_as_they_are_written() -> None:
    pieces = await ask([chunk("Hel"), chunk("lo."), chunk(finish="stop"), USAGE, DONE])
    assert pieces == [TextDelta("Hel"), TextDelta("lo."), ChatUsage(7, 3)]


async def test_how_the_bytes_were_cut_changes_nothing() -> None:
    whole = b"".join([b": a comment\r\n\r\n", chunk("Grüß "), chunk("Gott. 你好"), chunk(finish="stop"), DONE])
    expected = await ask([whole])
    assert expected == [TextDelta("Grüß "), TextDelta("Gott. 你好")]
    for size in (1, 2, 3, 7, 50):
        assert await ask([whole[at : at + size] for at in range(0, len(whole), size)]) == expected


async def test_characters_that_were_cut_in_half_are_whole_again() -> None:
    parts = [chunk("a \ud83d"), chunk("\ude00 b \ud83d"), chunk("c\ude00"), chunk("\ud83d"), chunk(finish="stop"), DONE]
    pieces = await ask(parts)
    assert pieces == [TextDelta("a "), TextDelta("\N{GRINNING FACE} b "), TextDelta("c")]
    call = {"id": "1", "function": {"name": "f", "arguments": '{"a": "\ud83d'}}
    rest = {"function": {"arguments": '\ude00\ud83d"}'}}
    called = await ask([chunk(tool_calls=[call]), chunk(tool_calls=[rest]), chunk(finish="tool_calls"), DONE])
    assert called == [FunctionCall("1", "f", '{"a": "\N{GRINNING FACE}"}')]


async def test_what_is_asked() -> None:
    stand_in = ChatStandIn([chunk("x", finish="stop")])
    model = HostedChat("http://chat.test/v1/", "tiny", "secret-key", transport=stand_in)
    messages = [
        *QUESTION,
        ChatMessage("assistant", "", (FunctionCall("c1", "set_timer", '{"minutes":5}'),)),
        ChatMessage("function", "done", call_id="c1"),
    ]
    tool = ChatFunction("set_timer", "Sets a timer.", {"type": "object"})
    async with model.reply(
        messages, ChatOptions(functions=(tool,), function_choice="set_timer", max_tokens=99)
    ) as all_:
        assert [piece async for piece in all_] == [TextDelta("x")]
    await model.aclose()
    (asked,) = stand_in.asked
    assert stand_in.urls == ["http://chat.test/v1/chat/completions"]
    assert stand_in.headers["authorization"] == "Bearer secret-key"
    assert asked["model"] == "tiny"
    assert [m["role"] for m in asked["messages"]] == ["system", "user", "assistant", "tool"]
    assert asked["messages"][2]["tool_calls"][0]["function"] == {"name": "set_timer", "arguments": '{"minutes":5}'}
    assert asked["messages"][3]["tool_call_id"] == "c1"
    assert asked["tools"][0]["function"]["name"] == "set_timer"
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "set_timer"}}
    assert (asked["stream"], asked["max_tokens"]) == (True, 99)


def call(index: int | None = None, **fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return {**({} if index is None else {"index": index}), **fields, "function": function}


async def test_function_calls_are_put_together() -> None:
    pieces = await ask(
        [
            chunk("One moment. "),
            chunk(tool_calls=[call(0, id="c1", name="set_timer", arguments="")]),
            chunk(tool_calls=[call(0, arguments='{"min')]),
            chunk(tool_calls=[call(1, id="c2", name="play_music")]),
            chunk(tool_calls=[call(0, arguments='utes":5}')]),
            chunk(finish="tool_calls"),
            DONE,
        ]
    )
    assert pieces == [
        TextDelta("One moment. "),
        FunctionCall("c1", "set_timer", '{"minutes":5}'),
        FunctionCall("c2", "play_music", "{}"),
    ]


async def test_a_call_without_an_id_or_an_index_gets_one() -> None:
    pieces = await ask([chunk(tool_calls=[call(name="f", arguments="{}")], finish="tool_calls")])
    assert pieces == [FunctionCall("call_0", "f", "{}")]


async def test_calls_with_one_id_get_their_own_and_arguments_may_be_an_object() -> None:
    calls = [call(n, id="c1", name="light", arguments={"on": True}) for n in range(3)]
    pieces = await ask([chunk(tool_calls=calls), chunk(finish="tool_calls"), DONE])
    assert pieces == [FunctionCall(id, "light", '{"on": true}') for id in ("c1", "c1_1", "c1_2")]


ONE_AFTER_THE_OTHER = {
    "each with the index 0": [call(0, id="c1", name="a", arguments="{}"), call(0, id="c2", name="b", arguments="{}")],
    "without an index": [call(id="c1", name="a", arguments="{}"), call(id="c2", name="b", arguments="{}")],
    "without an id": [call(0, name="a", arguments="{}"), call(0, name="b", arguments="{}")],
    "the second in pieces": [
        call(0, id="c1", name="a", arguments="{}"),
        call(0, id="c2", name="b", arguments=""),
        call(0, arguments="{}"),
    ],
}


@pytest.mark.parametrize("name", ONE_AFTER_THE_OTHER)
async def test_calls_that_follow_one_another_at_one_place_are_told_apart(name: str) -> None:
    pieces = await ask([*[chunk(tool_calls=[each]) for each in ONE_AFTER_THE_OTHER[name]], chunk(finish="tool_calls")])
    assert [(each.name, each.arguments) for each in pieces if isinstance(each, FunctionCall)] == [
        ("a", "{}"),
        ("b", "{}"),
    ]


@pytest.mark.parametrize("ids", [("c1", "c1", "c1", "c1"), ("c1", "c2", "c3", "c4"), ("", "", "", "")])
async def test_a_call_may_be_named_in_every_piece(ids: tuple[str, ...]) -> None:
    parts = ["", '{"a": {', "}", "}"]
    calls = [call(0, id=id, name="f", arguments=part) for id, part in zip(ids, parts, strict=True)]
    pieces = await ask([*[chunk(tool_calls=[each]) for each in calls], chunk(finish="tool_calls")])
    assert pieces == [FunctionCall(ids[0] or "call_0", "f", '{"a": {}}')]


async def test_done_is_reason_enough_to_have_stopped() -> None:
    assert await ask([chunk("Hello."), DONE]) == [TextDelta("Hello.")]
    calls = [call(0, id="c1", name="f", arguments="{}")]
    assert await ask([chunk(tool_calls=calls), DONE]) == [FunctionCall("c1", "f", "{}")]


async def test_what_an_event_stream_may_hold_besides_an_answer() -> None:
    whole = b"".join(
        [b"retry: 10\nevent: message\n", b"data:\n\n", chunk("Hello."), b"data: \n\n", chunk(finish="stop")]
    )
    for end in (b"\n", b"\r\n", b"\r"):
        assert await ask([whole.replace(b"\n", end)]) == [TextDelta("Hello.")]


async def test_an_answer_in_parts_is_its_texts() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    parts: Any = [thought, {"type": "text", "text": "Hello."}, {"type": "text"}, 7]
    assert await ask([chunk(parts), chunk(finish="stop")]) == [TextDelta("Hello.")]


async def test_another_answer_to_the_same_question_is_none() -> None:
    other = line({"choices": [{"index": 1, "delta": {"content": "Bye."}, "finish_reason": "stop"}]})
    assert await ask([other, chunk("Hello."), other, chunk(finish="stop")]) == [TextDelta("Hello.")]


@pytest.mark.parametrize("counts", [(-1, 3), (True, 3), (7, None), ("7", 3)])
async def test_tokens_that_are_no_counts_are_not_told(counts: tuple[Any, Any]) -> None:
    usage = line({"choices": [], "usage": {"prompt_tokens": counts[0], "completion_tokens": counts[1]}})
    assert await ask([chunk("Hello."), chunk(finish="stop"), usage, DONE]) == [TextDelta("Hello.")]


async def test_a_web_page_is_named_as_one() -> None:
    with pytest.raises(HostedModelFailed, match="web page"):
        await ask([b"<html>Sign in</html>"], kind="text/html; charset=utf-8")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_a_server_that_does_not_stream_is_understood(kind: str) -> None:
    message = {"role": "assistant", "content": "It is noon.", "tool_calls": [call(id="c1", name="f", arguments="{}")]}
    body = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}, indent=2).encode()
    parts = [body[:20], body[20:]]
    assert await ask(parts, kind=kind) == [TextDelta("It is noon."), FunctionCall("c1", "f", "{}")]
    with pytest.raises(HostedModelFailed, match="cut off"):
        await ask([b"{}"], kind=kind)
    with pytest.raises(HostedModelFailed, match="too long"):
        await ask([b" " * 600_000] * 2, kind=kind)


async def test_a_byte_order_mark_is_passed_over() -> None:
    assert await ask([b"\xef\xbb\xbf" + chunk("Hello.", finish="stop")]) == [TextDelta("Hello.")]


SILENT = {
    "no words": [chunk(""), chunk("", finish="stop"), DONE],
    "a role": [chunk(role="assistant"), chunk(finish="stop"), DONE],
    "no delta": [line({"choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]}), DONE],
    "thoughts": [chunk("<think>Hm.</think>\n\n"), chunk(finish="stop"), DONE],
}


@pytest.mark.parametrize("name", SILENT)
async def test_an_answer_without_a_word_is_none_but_after_a_function(name: str) -> None:
    with pytest.raises(HostedModelFailed, match="answered nothing"):
        await ask(SILENT[name])
    after = [*QUESTION, ChatMessage("function", "done", call_id="c1")]
    assert [piece for piece in await ask(SILENT[name], messages=after) if piece != TextDelta("\n\n")] == []


async def test_an_answer_that_became_too_long_is_told() -> None:
    assert await ask([chunk("On and on"), chunk(finish="length")]) == [TextDelta("On and on"), CutShort()]


@pytest.mark.parametrize(
    "pieces",
    [["<think>H</think>\n\nHello."], ["<thi", "nk>", "Hm", "</th", "ink>", "Hello."], list("<think>x</think>Hello.")],
)  # fmt: skip
async def test_thoughts_are_not_spoken(pieces: list[str]) -> None:
    answer = await ask([*[chunk(piece) for piece in pieces], chunk(finish="stop")])
    assert "".join(piece.text for piece in answer if isinstance(piece, TextDelta)).strip() == "Hello."


@pytest.mark.parametrize("text", ["<b>bold</b>", "<", "<th", "a <think>b</think>"])
async def test_what_only_looks_like_thoughts_is(text: str) -> None:
    answer = await ask([*[chunk(char) for char in text], chunk(finish="stop")])
    assert "".join(piece.text for piece in answer if isinstance(piece, TextDelta)) == text


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "status", "error", "sentence"),
    [
        ([httpx.ConnectError("refused")], 200, HostedModelFailed, "cannot be reached"),
        ([httpx.ConnectTimeout("slow")], 200, HostedModelTimeout, "too long"),
        ([b'{"error":{"message":"no such model"}}'], 404, HostedModelFailed, "no such model"),
        ([b'{"error":"bad key secret-key"}'], 401, HostedModelFailed, r"bad key \*\*\*"),
        ([b"busy"], 429, HostedModelBusy, "429"),
        ([b"x" * 1_000_000], 500, HostedModelFailed, "500"),
        ([b""], 302, HostedModelFailed, "302"),
        ([], 200, HostedModelFailed, "cut off"),
        ([chunk("Hel")], 200, HostedModelFailed, "cut off"),
        ([DONE], 200, HostedModelFailed, "answered nothing"),
        ([chunk("Hel"), httpx.ReadError("reset")], 200, HostedModelFailed, "broke"),
        ([chunk("Hel"), httpx.RemoteProtocolError("bad")], 200, HostedModelFailed, "broke"),
        ([line({"error": {"message": "out of memory"}})], 200, HostedModelFailed, "out of memory"),
        ([chunk("Hel"), line({"object": "error", "message": "out"})], 200, HostedModelFailed, "failed: out"),
        ([chunk("Hel"), line({"error": {"message": "bad key secret-key"}})], 200, HostedModelFailed, r"bad key \*\*\*"),
        ([b"data: {nonsense\n\n"], 200, HostedModelFailed, "not JSON"),
        ([b"data: 7\n\n"], 200, HostedModelFailed, "not a chunk"),
        ([line({"choices": "many"})], 200, HostedModelFailed, "choices"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], 200, HostedModelFailed, "not JSON"),
        ([b"data: " + b"x" * 100_000] * 20, 200, HostedModelFailed, "without an end"),
        ([b"<html>A page</html>"], 200, HostedModelFailed, "cut off"),
        ([chunk("x" * 50_000)] * 5, 200, HostedModelFailed, "does not stop"),
        ([chunk("\u597d" * 50_000)] * 3, 200, HostedModelFailed, "too long"),
        (
            [chunk(tool_calls=[call(n, name="f", arguments='"' * 60_000)]) for n in range(5)],
            200,
            HostedModelFailed,
            "too",
        ),
        ([chunk(tool_calls=[call(n, name="f") for n in range(20)], finish="stop")], 200, HostedModelFailed, "too many"),
        ([chunk(tool_calls=[call(0, name="f", arguments="x" * 70_000)])], 200, HostedModelFailed, "too long"),
        ([chunk(tool_calls=["f"])], 200, HostedModelFailed, "none"),
        ([chunk(tool_calls=[call(0, arguments="{}")], finish="stop")], 200, HostedModelFailed, "without a name"),
    ],
)
async def test_every_fault_is_an_error_of_ours(
    parts: list[Any], status: int, error: type[HostedModelFailed], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        await ask(parts, status)
    assert "secret-key" not in raised.value.message
    assert "chat.test" not in raised.value.message


@pytest.mark.parametrize("parts", [[60.0], [chunk("Hel"), 60.0]])
async def test_a_model_that_stalls_is_given_up(parts: list[Any]) -> None:
    with pytest.raises(HostedModelTimeout):
        await ask(parts, timeouts=ChatTimeouts(begin_s=0.02, between_s=0.02))


async def test_a_model_that_never_comes_to_an_end_is_given_up() -> None:
    with pytest.raises(HostedModelTimeout):
        await ask([chunk("x"), 0.01] * 1000, timeouts=ChatTimeouts(whole_s=0.05))


async def test_leaving_hangs_up() -> None:
    stand_in = ChatStandIn([chunk("One. "), 60.0])
    model = HostedChat("http://chat.test/v1", "tiny", transport=stand_in)
    async with model.reply(QUESTION, ChatOptions()) as pieces:
        assert await anext(pieces) == TextDelta("One. ")
    assert stand_in.closed == 1
    stand_in.was_asked.clear()
    task = asyncio.create_task(_read_all(model))
    await stand_in.was_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stand_in.closed == 2
    await model.aclose()


async def test_what_the_caller_raises_is_left_alone() -> None:
    model = HostedChat("http://chat.test/v1", "tiny", transport=ChatStandIn([chunk("x", finish="stop")]))
    with pytest.raises(TimeoutError, match="mine"):
        async with model.reply(QUESTION, ChatOptions()):
            raise TimeoutError("mine")
    await model.aclose()


@pytest.mark.parametrize("url", ["", "chat", "ftp://chat.test/v1", "http://"])
def test_what_is_no_address_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(ConfigError):
        HostedChat(url, "tiny")


async def test_the_name_tells_the_model_and_its_place_but_no_secret() -> None:
    model: ChatModel = HostedChat("http://user:password@chat.test:8080/v1", "tiny", "secret-key")
    assert model.name == "tiny at chat.test:8080"


async def _read_all(model: HostedChat) -> None:
    async with model.reply(QUESTION, ChatOptions()) as pieces:
        async for _ in pieces:
            pass
