"""What a Door does beside its calls: it looks after the replicas again and again, and begins what nobody waits for.

Knows no Ray. Used by `remote_speaker.py` and `remote_listener.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

logger = logging.getLogger(__name__)

REFRESH_S: Final = 2.0  # between two looks at what the replicas have


class Upkeep:
    """Tasks of one speaker or listener, all ended by `aclose`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._looks = False

    @property
    def looks(self) -> bool:
        """Whether it looks again and again already."""
        return self._looks

    def look_again(self, look: Callable[[], Awaitable[None]], *, name: str) -> None:
        """Look every `REFRESH_S` seconds from now on."""
        self._looks = True
        self.begin(_again(look), name=name)

    def begin(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Have something done."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End whatever is under way."""
        self._looks = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _again(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            await look()
        except Exception:
            logger.exception("a look at the replicas failed")
