"""The open live connections of this server, WebSockets and calls alike: how many there may be, and how they end.

Made by the composition root (`app/server.py`), which calls `drain` and `close_all` when the server stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.draining import Draining
from vivavoce.errors import ShuttingDown
from vivavoce.metrics import Metrics
from vivavoce.serving.shares import Shares
from vivavoce.transports.carried import Carried

logger = logging.getLogger(__name__)


class Connections:
    """Every open connection; shared by the carriers.

    Args:
        shares: connections open at once, and how many of them one owner may have.
        draining: once it has begun, no more are opened.
        metrics: keeps count of them.
    """

    def __init__(self, shares: Shares, draining: Draining, metrics: Metrics) -> None:
        self._shares = shares
        self._draining = draining
        self._metrics = metrics
        self._open: set[Carried] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._open)

    def check(self, owner: str) -> None:
        """Whether this owner may open one more connection.

        Raises:
            ShuttingDown: If the server drains.
            Overloaded: If there are too many, or the owner has its share.
        """
        if self._draining.has_begun:
            raise ShuttingDown("the server is shutting down")
        self._shares.check(owner)

    @contextmanager
    def hold(self, carried: Carried, carrier: str, owner: str) -> Iterator[None]:
        """Count a connection for the length of the block. Raises as `check` does."""
        self.check(owner)
        self._shares.take(owner)
        gauge = self._metrics.open_sockets.labels(carrier)
        self._open.add(carried)
        self._empty.clear()
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._shares.give_back(owner)
            self._open.discard(carried)
            if not self._open:
                self._empty.set()

    def ran_dry(self, silent_s: float) -> None:
        """A carrier was late with sound that it had: its listener heard nothing for so long."""
        self._metrics.ran_dry(silent_s)

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
