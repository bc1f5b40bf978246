"""Where a reply's words come from besides a chat model: a text to be read out, a command that was said, an apology."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from vivavoce.assistant.chat_model import ChatPiece, FunctionCall, TextDelta
from vivavoce.assistant.reply import Think
from vivavoce.assistant.voice_commands import CommandCall
from vivavoce.text.language import detect_language

_SORRY: Final = {
    "en": "Sorry, I cannot think right now. Please try again.",
    "zh": "抱歉，我现在想不出来，请再试一次。",
    "ja": "すみません、今は考えがまとまりません。もう一度お試しください。",
    "ko": "죄송해요, 지금은 생각이 나지 않아요. 다시 한번 말씀해 주세요.",
}
_NO_BRAIN: Final = {
    "en": "I can hear you, but no chat model is set up here.",
    "zh": "我听得到你，但这里还没有设置聊天模型。",
    "ja": "聞こえていますが、チャットモデルが設定されていません。",
    "ko": "잘 들리지만, 설정된 대화 모델이 없어요.",
}
_READ_OUT: Final = re.compile(r"text[- ]to[- ]speech|\btts\b|read (?:it |this |the text )?(?:aloud|out)", re.IGNORECASE)


def verbatim(text: str) -> Think:
    """A `Think` that says this text as it is."""
    return _given([TextDelta(text)] if text else [])


def command(call: CommandCall, call_id: str) -> Think:
    """A command's confirmation, and its function."""
    said: list[ChatPiece] = [TextDelta(call.confirmation)] if call.confirmation else []
    return _given([*said, FunctionCall(call_id, call.function, call.arguments)])


def no_brain(said: str) -> Think:
    """That there is nobody to think, in the language of what was said."""
    return _given([TextDelta(_NO_BRAIN[detect_language(said)])])


def apology(said: str) -> str:
    """A sentence for the case that the words do not come, in the language of what was said."""
    return _SORRY[detect_language(said)]


def wants_reading(instructions: str) -> bool:
    """Whether instructions ask for a text to be spoken as it is: clients use chat protocols as plain text-to-speech."""
    return _READ_OUT.search(instructions) is not None


def _given(pieces: Iterable[ChatPiece]) -> Think:
    @asynccontextmanager
    async def think() -> AsyncIterator[AsyncIterator[ChatPiece]]:
        yield _each(pieces)

    return think


async def _each(pieces: Iterable[ChatPiece]) -> AsyncIterator[ChatPiece]:
    for piece in pieces:
        yield piece
