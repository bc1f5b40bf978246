"""The open live connections of this server, WebSockets and calls alike: how many there may be, and how they end.

At shutdown `begin_drain` is called first, then the synthesizer lets running utterances finish, then `close_all`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from vivavoce.audio.encoders import FORMATS
from vivavoce.config import LiveSettings
from vivavoce.errors import Overloaded, ShuttingDown
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import Limits, VoiceSummary
from vivavoce.speaking.live_session import LiveSession
from vivavoce.synthesis.voice_library import VoiceLibrary

logger = logging.getLogger(__name__)


class Connections:
    """Every open connection; made by the composition root, shared by the live transports.

    Args:
        limit: connections open at once.
        metrics: keeps count of them.
    """

    def __init__(self, limit: int, metrics: Metrics) -> None:
        self._limit = limit
        self._metrics = metrics
        self._open: set[LiveSession] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._open)

    def check(self) -> None:
        """Whether one more connection may be opened.

        Raises:
            ShuttingDown: If the server drains.
            Overloaded: If there are too many.
        """
        if self._draining:
            raise ShuttingDown("the server is shutting down")
        if len(self._open) >= self._limit:
            raise Overloaded(f"{self._limit} live connections are open, and no more may be", retry_after_s=5.0)

    @contextmanager
    def hold(self, live: LiveSession, transport: str) -> Iterator[None]:
        """Count a connection for the length of the block. Raises as `check` does."""
        self.check()
        gauge = self._metrics.open_sockets.labels(transport)
        self._open.add(live)
        self._empty.clear()
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._open.discard(live)
            if not self._open:
                self._empty.set()

    async def begin_drain(self) -> None:
        """Take no more, and close each with `session.closing` and 1001 once nothing of it is being spoken."""
        self._draining = True
        for live in list(self._open):
            live.drain()

    async def close_all(self, timeout_s: float = 5.0) -> None:
        """Close those that still speak, too; wait for all of them, but not for ever."""
        for live in list(self._open):
            live.close(1001, "shutdown")
        try:
            await asyncio.wait_for(self._empty.wait(), timeout_s)
        except TimeoutError:
            logger.warning("%d live connections did not close in time", len(self._open))


def limits_of(settings: LiveSettings) -> Limits:
    """The limits of a session that the configuration decides; the others are the protocol's own."""
    return Limits(
        max_buffered_chars=settings.max_buffered_text,
        stall_timeout_ms=round(settings.stall_timeout_s * 1000),
        idle_timeout_ms=round(settings.idle_timeout_s * 1000),
        formats=tuple(FORMATS),
    )


def voice_summaries(voices: VoiceLibrary) -> tuple[VoiceSummary, ...]:
    """The voices that can speak, as a session publishes them."""
    return tuple(
        VoiceSummary(
            id=info.id,
            name=info.name,
            languages=info.languages,
            engine=info.engine,
            sample_rate=info.sample_rate,
            references=info.references,
        )
        for info in voices.list()
        if info.problem is None
    )
