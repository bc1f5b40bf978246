"""uvicorn's WebSocket protocol, with a way to be rid of a client that does not read.

uvicorn can only close a connection after everything written to it has left, which a client that stopped reading never
lets happen. Used by `vivavoce serve` through `uvicorn_options`.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

GIVE_UP = "vivavoce.give_up"  # scope extension: {"give_up": WebSocketProtocol.give_up}
GRACE_S = 5.0  # in which a client that begins to read again is told why

# Messages over this size end the connection with 1009 while they arrive. A little over the protocol's own limit, which
# answers with an error first.
MAX_FRAME_BYTES = 256 * 1024 + 4096


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # absent where the handshake was refused
        if scope is not None:
            scope["extensions"][GIVE_UP] = {"give_up": self.give_up}

    def give_up(self, code: int, reason: str) -> None:
        """Close without waiting: the close frame goes behind what was written, and soon all of it is thrown away."""
        self.stop_keepalive()
        if not self.close_sent:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()
        self.loop.call_later(GRACE_S, self.transport.abort)


def uvicorn_options() -> dict[str, Any]:
    """Arguments of `uvicorn.Config` that the native stream relies on.

    Deflate is off: audio does not shrink, and its memory is a gift to floods. Pings find clients that vanished.
    """
    return {
        "ws": WebSocketProtocol,
        "ws_max_size": MAX_FRAME_BYTES,
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
    }
