"""Who is connected, and who has to go when there is no room: those who keep the server waiting longest go first.

Every connection costs a descriptor before anything is known of it. The book holds them all, HTTP and WebSocket alike;
it knows no protocol, only whether a connection waits for its client. Made once for a server; used by `http_protocol.py`
and `websocket_protocol.py`.
"""

from __future__ import annotations

import logging
import resource
from collections import Counter
from typing import Protocol

logger = logging.getLogger(__name__)

RESERVED_DESCRIPTORS = 64  # for files, the listening sockets, calls and a decoder
MOST_CONNECTIONS = 16_384


class Connection(Protocol):
    """An open connection, as the book sees it."""

    @property
    def address(self) -> str:
        """Of the client, without its port."""
        ...

    @property
    def waits_for_client(self) -> bool:
        """True while the server has nothing to do for it."""
        ...

    def drop(self) -> None:
        """Close it at once."""
        ...


class ConnectionBook:
    """The open connections, in the order they came.

    Args:
        limit: connections at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: Connection) -> bool:
        """Let one more in; where there is no room, one that waits for its client goes instead.

        Of those that wait, the oldest one of the address with most of them goes, which may be the newcomer's.

        Returns:
            False where everybody is being served: the newcomer is not in the book and is to be closed.
        """
        if len(self._open) >= self._limit:
            waiting = [other for other in self._open if other.waits_for_client]
            if not waiting:
                logger.warning("%d connections are being served, and no more may be", len(self._open))
                return False
            crowd, _ = Counter(other.address for other in waiting).most_common(1)[0]
            victim = next(other for other in waiting if other.address == crowd)
            self.leave(victim)
            victim.drop()
        self._open[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        """It is closed. Any number of times."""
        self._open.pop(connection, None)


def descriptors_for_connections() -> int:
    """Connections that the process's limit on open files leaves room for, after raising it as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + RESERVED_DESCRIPTORS
    highest = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
        soft = highest
    room = wanted if soft == resource.RLIM_INFINITY else soft
    return max(8, min(room, wanted) - RESERVED_DESCRIPTORS)
