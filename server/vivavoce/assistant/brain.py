"""Who answers: a voice command, a text to be read out, or the chat model with the conversation so far."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vivavoce.assistant import thoughts
from vivavoce.assistant.chat_model import ChatFunction, ChatModel, ChatOptions, FunctionCall
from vivavoce.assistant.history import Entry, History
from vivavoce.assistant.reply import Think
from vivavoce.assistant.spoken_items import SpokenItems
from vivavoce.assistant.voice_commands import VoiceCommands
from vivavoce.protocols.realtime.items import Item
from vivavoce.protocols.realtime.response import ResponseOptions
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.protocols.realtime.tools import NamedTool


@dataclass(frozen=True, slots=True, kw_only=True)
class Brain:
    """Where a conversation's words come from: a text to read out, a voice command, or a chat model.

    Attributes:
        chat: the chat model; None: texts are read out, commands understood, and nothing else.
        commands: understood before the chat model is asked; None: none are.
        reads: whether a session's `model` names something that reads out what it is given: a voice, or "tts".
        instructions: for the chat model, where the client gives none.
    """

    chat: ChatModel | None = None
    commands: VoiceCommands | None = None
    reads: Callable[[str], bool] = lambda model: False
    instructions: str = ""

    def think(self, session: RealtimeSession, options: ResponseOptions, spoken: SpokenItems) -> Think:
        """How to find the words of a response."""
        items = _asked(session, options)
        said = _last_said(items)
        if self._reads_out(session.config.model, options):
            return thoughts.verbatim(said)
        call = self.commands.match(said) if self.commands is not None and _asks(items, options) else None
        if call is not None:
            return thoughts.command(call, f"call_{secrets.token_hex(8)}")
        if self.chat is None:
            return thoughts.no_brain(said) if options.in_conversation else thoughts.verbatim(said)
        chat, instructions = self.chat, options.instructions or self.instructions
        messages = _history(items, spoken).messages(instructions)
        wishes = _options(options)
        return lambda: chat.reply(messages, wishes)

    @staticmethod
    def apology(session: RealtimeSession, options: ResponseOptions) -> str:
        """What to say where the words do not come."""
        return thoughts.apology(_last_said(_asked(session, options)))

    def _reads_out(self, model: str, options: ResponseOptions) -> bool:
        if self.reads(model):
            return True
        return (
            not options.in_conversation and options.input is not None and thoughts.wants_reading(options.instructions)
        )


def _asked(session: RealtimeSession, options: ResponseOptions) -> list[Item]:
    """What a response answers to."""
    if options.input is None:
        return list(session.conversation)
    now = {item_id: session.conversation.get(item_id) for item_id in options.referred}
    return [now.get(item.id) or item for item in options.input]


def _asks(items: Sequence[Item], options: ResponseOptions) -> bool:
    """Whether the last thing is something the user said: a command that was answered is not one again."""
    last = items[-1] if items else None
    return last is not None and last.role == "user" and last.type == "message" and options.tool_choice != "none"


def _last_said(items: Sequence[Item]) -> str:
    """The words of the user's last message."""
    said = (item.text for item in reversed(items) if item.type == "message" and item.role == "user")
    return next(said, "")


def _options(options: ResponseOptions) -> ChatOptions:
    choice = options.tool_choice
    return ChatOptions(
        functions=tuple(ChatFunction(tool.name, tool.description, tool.parameters) for tool in options.tools),
        function_choice=choice.name if isinstance(choice, NamedTool) else choice,
        max_tokens=options.max_output_tokens,
    )


def _history(items: Sequence[Item], spoken: SpokenItems) -> History:
    return History(tuple(_entry(item, spoken) for item in items))


def _entry(item: Item, spoken: SpokenItems) -> Entry:
    match item.type:
        case "function_call":
            call = FunctionCall(item.call_id, item.name, item.arguments)
            return Entry(id=item.id, role="call", call=call)
        case "function_call_output":
            return Entry(id=item.id, role="function", text=item.output, call_id=item.call_id)
        case _:
            whole = spoken.whole(item.id)
            heard = spoken.cut_of(item.id)
            return Entry(
                id=item.id, role=item.role, text=whole if heard is not None and whole else item.text, heard=heard
            )
