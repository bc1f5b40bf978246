"""Every utterance whose block is open, and what becomes of those that their readers have left lying.

What waits for its client computes nothing and holds no place on the machine, but it holds sound that was made: so only
so many of them are kept, and where there are more, the owner with most of them loses the one that lies longest.
Kept by `synthesizer.py`; on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from vivavoce.errors import ClientTooSlow
from vivavoce.synthesis.utterance import Utterance


class OpenUtterances:
    """The open utterances of one synthesizer.

    Args:
        most_left: that may lie unread at once; each holds a few seconds of sound, and its text: a megabyte or two.
    """

    def __init__(self, most_left: int) -> None:
        self._most_left = most_left
        self._open: dict[Utterance, None] = {}
        self._left: dict[Utterance, None] = {}  # in the order in which they were left
        self._none = asyncio.Event()
        self._none.set()

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, utterance: Utterance) -> None:
        """Its block was entered."""
        self._open[utterance] = None
        self._none.clear()

    def end(self, utterance: Utterance) -> None:
        """Its block is left."""
        self._open.pop(utterance, None)
        self._left.pop(utterance, None)
        if not self._open:
            self._none.set()

    async def until_none(self, timeout_s: float) -> bool:
        """Wait until all have ended. Returns False where some have not by then."""
        try:
            await asyncio.wait_for(self._none.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def look(self, now_s: float) -> None:
        """Take the places of those that nobody reads, and give up what is too much of them."""
        self._left = {each: None for each in self._left if each.lies}
        for utterance in list(self._open):
            if utterance.is_left(now_s):
                await utterance.let_lie()
                self._left[utterance] = None
        while len(self._left) > self._most_left:
            (crowd, _), *_ = Counter(each.request.owner for each in self._left).most_common(1)
            longest = next(each for each in self._left if each.request.owner == crowd)
            del self._left[longest]
            longest.give_up(ClientTooSlow("nobody took the sound, and others have theirs made"))
