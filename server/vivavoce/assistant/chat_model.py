"""The border between a conversation and whatever finds the words of its answers: here, or on another machine.

A chat model gets the whole conversation each time and keeps nothing. Its answer comes in pieces, as it is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

ChatRole = Literal["system", "user", "assistant", "function"]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model wants a function to be called; what it returns comes back in a message of role "function".

    Attributes:
        arguments: JSON, as the model wrote it: it may not even be JSON.
    """

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation, as a chat model is shown it.

    Attributes:
        calls: of an assistant's message.
        call_id: of a function's: the call that it answers.
    """

    role: ChatRole
    text: str = ""
    calls: tuple[FunctionCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatFunction:
    """A function that may be called.

    Attributes:
        parameters: JSON schema of its arguments; None: it takes none.
    """

    name: str
    description: str = ""
    parameters: dict[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """How a chat model is to answer.

    Attributes:
        functions: that may be called.
        function_choice: whether they may, must not or must be; or the name of the one that must.
        max_tokens: of the answer; None: as many as the model likes.
    """

    functions: tuple[ChatFunction, ...] = ()
    function_choice: Literal["auto", "none", "required"] | str = "auto"
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's words; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Tokens, as far as the model counts them; comes last."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class CutShort:
    """The answer ends because it became too long."""


ChatPiece = TextDelta | FunctionCall | ChatUsage | CutShort


class ChatModel(Protocol):
    """Writes the answer to a conversation, piece by piece."""

    @property
    def name(self) -> str:
        """As it is told to people: which model, and what to expect of it."""
        ...

    def reply(
        self, messages: Sequence[ChatMessage], options: ChatOptions
    ) -> AbstractAsyncContextManager[AsyncIterator[ChatPiece]]:
        """The answer to a conversation; leaving the block stops it.

        Raises (in the block, or while it is iterated):
            EngineError: If there is no answer, or no more of it; a sentence says why.
        """
        ...

    async def aclose(self) -> None:
        """Free what it holds; answers under way may be cut off."""
        ...
