"""Whom to ask next, where the replica that was asked is full or was lost. Knows no Ray, and not what is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from vivavoce.errors import EngineError, EngineTimeout, Overloaded, RateLimited

TRIES: Final = 2  # replicas that may say they are full, or be lost, before the client is told

T = TypeVar("T")


async def asked_of_another(ask: Callable[[bool], Awaitable[T]], *, may_be_lost: Callable[[], bool] = lambda: True) -> T:
    """What a replica gives.

    Args:
        ask: asks one; told whether those that have the model loaded were full, so that any will do.
        may_be_lost: whether another may be asked in place of one that was lost.

    Raises:
        Overloaded: If those that were asked are full.
        EngineError: If none could do it.
    """
    full = lost = 0
    while True:
        try:
            return await ask(full > 0)
        except Overloaded as error:
            full += 1
            if full == TRIES or isinstance(error, RateLimited):
                raise
        except EngineError as error:
            lost += 1
            if lost == TRIES or isinstance(error, EngineTimeout) or not error.retryable or not may_be_lost():
                raise
