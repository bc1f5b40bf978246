"""An answer of a chat model while it is found: read as fast as it comes, and told to whoever takes it, from wherever.

What reads the model and what speaks its words part here, so that words may be sought before it is certain that they are
wanted, and kept when their reply was interrupted by a noise. Whoever began a thought stops it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from vivavoce.assistant.chat_model import ChatPiece
from vivavoce.assistant.reply import Think
from vivavoce.errors import EngineError, VivaVoceError

logger = logging.getLogger(__name__)


class Thinking:
    """One answer's words, read from its chat model as they are written.

    Args:
        think: begins it.
        group: parent of the task that reads it.

    Attributes:
        taken: pieces that somebody took.
    """

    def __init__(self, think: Think, group: asyncio.TaskGroup) -> None:
        self.taken = 0
        self._think = think
        self._group = group
        self._pieces: list[ChatPiece] = []  # bounded by what a chat model may write
        self._ended = False
        self._error: VivaVoceError | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Ask the model. Any number of times."""
        if self._task is None and not self._ended:
            self._task = self._group.create_task(self._read(), name="thinking")

    def stop(self) -> None:
        """Nobody wants to know the rest."""
        self._ended = True
        self._tell()
        if self._task is not None:
            self._task.cancel()

    @asynccontextmanager
    async def told(self) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """A `Think`: the pieces that nobody took yet, as they come.

        Raises (while it is iterated):
            VivaVoceError: If there are no more, for a reason.
        """
        self.begin()
        yield self._rest()

    async def overheard(self) -> AsyncIterator[ChatPiece]:
        """Every piece from the first on, taken or not, up to where it ends or fails."""
        place = 0
        while await self._reaches(place):
            place += 1
            yield self._pieces[place - 1]

    async def _rest(self) -> AsyncIterator[ChatPiece]:
        while await self._reaches(self.taken):
            self.taken += 1
            yield self._pieces[self.taken - 1]
        if self._error is not None:
            raise self._error

    async def _reaches(self, place: int) -> bool:
        """Whether there is a piece at this place, as soon as that is known."""
        while place >= len(self._pieces) and not self._ended:
            news = self._news
            await news.wait()
        return place < len(self._pieces)

    def _tell(self) -> None:
        """Wake everybody who waits for more."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _read(self) -> None:
        try:
            async with self._think() as pieces:
                async for piece in pieces:
                    self._pieces.append(piece)
                    self._tell()
        except VivaVoceError as error:
            self._error = error
        except Exception:
            logger.exception("thinking failed unexpectedly")
            self._error = EngineError("thinking failed; the server's log says why")
        finally:
            self._ended = True
            self._tell()


def after(said: Iterable[ChatPiece], rest: Think) -> Think:
    """First these pieces, then what follows."""

    @asynccontextmanager
    async def think() -> AsyncIterator[AsyncIterator[ChatPiece]]:
        async with rest() as pieces:
            yield _joined(said, pieces)

    return think


async def _joined(said: Iterable[ChatPiece], rest: AsyncIterator[ChatPiece]) -> AsyncIterator[ChatPiece]:
    for piece in said:
        yield piece
    async for piece in rest:
        yield piece
