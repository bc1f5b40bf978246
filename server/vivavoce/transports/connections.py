"""The open live connections of this server, WebSockets and calls alike: how many there may be, and how they end.

Made by the composition root (`app/server.py`), which calls `drain` and `close_all` when the server stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.draining import Draining
from vivavoce.errors import Overloaded, ShuttingDown
from vivavoce.metrics import Metrics
from vivavoce.transports.carried import Carried

logger = logging.getLogger(__name__)


class Connections:
    """Every open connection; shared by the carriers.

    Args:
        limit: connections open at once.
        draining: once it has begun, no more are opened.
        metrics: keeps count of them.
    """

    def __init__(self, limit: int, draining: Draining, metrics: Metrics) -> None:
        self._limit = limit
        self._draining = draining
        self._metrics = metrics
        self._open: set[Carried] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def check(self) -> None:
        """Whether one more connection may be opened.

        Raises:
            ShuttingDown: If the server drains.
            Overloaded: If there are too many.
        """
        if self._draining.has_begun:
            raise ShuttingDown("the server is shutting down")
        if len(self._open) >= self._limit:
            raise Overloaded(f"{self._limit} live connections are open, and no more may be", retry_after_s=5.0)

    @contextmanager
    def hold(self, carried: Carried, carrier: str) -> Iterator[None]:
        """Count a connection for the length of the block. Raises as `check` does."""
        self.check()
        gauge = self._metrics.open_sockets.labels(carrier)
        self._open.add(carried)
        self._empty.clear()
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._open.discard(carried)
            if not self._open:
                self._empty.set()

    def drain(self) -> None:
        """Close each once nothing of it is being spoken."""
        for carried in list(self._open):
            carried.drain()

    async def close_all(self, timeout_s: float = 5.0) -> None:
        """Close those that still speak, too; wait for all of them, but not for ever."""
        for carried in list(self._open):
            carried.close(1001, "shutdown")
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            logger.warning("%d live connections did not close in time", len(self._open))
