"""How a replica answers: what it refuses is a value. An exception Ray would wrap, log and count as a fault."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from vivavoce.errors import VivaVoceError

T = TypeVar("T")


async def answered(asked: Awaitable[T]) -> T | VivaVoceError:
    """What was asked for, or why not."""
    try:
        return await asked
    except VivaVoceError as error:
        return error
