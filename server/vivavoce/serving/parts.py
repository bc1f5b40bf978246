"""The parts of a connection run side by side until the first of them ends; then all of them are over.

A reader, a sender and a speaker belong together: whichever ends first ends the connection, and none outlives it. Called
by the carriers and by the streamed answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_first_ends(*parts: Coroutine[Any, Any, None]) -> int:
    """Run all of them until one ends or fails, stop the others, and wait for their ends.

    Returns:
        Index of the part that ended; the first of them where several did at once.

    Raises:
        Whatever the part that ended raised.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    ended = [index for index, task in enumerate(tasks) if task in done]
    for index in ended:
        tasks[index].result()
    return ended[0]
