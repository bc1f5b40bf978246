"""A response that is being made, or whose sound is still to be heard: the protocol's side of it and the spoken one.

Made by `realtime_session.py`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from vivavoce.assistant.reply import Outcome, Reply
from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.response import Response, Usage


@dataclass(slots=True, eq=False)
class RunningResponse:
    """One response.

    Attributes:
        response: what the client is told of it.
        reply: thinks and speaks it.
        task: runs the reply; None before it began.
    """

    response: Response
    reply: Reply
    task: asyncio.Task[None] | None = None

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
