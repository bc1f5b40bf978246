"""The chat model of this machine: its thread, and the real one where it is installed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vivavoce.assistant.chat_model import ChatMessage, ChatOptions, ChatPiece, ChatUsage, TextDelta
from vivavoce.assistant.embedded_chat import EmbeddedChat
from vivavoce.engines import smollm
from vivavoce.errors import EngineError, HostedModelFailed

QUESTION = [ChatMessage("system", "Be kind."), ChatMessage("user", "Hello?")]


def chunk(content: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": finish}]}


class Scripted:
    """Answers with the same chunks; an exception among them is raised."""

    def __init__(self, chunks: Sequence[dict[str, Any] | Exception]) -> None:
        self.chunks = chunks
        self.asked: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.stopped = threading.Event()

    def answer(self, body: dict[str, Any], take: Callable[[dict[str, Any]], bool]) -> None:
        self.asked.append(body)
        self.threads.add(threading.current_thread().name)
        for each in self.chunks:
            if isinstance(each, Exception):
                raise each
            if take(each):
                self.stopped.set()
                return


async def ask(chat: EmbeddedChat, messages: Sequence[ChatMessage] = QUESTION) -> list[ChatPiece]:
    async with chat.reply(messages, ChatOptions()) as pieces:
        return [piece async for piece in pieces]


async def test_it_answers_from_its_own_thread() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    model = Scripted([chunk("Hel"), chunk("lo."), chunk(None, "stop"), usage])
    chat = EmbeddedChat(lambda: model, "demo")
    assert await ask(chat) == [TextDelta("Hel"), TextDelta("lo."), ChatUsage(5, 2)]
    assert model.threads == {"chat_0"}
    await chat.aclose()


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        ([chunk("Hel"), EngineError("broken")], EngineError),
        ([chunk("Hel")], HostedModelFailed),
        ([{"error": {"message": "too long"}}], HostedModelFailed),
    ],
)
async def test_what_fails_is_told_and_the_next_one_is_answered(
    chunks: list[dict[str, Any] | Exception], error: type[EngineError]
) -> None:
    model = Scripted(chunks)
    chat = EmbeddedChat(lambda: model, "demo")
    with pytest.raises(error):
        await ask(chat)
    model.chunks = [chunk("Yes.", "stop")]
    assert await ask(chat) == [TextDelta("Yes.")]
    await chat.aclose()


async def test_a_model_that_cannot_be_loaded_is_told() -> None:
    def load() -> Scripted:
        raise RuntimeError("no such file")

    chat = EmbeddedChat(load, "demo")
    with pytest.raises(EngineError, match="cannot be loaded: RuntimeError"):
        await ask(chat)
    await chat.aclose()


async def test_leaving_stops_the_model() -> None:
    model = Scripted([chunk("One "), *[chunk("more ")] * 100_000, chunk(None, "stop")])
    chat = EmbeddedChat(lambda: model, "demo")
    async with chat.reply(QUESTION, ChatOptions()) as pieces:
        assert await anext(pieces) == TextDelta("One ")
    assert model.stopped.is_set()
    await chat.aclose()


async def test_a_small_context_sees_the_latest_turns() -> None:
    model = Scripted([chunk("Yes.", "stop")])
    chat = EmbeddedChat(lambda: model, "demo")
    await ask(chat, [QUESTION[0], *[ChatMessage("user", f"{n} " + "x" * 998) for n in range(20)]])
    said = [message["content"][:4] for message in model.asked[0]["messages"]]
    assert said == ["Be k", "15 x", "16 x", "17 x", "18 x", "19 x"]
    await chat.aclose()


async def test_loading_it_shows_what_an_answer_costs() -> None:
    model, costs = Scripted([chunk("Hello there, you."), chunk(None, "stop")]), list[tuple[float, float]]()
    chat = EmbeddedChat(lambda: model, "demo", measured=lambda core_s, spoken_s: costs.append((core_s, spoken_s)))
    await chat.load()
    ((core_s, spoken_s),) = costs
    assert core_s >= 0.0
    assert spoken_s == pytest.approx(17 / 15)
    assert model.asked[0]["max_tokens"] == 24
    await chat.aclose()


async def test_an_answer_that_was_cut_off_says_nothing_of_costs() -> None:
    model, costs = Scripted([chunk("One "), *[chunk("more ")] * 100_000, chunk(None, "stop")]), list[float]()
    chat = EmbeddedChat(lambda: model, "demo", measured=lambda core_s, spoken_s: costs.append(core_s))
    async with chat.reply(QUESTION, ChatOptions()) as pieces:
        await anext(pieces)
    assert costs == []
    await chat.aclose()


@pytest.mark.skipif(not smollm.is_installed(), reason="needs the extra [chat] and its weights")
async def test_the_real_one_answers_offline() -> None:
    chat = EmbeddedChat(lambda: smollm.SmolLM(threads=1), smollm.NAME)
    await chat.load()
    question = ChatMessage("user", "What is the capital of France? Answer in one word.")
    for _ in range(2):
        pieces = await ask(chat, [question])
        words = "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
        assert "Paris" in words
        assert any(isinstance(piece, ChatUsage) for piece in pieces)
    await chat.aclose()
