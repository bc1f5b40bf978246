"""Sound on its way into an ear: in order, and never far ahead of what was heard of it. Called by `turn_ear.py`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from vivavoce.assistant.ear import LentEar
from vivavoce.assistant.input_decoder import RATE
from vivavoce.audio.chunk import Samples
from vivavoce.recognition.turns import TurnDetector

logger = logging.getLogger(__name__)

_MOST_AHEAD: Final = 5 * RATE  # samples that no frame was made of yet: ears keep half a minute
_FRAME: Final = 512  # samples that the speech detector takes at once: less than one is not waited for
_LAST_S: Final = 2.0  # so long for the last frames of a message


class EarFeed:
    """Hands the sound of one connection to its ear, and waits where the ear is behind.

    Attributes:
        written: samples that the ear was given.
    """

    def __init__(self, ear: LentEar) -> None:
        self.written = 0
        self._ear = ear

    async def write(self, samples: Samples, turns: TurnDetector, hear: Callable[[], None]) -> None:
        """Hand it on; a file that comes at once waits until what came before was heard.

        Args:
            turns: has heard what it has heard.
            hear: gives it the frames that are there.
        """
        if not len(samples):
            return
        while self._unheard(turns) > _MOST_AHEAD:
            hear()
            if self._unheard(turns) > _MOST_AHEAD:
                await self._ear.changed()
        self._ear.write(samples)
        self.written += len(samples)

    async def all_heard(self, turns: TurnDetector, hear: Callable[[], None]) -> None:
        """Returns when every whole frame that was written has been heard, or nothing more comes."""
        try:
            async with asyncio.timeout(_LAST_S):
                while self._unheard(turns) >= _FRAME:
                    hear()
                    if self._unheard(turns) >= _FRAME:
                        await self._ear.changed()
        except TimeoutError:
            logger.info("the speech detector is behind at a commit")

    def _unheard(self, turns: TurnDetector) -> int:
        return self.written - round(turns.heard_s * RATE)
