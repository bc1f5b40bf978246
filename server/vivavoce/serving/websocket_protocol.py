"""uvicorn's WebSocket protocol, with a bound on what a client may cost and a way to be rid of one that does not read.

Everything a client sends is paid for in time on the event loop, whatever kind of frame it is: measured, with a charge
for each message that the application will have to look at. A client that has spent its budget is not read for a while;
nobody else notices. Bytes are taken in small pieces and messages one at a time, so that no single read keeps the loop.

uvicorn can only close a connection after everything written to it has left, which a client that stopped reading never
lets happen. Used by `vivavoce serve` through `uvicorn_server.uvicorn_options`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from vivavoce.serving.connection_book import ConnectionBook
from vivavoce.serving.http_protocol import bound_send_buffer, unsent_bytes
from vivavoce.serving.taking import UNSENT
from vivavoce.serving.work_budget import WorkBudget

GIVE_UP = "vivavoce.give_up"  # scope extension: {"give_up": WebSocketProtocol.give_up}
GRACE_S = 5.0  # in which a client that begins to read again is told why
HANDSHAKE_TIMEOUT_S = 10.0

# Messages over this size end the connection with 1009 while they arrive. A little over the protocol's own limit, which
# answers with an error first.
MAX_FRAME_BYTES = 256 * 1024 + 4096

PIECE_BYTES = 1024  # 170 of the smallest frames: 5 ms
TURN_S = 0.003  # of work before other connections have their turn

# What one connection may cost: a listener who also talks needs 1 % of the loop, a chat model's fastest text 3 %.
OWN_SHARE, OWN_BURST_S = 0.05, 0.2
POT_SHARE, POT_BURST_S = 0.2, 0.4  # for all that need more
MESSAGE_S = 0.000_25  # charged for a message: what reading and obeying it takes the application


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    Args:
        book: of all connections of this server.
        pot: work that connections may have beyond their own budgets.
    """

    def __init__(self, *args: Any, book: ConnectionBook, pot: WorkBudget, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._book = book
        self._budget = WorkBudget(OWN_SHARE, OWN_BURST_S, pot)
        self._held = bytearray()  # read, and not looked at yet
        self._turn: asyncio.Handle | None = None  # when that goes on
        self._handshake_timer: asyncio.TimerHandle | None = None

    # -- for the book

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def waits_for_client(self) -> bool:
        return not self.handshake_complete

    def drop(self) -> None:
        self.transport.abort()

    # -- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._book.enter(self):
            self.transport.abort()
            return
        bound_send_buffer(self.transport)
        self._handshake_timer = self.loop.call_later(HANDSHAKE_TIMEOUT_S, self._check_handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.leave(self)
        if self._turn is not None:
            self._turn.cancel()
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        self._held.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._turn is None:
            self._take()

    async def receive(self) -> Any:
        message = await super().receive()
        if self._held and not self.read_paused and self._turn is None:
            self._turn = self.loop.call_soon(self._take)
            self.transport.pause_reading()
        return message

    def _take(self) -> None:
        """Look at what was read: until a message is complete, the turn is over or the budget is spent."""
        self._turn = None
        began_s = time.thread_time()
        wait_s = 0.0
        while self._held and not (self.read_paused or self.transport.is_closing()):
            piece = bytes(self._held[:PIECE_BYTES])
            del self._held[:PIECE_BYTES]
            piece_s = time.thread_time()
            super().data_received(piece)
            now_s = time.thread_time()
            messages = 1 if self.read_paused else 0
            wait_s = self._budget.spend(now_s - piece_s + MESSAGE_S * messages, self.loop.time())
            if wait_s > 0 or now_s - began_s > TURN_S:
                break
        if self.transport.is_closing():
            self._held.clear()
        elif wait_s > 0:
            self._turn = self.loop.call_later(wait_s, self._take)
            self.transport.pause_reading()
        elif self._held:
            if not self.read_paused:
                self._turn = self.loop.call_soon(self._take)
            self.transport.pause_reading()
        elif not self.read_paused:
            self.transport.resume_reading()

    # -- called by uvicorn

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # absent where the handshake was refused
        if scope is not None:
            scope["extensions"][GIVE_UP] = {"give_up": self.give_up}
            scope["extensions"][UNSENT] = {"bytes": lambda: unsent_bytes(self.transport)}

    def handle_parser_exception(self) -> None:
        """What cannot be read ends the connection; where it came before the handshake was answered, without a word."""
        if self.conn.close_sent is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.transport.abort()
            return
        super().handle_parser_exception()

    def give_up(self, code: int, reason: str) -> None:
        """Close without waiting: the close frame goes behind what was written, and soon all of it is thrown away."""
        self.stop_keepalive()
        if not self.close_sent:
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()
        self.loop.call_later(GRACE_S, self.transport.abort)

    def _check_handshake(self) -> None:
        self._handshake_timer = None
        if not self.handshake_complete:
            self.transport.abort()
