"""Where whole texts are read before they are admitted: a thread for short ones, and one for long ones, in turn.

Reading a text is Python, and Python computes one thing at a time: four long texts read side by side take as long as one
after the other, and meanwhile everything else, a newcomer's first words included, gets a fifth of the interpreter. So
one long text is read at a time, and short ones never wait for it. Called by `synthesizer.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from vivavoce.text.limits import spoken_length

T = TypeVar("T")

SHORT: Final = 500  # characters read aloud: five milliseconds of reading (embedded voice, one core, measured)


class ReadingThreads:
    """Two threads, started when they are needed first. What waits for them is bounded by open connections."""

    def __init__(self) -> None:
        self._short = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._long = ThreadPoolExecutor(1, thread_name_prefix="reader-of-long")

    async def read(self, text: str, work: Callable[[], T]) -> T:
        """The result of `work`, which reads this text; where nobody waits for it any more it is not begun."""
        executor = self._short if spoken_length(text) <= SHORT else self._long
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    def close(self) -> None:
        """Nothing more is read; what is being read ends by itself."""
        for executor in (self._short, self._long):
            executor.shutdown(wait=False, cancel_futures=True)
