"""uvicorn's WebSocket protocol, with a bound on what a client may cost and a way to be rid of one that does not read.

Everything a client sends is paid for in time on the event loop, whatever kind of frame it is: measured, with a charge
for each message that the application will have to look at. A client that has spent its budget is not read for a while;
nobody else notices. Bytes are taken in small pieces and messages one at a time, so that no single read keeps the loop.

What a client sends meanwhile waits on its own side, and its pings and its answers to ours wait behind it. So the kernel
takes on little for it, that they come in time; and who still sends, or is not read, has not vanished.

uvicorn can only close a connection after everything written to it has left, which a client that stopped reading never
lets happen. Used by `vivavoce serve` through `uvicorn_server.uvicorn_options`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.http11 import Request

from vivavoce.errors import MalformedRequest
from vivavoce.serving.connection_book import ConnectionBook
from vivavoce.serving.http_protocol import bound_send_buffer, refusal, unsent_bytes
from vivavoce.serving.taking import UNSENT
from vivavoce.serving.work_budget import Pot, WorkBudget

GIVE_UP = "vivavoce.give_up"  # scope extension: {"give_up": WebSocketProtocol.give_up}
GRACE_S = 5.0  # in which a client that begins to read again is told why
HANDSHAKE_TIMEOUT_S = 10.0

# Messages over this size end the connection with 1009 while they arrive. A little over the protocols' own limits, which
# answer with an error first. By the end of the address where it is another one, however its slashes are written:
# Realtime's clients send what was said in one message.
_OVER = 4096
MAX_FRAME_BYTES = 256 * 1024 + _OVER
MAX_FRAME_BYTES_OF = {"realtime": 512 * 1024 + _OVER}

PIECE_BYTES = 256  # looked at first: 43 of the smallest frames, which take 0.7 ms
MOST_BYTES = 2048  # looked at at once of a message that is long
RECEIVE_BUFFER_BYTES = 64 * 1024  # the kernel's, which doubles it; without a limit it takes six megabytes
CHEAP_S = 0.000_2  # a piece that took less was a part of a long frame: the next may be twice as long
TURN_S = 0.001  # of work before other connections have their turn

# What one connection may cost: a listener who also talks needs 1 % of the loop, a chat model's fastest text 3 %.
OWN_SHARE, OWN_BURST_S = 0.05, 0.1
POT_SHARE, POT_BURST_S = 0.1, 0.2  # for all that need more
MESSAGE_S = 0.000_25  # charged for a message: what reading and obeying it takes the application
OPENING_S = 0.004  # charged for a handshake where one in debt has just left
OPENS_WITHIN_S = 1.0  # all the same: others may have the same address


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection: uvicorn's, with a budget for its frames.

    Args:
        book: of all connections of this server.
        pot: work that connections may have beyond their own budgets.
    """

    def __init__(self, *args: Any, book: ConnectionBook, pot: Pot, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._book = book
        self._pot = pot
        self._budget: WorkBudget | None = None  # from the first byte on
        self._held = bytearray()  # read, and not looked at yet
        self._piece = PIECE_BYTES
        self._turn: asyncio.Handle | None = None  # when that goes on
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._came_s = 0.0  # when there was something of it to be read, last

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
        _bound_receive_buffer(self.transport)
        self._handshake_timer = self.loop.call_later(HANDSHAKE_TIMEOUT_S, self._check_handshake)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.leave(self)
        if self._turn is not None:
            self._turn.cancel()
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()
        self._held.clear()
        if self._budget is not None:
            self._budget.close(self.loop.time())
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._came_s = self.loop.time()
        self._held += data
        if self._budget is None:
            self._budget = WorkBudget(
                OWN_SHARE, OWN_BURST_S, self._pot,
                address=self.address, opening_s=OPENING_S, now_s=self.loop.time(),
            )  # fmt: skip
            if self._budget.opening_wait_s > 0:
                self._rest(min(self._budget.opening_wait_s, OPENS_WITHIN_S))
        if self._turn is None:
            self._take()

    async def receive(self) -> Any:
        message = await super().receive()
        self._go_on()
        return message

    async def send(self, message: Any) -> None:
        await super().send(message)
        self._go_on()  # what came with the handshake, once it is answered

    def _go_on(self) -> None:
        """Look at what is held in the next turn, where nothing stands against it any more."""
        if self._held and self._turn is None and self._may_look():
            self._turn = self.loop.call_soon(self._take)
            self.transport.pause_reading()

    def _take(self) -> None:
        """Look at what was read: until a message is complete, the turn is over or the budget is spent."""
        self._turn = None
        began_s = time.thread_time()
        wait_s = 0.0
        while self._held and self._may_look():
            wait_s = self._look()
            if wait_s > 0 or time.thread_time() - began_s > TURN_S:
                break
        if self.transport.is_closing():
            self._held.clear()
        elif wait_s > 0:
            self._rest(wait_s)
        elif self._held:
            if self._may_look():
                self._turn = self.loop.call_soon(self._take)
            self.transport.pause_reading()
        elif not self.read_paused:
            self.transport.resume_reading()

    def _may_look(self) -> bool:
        """Not while a message waits to be fetched, and at no frame before the handshake was answered."""
        waits_for_answer = self.handshake_initiated and not self.handshake_complete
        return not (self.read_paused or waits_for_answer or self.transport.is_closing())

    def _look(self) -> float:
        """Take in one piece and pay for it. Returns how many seconds to wait before the next."""
        assert self._budget is not None
        piece = bytes(self._held[: self._piece])
        del self._held[: self._piece]
        began_s = time.thread_time()
        super().data_received(piece)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_handshake()
        took_s = time.thread_time() - began_s
        is_cheap = took_s < CHEAP_S and not self.read_paused
        self._piece = min(2 * self._piece, MOST_BYTES) if is_cheap else PIECE_BYTES
        return self._budget.spend(took_s + (MESSAGE_S if self.read_paused else 0.0), self.loop.time())

    def _refuse_handshake(self) -> None:
        """Answer one that cannot be read, which uvicorn leaves alone: a line that is too long, a body."""
        self.transport.write(refusal(MalformedRequest(f"this is no WebSocket handshake: {self.conn.handshake_exc}")))
        self.transport.close()

    def _rest(self, wait_s: float) -> None:
        """Read nothing for a while."""
        self._turn = self.loop.call_later(wait_s, self._take)
        self.transport.pause_reading()

    # -- called by uvicorn

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # absent where the handshake was refused
        if scope is not None:
            end = scope["path"].rstrip("/").rpartition("/")[2]
            self.conn.max_message_size = MAX_FRAME_BYTES_OF.get(end, MAX_FRAME_BYTES)
            scope["extensions"][GIVE_UP] = {"give_up": self.give_up}
            scope["extensions"][UNSENT] = {"bytes": lambda: unsent_bytes(self.transport)}

    def send_receive_event_to_app(self) -> None:
        """Close for a text that is not UTF-8 here: uvicorn writes a traceback into the log for each."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(CloseCode.INVALID_DATA, "a text message is UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """A ping was not answered: the client has vanished, unless its answer may stand behind what was not read."""
        is_read = not self._held and self._turn is None and not self.read_paused
        if is_read and self._came_s <= self.ping_sent_at:
            super().keepalive_timeout()
            return
        self.ping_sent_at = self.loop.time()  # from now on once more as long
        self.pong_timer = self.loop.call_later(self.ping_timeout or 0.0, self.keepalive_timeout)

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


def _bound_receive_buffer(transport: asyncio.Transport) -> None:
    """Let the kernel take on little of what is not read yet: a ping behind it is answered the sooner."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
