"""What was said in a conversation, by whom, and how much of it was heard: a value, changed by making the next one.

The chat model is shown what the user has heard of an answer, with a mark where he interrupted it; what nobody heard
was not said.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from vivavoce.assistant.chat_model import ChatMessage, FunctionCall

INTERRUPTED: Final = " ... [interrupted by the user]"
_MOST_SHOWN: Final = 24_000  # characters: some 6,000 tokens; older turns are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message, function call, or what a function returned.

    Attributes:
        id: by which it is found again.
        role: who said it; "call" and "function" for a function's call and what it returned.
        text: all that was said or written.
        heard: of an answer that was interrupted: the beginning of `text` that was heard; None: all of it.
        call: of a "call".
        call_id: of a "function".
    """

    id: str
    role: Literal["system", "user", "assistant", "call", "function"]
    text: str = ""
    heard: str | None = None
    call: FunctionCall | None = None
    call_id: str = ""

    @property
    def shown(self) -> str:
        """What the chat model is shown of it; empty where nothing was heard."""
        if self.heard is None:
            return self.text
        return self.heard.rstrip() + INTERRUPTED if self.heard.strip() else ""


@dataclass(frozen=True, slots=True)
class History:
    """The entries of a conversation, oldest first; never changed, only replaced."""

    entries: tuple[Entry, ...] = ()

    def with_entry(self, entry: Entry) -> History:
        """The history with one more entry at its end."""
        return History((*self.entries, entry))

    def with_heard(self, entry_id: str, heard: str) -> History:
        """The answer of that id was heard only so far; it cannot have been heard farther than before.

        Args:
            heard: a beginning of the entry's text. All of it: it was not interrupted.
        """
        return History(tuple(_cut(each, heard) if each.id == entry_id else each for each in self.entries))

    def without(self, entry_id: str) -> History:
        """The same without an entry."""
        return History(tuple(each for each in self.entries if each.id != entry_id))

    def messages(self, instructions: str = "", most_characters: int = _MOST_SHOWN) -> list[ChatMessage]:
        """What the chat model is shown: the instructions, and the latest turns that fit.

        A function's result is never shown without its call, nor a call without its result: models refuse that.
        """
        kept: list[Entry] = []
        room = most_characters - len(instructions)
        for entry in reversed(self.entries):
            room -= _size(entry)
            if room < 0 and kept:
                break
            kept.append(entry)
        system = [ChatMessage("system", instructions)] if instructions else []
        return [*system, *_joined(reversed(kept))]


def _cut(entry: Entry, heard: str) -> Entry:
    if entry.role != "assistant" or not entry.text.startswith(heard):
        return entry
    if entry.heard is not None and len(entry.heard) <= len(heard):
        return entry
    return entry if heard == entry.text else dataclasses.replace(entry, heard=heard)


def _size(entry: Entry) -> int:
    return len(entry.text) + (len(entry.call.arguments) if entry.call is not None else 0)


def _joined(entries: Iterable[Entry]) -> list[ChatMessage]:
    """As messages: calls belong to the assistant's message before them, and what they returned stands right behind it,
    whatever was said meanwhile. What nobody heard is left out, and so is a call or a result without the other.
    """
    entries = list(entries)
    results: dict[str, ChatMessage] = {}
    for entry in entries:
        if entry.role == "function":
            results.setdefault(entry.call_id, ChatMessage("function", entry.text, call_id=entry.call_id))
    blocks: list[list[ChatMessage]] = []  # a message, and the results of its calls
    follows = False  # the assistant's last message may still take calls
    for entry in entries:
        if entry.call is not None and entry.call.call_id in results:
            if not follows:
                blocks.append([ChatMessage("assistant")])
            speaker, *returned = blocks[-1]
            speaker = dataclasses.replace(speaker, calls=(*speaker.calls, entry.call))
            blocks[-1] = [speaker, *returned, results.pop(entry.call.call_id)]
            follows = True
        elif entry.role in ("system", "user", "assistant") and entry.shown:
            blocks.append([ChatMessage(entry.role, entry.shown)])
            follows = entry.role == "assistant"
    return [message for block in blocks for message in block]
