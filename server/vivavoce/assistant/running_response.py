"""A response that is being made, or whose sound is still to be heard: the protocol's side of it and the spoken one.

Made by `answers.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vivavoce.assistant.chat_model import ChatPiece
from vivavoce.assistant.reply import Outcome, Reply, Think
from vivavoce.assistant.thinking import Thinking
from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.response import Response, Usage


@dataclass(slots=True, eq=False)
class RunningResponse:
    """A response of the protocol and the reply that makes it.

    Attributes:
        response: what the client is told of it.
        reply: thinks and speaks it.
        think: finds its words.
        thinking: while and after it does; None before the reply began.
        task: runs the reply; None before it began.
    """

    response: Response
    think: Think
    reply: Reply
    thinking: Thinking | None = None
    task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def words(self) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """A `Think`: what nobody took yet of its words."""
        assert self.thinking is not None
        async with self.thinking.told() as pieces:
            yield pieces

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """The same for a reply that takes over: with it the thought ends."""
        try:
            async with self.words() as pieces:
                yield pieces
        finally:
            self.stop_thinking()

    def stop_thinking(self) -> None:
        """Nobody wants the rest of its words."""
        if self.thinking is not None:
            self.thinking.stop()

    @property
    def saying(self) -> str | None:
        """What is to be heard of it about now; None: nothing, not yet or not any more."""
        mouth = self.reply.mouth
        if mouth is None or not mouth.has_begun:
            return None
        return mouth.saying() if mouth.left_s > 0.0 or not self.response.is_done else None

    def finish(self, outcome: Outcome) -> VivaVoceError | None:
        """End the response as its reply ended.

        Returns:
            The error to tell the client beside it; None: there was none, or the client has heard the end already.
        """
        counted, response = outcome.usage, self.response
        usage = Usage(input_tokens=counted.input_tokens, output_tokens=counted.output_tokens) if counted else None
        if outcome.error is not None:
            untold = not response.is_done
            response.finish("failed", error=outcome.error, usage=usage)
            return outcome.error if untold else None
        if outcome.cut_short:
            response.finish("incomplete", reason="max_output_tokens", usage=usage)
        else:
            response.finish("completed", usage=usage)
        return None
