"""Room on the machine for one conversation: taken when it first speaks or listens, given back when it has rested.

A conversation enters once, with everything it will compute: its voice, its recognizer, the detector of speech, its chat
model. While it holds its place nothing of it is refused. What only waits for its client holds nothing: after a rest the
place is given back, and taken again with the next word. Knows no protocol; called by the conversation and its ear.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Final

from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Kind, Place
from vivavoce.machine.admission_queue import Admissions

REST_S: Final = 30.0  # nobody says a word for this long: the dialogue has paused, and others may have the room
_LOOK_S: Final = 1.0


class ConversationPlace:
    """The room that one conversation has in the machine's admission, held while somebody speaks.

    Args:
        admissions: of the machine.
        owner: whose conversation it is.
        kinds: what it will compute, asked for each time it enters; empty: nothing on this machine.
        now: a clock in seconds that does not go back.

        unread_s: how long a client may take nothing of what is said to it before others may have the room.

    Attributes:
        refused: why it was not let in, the last time it asked.
    """

    def __init__(
        self,
        admissions: Admissions,
        owner: str,
        kinds: Callable[[], Awaitable[Sequence[Kind]]],
        *,
        unread_s: float = 2.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused: VivaVoceError | None = None
        self.unread_s = unread_s
        self._admissions = admissions
        self._owner = owner
        self._kinds = kinds
        self._now = now
        self._held: Place | None = None
        self._entered = AsyncExitStack()
        self._one_at_a_time = asyncio.Lock()
        self._was_left = False
        self._workers = 0
        self._used_s = now()

    @property
    def is_held(self) -> bool:
        """Whether there is room for it now."""
        return self._held is not None

    @property
    def may_hurry(self) -> bool:
        """Whether work may begin that might be thrown away: nobody waits for the machine, and it keeps up."""
        return self._held is not None and self._admissions.has_room

    async def take(self) -> Place:
        """Its room; held from now on.

        Raises:
            Overloaded, RateLimited, ShuttingDown: If there is none: before its first word, or after a rest.
        """
        async with self._one_at_a_time:
            self._used_s = self._now()
            if self._held is None:
                try:
                    entered = self._admissions.enter(self._owner, await self._kinds(), again=self._was_left)
                    self._held = await self._entered.enter_async_context(entered)
                except VivaVoceError as error:
                    self.refused = error
                    raise
                self.refused, self._was_left = None, False
            return self._held

    async def leave(self) -> None:
        """Give it back whoever works: the client takes nothing of what is said to it. The next `take` goes on."""
        async with self._one_at_a_time:
            if self._held is not None:
                self._was_left = True
                await self._leave()

    def touch(self) -> None:
        """Note that somebody speaks: the time of rest begins anew."""
        self._used_s = self._now()

    @contextmanager
    def working(self) -> Iterator[None]:
        """It does not rest in this block."""
        self._workers += 1
        try:
            yield
        finally:
            self._workers -= 1
            self.touch()

    async def rest(self) -> None:
        """Give it back if nothing was said for long."""
        if self._held is not None and not self._workers and self._now() - self._used_s >= REST_S:
            async with self._one_at_a_time:
                await self._leave()

    async def run(self) -> None:
        """Look after it until cancelled; then it is given back."""
        try:
            while True:
                await asyncio.sleep(_LOOK_S)
                await self.rest()
        finally:
            await self._leave()

    async def _leave(self) -> None:
        self._held = None
        await self._entered.aclose()
