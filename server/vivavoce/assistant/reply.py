"""One reply: a chat model's words become speech while they are written, its calls become the client's.

A reply is a task group: one part reads the model, one speaks. Whatever fails is spoken in a sentence, so that nobody
waits in silence, and told to the caller. Cancelling the task stops the model and the speech; `stop` silences what is
still to be heard, in the same tick.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

from vivavoce.assistant.chat_model import ChatPiece, ChatUsage, CutShort, FunctionCall, TextDelta
from vivavoce.assistant.mouth import Mouth, Told
from vivavoce.errors import EngineError, VivaVoceError

logger = logging.getLogger(__name__)

_STALL_S: Final = 0.25  # without a word of the model ...
_NEARLY_DRY_S: Final = 0.3  # ... and with so little sound left: speak what is there

Think = Callable[[], AbstractAsyncContextManager[AsyncIterator[ChatPiece]]]  # begins to think of the words


class ReplyTold(Told, Protocol):
    """Whoever tells the client what a reply says and calls."""

    def call(self, call_id: str, name: str, arguments: str = "") -> None:
        """A function is to be called."""
        ...

    def end_call(self) -> None:
        """All arguments of the function call were told."""
        ...


@dataclass(slots=True)
class Outcome:
    """How a reply ended: its usage, and the error that broke it off, if one did.

    Attributes:
        error: why it is not whole; None where it is.
        usage: tokens, where the model counts them.
        cut_short: the model was made to stop.
        calls: functions that it calls.
    """

    error: VivaVoceError | None = None
    usage: ChatUsage | None = None
    cut_short: bool = False
    calls: list[FunctionCall] = field(default_factory=list)


class Reply:
    """One answer in the making: its words are thought, told to the client and spoken.

    Args:
        think: finds the words.
        told: tells the client of them.
        mouth: speaks them; None: they are only written.
        goes_out: called whenever something was told.
        apology: what is spoken where the words do not come.
    """

    def __init__(
        self,
        think: Think,
        told: ReplyTold,
        mouth: Mouth | None,
        goes_out: Callable[[], None],
        *,
        apology: Callable[[], str],
    ) -> None:
        self.mouth = mouth
        self.outcome = Outcome()
        self._think = think
        self._told = told
        self._goes_out = goes_out
        self._apology = apology
        self._written = False
        self._thought = False  # to the end
        self._speaking: asyncio.Task[None] | None = None

    async def run(self) -> Outcome:
        """Think and speak; never raises but for cancellation."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._read(group)
        except* VivaVoceError as errors:
            self.outcome.error = self.outcome.error or _first(errors)
        except* Exception:
            logger.exception("a reply failed unexpectedly")
            self.outcome.error = EngineError("the reply failed; the server's log says why")
        self._tell_calls()
        return self.outcome

    def stop(self) -> None:
        """Be silent now; the task is to be cancelled as well.

        Speaking is cancelled here, and not through its group: a tick later it could have written more sound.
        """
        if self._speaking is not None:
            self._speaking.cancel()
        if self.mouth is not None:
            self.mouth.stop()

    async def _read(self, group: asyncio.TaskGroup) -> None:
        try:
            async with self._think() as pieces:
                async for piece in self._patiently(pieces):
                    self._take(piece, group)
            self._thought = True
        except VivaVoceError as error:
            self.outcome.error = error
            logger.info("a reply has no words", extra={"code": error.code})
            self._say(f" {self._apology()}" if self._written else self._apology(), group)
        if self.mouth is not None:
            self.mouth.end()

    def _take(self, piece: ChatPiece, group: asyncio.TaskGroup) -> None:
        match piece:
            case TextDelta(text):
                self._say(text, group)
            case FunctionCall():
                self.outcome.calls.append(piece)
            case ChatUsage():
                self.outcome.usage = piece
            case CutShort():
                self.outcome.cut_short = True

    def _say(self, text: str, group: asyncio.TaskGroup) -> None:
        if self.mouth is None:
            self._told.say(text)
            self._goes_out()
        else:
            if not self._written:
                self._speaking = group.create_task(self.mouth.speak(), name="reply-speech")
            self.mouth.write(text)
        self._written = True

    async def _patiently(self, pieces: AsyncIterator[ChatPiece]) -> AsyncIterator[ChatPiece]:
        """The pieces; where they stall and the sound runs out, what is there is spoken."""
        while True:
            coming = asyncio.ensure_future(anext(pieces, None))
            try:
                while not (await asyncio.wait([coming], timeout=_STALL_S))[0]:
                    if self.mouth is not None and self._written and self.mouth.left_s < _NEARLY_DRY_S:
                        self.mouth.flush()
                piece = coming.result()
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
            if piece is None:
                return
            yield piece

    def _tell_calls(self) -> None:
        """What is to be done is done, though it could not be said aloud."""
        for call in self.outcome.calls if self._thought else ():
            self._told.call(call.call_id, call.name, call.arguments)
            self._told.end_call()
        self._goes_out()


def _first(errors: BaseExceptionGroup[VivaVoceError]) -> VivaVoceError:
    """One of them; the others came from the same cause."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
