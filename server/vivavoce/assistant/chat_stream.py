"""The streamed answer of an OpenAI-compatible chat model, chunk by chunk, and the request for it. Pure.

Servers differ in what they leave out: `[DONE]` or the reason why they stop, ids of calls, indexes, usage. What is taken
here is what at least one of them sends; anything else is refused as nonsense, in a sentence without its words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vivavoce.assistant.chat_model import (
    ChatFunction,
    ChatMessage,
    ChatOptions,
    ChatPiece,
    ChatUsage,
    CutShort,
    FunctionCall,
    TextDelta,
)
from vivavoce.errors import HostedModelFailed

MOST_TEXT: Final = 200_000  # characters of an answer
MOST_ARGUMENTS: Final = 64_000
MOST_CALLS: Final = 16
MOST_BYTES: Final = 400_000  # of words and arguments in JSON: an answer is told whole in one message, which has a limit
_THOUGHT: Final = ("<think>", "</think>")


def request_body(model: str, messages: Sequence[ChatMessage], options: ChatOptions) -> dict[str, Any]:
    """The JSON body that asks an OpenAI-compatible server for an answer."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(each) for each in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.max_tokens is not None:
        body["max_tokens"] = options.max_tokens
    if options.functions:
        body["tools"] = [_function(each) for each in options.functions]
        choice = options.function_choice
        named = {"type": "function", "function": {"name": choice}}
        body["tool_choice"] = choice if choice in ("auto", "none", "required") else named
    return body


class ChatStream:
    """Turns the chunks of one answer into pieces. Thoughts that a model writes before its answer are left out.

    Args:
        may_be_silent: an answer without a word is one.
        secret: never repeated, should an error quote it; None: there is none.
    """

    def __init__(self, *, may_be_silent: bool = False, secret: str | None = None) -> None:
        self._is_silent = not may_be_silent  # so far
        self._secret = secret
        self._calls: list[_Call] = []
        self._places: dict[int, _Call] = {}  # the latest call at each index
        self._length = 0
        self._bytes = 0
        self._finished = False
        self._halves = _Halves()
        self._thoughts = _Thoughts()

    @property
    def finished(self) -> bool:
        """The model has said that it is done."""
        return self._finished

    def feed(self, chunk: object) -> list[ChatPiece]:
        """The pieces in one chunk, decoded from JSON.

        Raises:
            HostedModelFailed: If it is an error, or nothing that such a server should send.
        """
        if not isinstance(chunk, dict):
            raise HostedModelFailed("the chat model sent something that is not a chunk of an answer")
        error = chunk.get("error") or (chunk if chunk.get("object") == "error" else None)
        if error:
            raise HostedModelFailed(f"the chat model failed: {_sentence(error, self._secret)}")
        choices = chunk.get("choices")
        pieces: list[ChatPiece] = []
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            pieces = self._choice(choices[0])
        elif choices is not None and choices != []:
            raise HostedModelFailed("the chat model sent choices that are none")
        usage = chunk.get("usage")
        return [*pieces, *_usage(usage)] if isinstance(usage, dict) else pieces

    def end(self, *, said_done: bool = False) -> list[ChatPiece]:
        """The stream is over: check that the answer was whole.

        Args:
            said_done: the server has written `[DONE]`; some give no other reason.

        Raises:
            HostedModelFailed: If the model was not done, or has said nothing.
        """
        if not self._finished and not said_done:
            raise HostedModelFailed("the chat model's answer was cut off")
        pieces = self._words(self._thoughts.flush()) if self._finished else self._finish()
        if self._is_silent:
            raise HostedModelFailed("the chat model answered nothing")
        return pieces

    def _choice(self, choice: dict[str, Any]) -> list[ChatPiece]:
        if choice.get("index"):
            return []  # another answer to the same question
        delta = choice.get("delta", choice.get("message"))  # of a server that does not stream: all of it
        delta = delta if isinstance(delta, dict) else {}
        content = _written(delta.get("content"))
        pieces = self._words(self._thoughts.feed(self._halves.feed(content))) if content else []
        calls = delta.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else []):
            self._call(call, position)
        reason = choice.get("finish_reason")
        if not reason or self._finished:
            return pieces
        pieces += self._finish()
        if reason == "length":
            self._is_silent = False
            pieces.append(CutShort())
        return pieces

    def _finish(self) -> list[ChatPiece]:
        """The model is done: what was held back, and its calls."""
        self._finished = True
        pieces = [*self._words(self._thoughts.flush()), *self._whole_calls()]
        self._is_silent = self._is_silent and not self._calls
        return pieces

    def _whole_calls(self) -> list[FunctionCall]:
        """Each with an id of its own: what a client answers is told apart by it."""
        ids = set[str]()
        calls = []
        for number, each in enumerate(self._calls):
            call = each.whole(number)
            calls.append(call if call.call_id not in ids else replace(call, call_id=f"{call.call_id}_{number}"))
            ids.add(calls[-1].call_id)
        return calls

    def _words(self, text: str) -> list[ChatPiece]:
        self._length += len(text)
        self._count(text)
        if self._length > MOST_TEXT:
            raise HostedModelFailed("the chat model does not stop")
        self._is_silent = self._is_silent and not text.strip()
        return [TextDelta(text)] if text else []

    def _call(self, delta: object, position: int) -> None:
        """Collect a function call: its name comes first, its arguments in pieces."""
        if not isinstance(delta, dict):
            raise HostedModelFailed("the chat model sent a function call that is none")
        index = delta.get("index", position)
        index = index if isinstance(index, int) else position
        function = delta.get("function")
        function = function if isinstance(function, dict) else {}
        given = function.get("arguments")
        call_id, name = _text(delta.get("id")), _text(function.get("name"))
        arguments = json.dumps(given) if isinstance(given, dict) else _text(given)
        call = self._places.get(index)
        if call is None or call.is_followed_by(call_id, name, arguments):
            call = self._places[index] = _Call()
            self._calls.append(call)
            if len(self._calls) > MOST_CALLS:
                raise HostedModelFailed("the chat model calls too many functions at once")
        call.call_id = call.call_id or call_id
        call.name = call.name or name
        call.arguments.append(arguments)
        call.length += len(arguments)
        self._count(arguments)
        if call.length > MOST_ARGUMENTS:
            raise HostedModelFailed("the arguments of a function call are too long")

    def _count(self, text: str) -> None:
        self._bytes += len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if self._bytes > MOST_BYTES:
            raise HostedModelFailed("the chat model's answer is too long")


@dataclass(slots=True)
class _Call:
    """A function call in the making."""

    call_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    length: int = 0  # characters of the arguments

    def is_followed_by(self, call_id: str, name: str, arguments: str) -> bool:
        """Whether a piece at the same index begins another call: some servers count none of them, or give all the
        index 0. Others repeat a call's name in every piece, some even under another id: but before its arguments are
        whole.
        """
        is_same = call_id == self.call_id if call_id else not arguments
        return bool(name) and not is_same and self._is_whole

    @property
    def _is_whole(self) -> bool:
        if not self.arguments or not self.arguments[-1].rstrip().endswith("}"):
            return False
        try:
            json.loads("".join(self.arguments))
        except (ValueError, RecursionError):
            return False
        return True

    def whole(self, number: int) -> FunctionCall:
        if not self.name:
            raise HostedModelFailed("the chat model calls a function without a name")
        return FunctionCall(self.call_id or f"call_{number}", self.name, _characters("".join(self.arguments)) or "{}")


class _Halves:
    """Joins characters that were cut between two pieces of JSON, as servers that count in UTF-16 do."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The text with whole characters only; a first half at its end waits for the second."""
        text = self._held + text
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return _characters(text[: len(text) - len(self._held)])


def _characters(text: str) -> str:
    """The text with both halves of a character as one, and without a half that is alone: it could not be sent on."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


class _Thoughts:
    """Drops `<think>...</think>` at the beginning of an answer, however it is cut; nobody wants to hear it."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"  # before, inside, after

    def feed(self, text: str) -> str:
        if self._state == "after":
            return text
        self._held += text
        opening, closing = _THOUGHT
        if self._state == "before":
            begin = self._held.lstrip()
            if opening.startswith(begin[: len(opening)]) and len(begin) < len(opening):
                return ""
            if not begin.startswith(opening):
                self._state = "after"
                return self.flush()
            self._state, self._held = "inside", begin[len(opening) :]
        end = self._held.find(closing)
        if end < 0:
            self._held = self._held[-len(closing) :]
            return ""
        self._state = "after"
        rest, self._held = self._held[end + len(closing) :].lstrip(), ""
        return rest

    def flush(self) -> str:
        text, self._held = self._held if self._state != "inside" else "", ""
        return text


def _message(message: ChatMessage) -> dict[str, Any]:
    if message.role == "function":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    if not message.calls:
        return {"role": message.role, "content": message.text}
    calls = [
        {"id": c.call_id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
        for c in message.calls
    ]
    return {"role": message.role, "content": message.text or None, "tool_calls": calls}


def _function(function: ChatFunction) -> dict[str, Any]:
    schema = function.parameters or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": function.name, "description": function.description, "parameters": schema},
    }


def _usage(usage: dict[str, Any]) -> list[ChatPiece]:
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    known = [count for count in counts if isinstance(count, int) and not isinstance(count, bool) and count >= 0]
    return [ChatUsage(*known)] if len(known) == len(counts) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _written(content: object) -> str:
    """The words of a delta's content: a text, or parts, of which those that are texts count."""
    if not isinstance(content, list):
        return _text(content)
    return "".join(_text(part.get("text")) for part in content if isinstance(part, dict) and part.get("type") == "text")


def _sentence(error: object, secret: str | None) -> str:
    """What an error object says, short and plain."""
    said = error.get("message") if isinstance(error, dict) else error
    text = said if isinstance(said, str) else "it gave no reason"
    text = text.replace(secret, "***") if secret else text
    return "".join(c if c.isprintable() else " " for c in text[:300]).strip()
