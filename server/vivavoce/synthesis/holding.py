"""What an utterance holds of the machine while it works: its voice in memory, and a place in the books.

Called by `utterance.py`, on the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

from vivavoce.machine.admission import Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.synthesis.costs import Spent
from vivavoce.synthesis.speaker import ResolvedVoice
from vivavoce.synthesis.voice_library import LoadedVoice, VoiceLibrary


class Holding:
    """The voice and the place of one utterance.

    Args:
        lent: place of the conversation it belongs to, which it does not give back; None: it gets one of its own.
        begun: it goes on with what is being heard already: its place is never refused.

    Attributes:
        loaded, place: None while it holds none.
    """

    def __init__(
        self,
        library: VoiceLibrary,
        admissions: Admissions,
        voice: ResolvedVoice,
        owner: str,
        *,
        live: bool,
        lent: Place | None,
        begun: bool,
    ) -> None:
        self.loaded: LoadedVoice | None = None
        self.place: Place | None = None
        self.lent = lent
        self._library, self._admissions = library, admissions
        self._voice, self._owner = voice, owner
        self._live, self._begun = live, begun
        self._in_memory, self._in_the_books = AsyncExitStack(), AsyncExitStack()

    async def take_voice(self) -> LoadedVoice:
        """The voice, in memory until everything is given back.

        Raises:
            VoiceUnavailable: If it cannot be loaded.
        """
        if self.loaded is None:
            self.loaded = await self._in_memory.enter_async_context(self._library.acquire(self._voice))
        return self.loaded

    async def take_place(self, *, again: bool = False) -> LoadedVoice:
        """Voice and place.

        Args:
            again: it is being heard and had one before.

        Raises:
            VoiceUnavailable: If the voice cannot be loaded.
            Overloaded, RateLimited, ShuttingDown: If there is no place for it.
        """
        loaded = await self.take_voice()
        place = self.lent
        if place is None:
            entered = self._admissions.enter(
                self._owner, [loaded.kind], live=self._live, begun=self._begun, again=again
            )
            place = await self._in_the_books.enter_async_context(entered)
        self.place = place
        return loaded

    def sounding(self, core_s: float, *, first: bool) -> None:
        """The listener has sound: those that would have come too late before may begin.

        Args:
            core_s: that it took.
            first: there was none before.
        """
        if self.place is not None and self.loaded is not None:
            if first:
                self.place.sounding(self.loaded.kind, core_s)
            else:
                self.place.sounding()

    def settle(self, costs: Sequence[Spent]) -> None:
        """Tell the books what sentences took."""
        if self.place is not None and self.loaded is not None:
            for cost in costs:
                self.place.measured(self.loaded.kind, cost.core_s, cost.sound_s)

    async def leave_place(self) -> None:
        """Give back the place, and keep the voice: a sentence in the making is made of it."""
        self.place = None
        left, self._in_the_books = self._in_the_books, AsyncExitStack()
        await left.aclose()

    async def give_back(self) -> None:
        """Give back everything."""
        await self.leave_place()
        self.loaded = None
        left, self._in_memory = self._in_memory, AsyncExitStack()
        await left.aclose()
