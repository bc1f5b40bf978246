"""An event loop in a thread of its own, for models that are called from any thread and any event loop.

Called by `speech_model.py` and `hearing_model.py`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


class OwnLoop:
    """An event loop in a daemon thread; runs until `close()`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, work: Awaitable[_T]) -> _T:
        """Have it done there, and wait: from a thread that no event loop needs."""
        return asyncio.run_coroutine_threadsafe(_as_coroutine(work), self._loop).result()

    async def call_async(self, work: Awaitable[_T]) -> _T:
        """The same from another event loop; cancelling the caller cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_as_coroutine(work), self._loop))

    def close(self, last: Awaitable[None]) -> None:
        """Stop the thread, after one last piece of work."""
        self.call(last)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _as_coroutine(work: Awaitable[_T]) -> _T:
    return await work
