"""uvicorn's HTTP/1.1 protocol with a limit on everything a stranger may make it keep, and a deadline for every state.

    waiting for a request   10 s from the first byte, or from the connection; 5 s between two (uvicorn's own)
    headers                 32 KiB in all, 100 lines, 8 KiB of address; counted before they are parsed
                            one Host, which a whole address in the request line replaces
    body                    no coding but chunked, whose framing costs at most 64 KiB and 16 times the content;
                            must end within `BODY_TIMEOUT_S`; how much of it is read is the route's matter
    answering               a client that takes nothing for `STALL_TIMEOUT_S` is dropped
    after the answer        a request whose body still comes is closed
    further requests        8 may wait, in 16 KiB

Nothing is kept of a connection that breaks one of these. Called by uvicorn, through `uvicorn_server.py`; knows nothing
of speech.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import re
import socket
import struct
import termios
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from vivavoce.errors import HeadersTooLarge, MalformedRequest, VivaVoceError
from vivavoce.serving.connection_book import ConnectionBook
from vivavoce.serving.taking import UNSENT

HEADERS_TIMEOUT_S = 10.0
BODY_TIMEOUT_S = 120.0  # routes have shorter ones of their own; this is for those that read no body
STALL_TIMEOUT_S = 120.0  # thin sound is 2 KB a second, and a client may take it in steps of 128 KiB
LINGER_S = 1.0  # in which a client that still sends may read its answer
CHECK_EVERY_S = 5.0

MAX_HEADER_BYTES = 32 * 1024
MAX_HEADER_LINES = 100
MAX_URL_BYTES = 8 * 1024
MAX_TRAILER_BYTES = 8 * 1024
MAX_FRAMING_BYTES = 64 * 1024  # of chunks' sizes and extensions, beside 16 bytes for each of content
MAX_WAITING_REQUESTS = 8
MAX_HELD_BYTES = 16 * 1024
MAX_DISCARDED_BYTES = 1 << 20  # of what still comes when the answer has been given
PIECE_BYTES = 1024  # fed at once while headers come: a limit is noticed before much was built
SEND_BUFFER_BYTES = 64 * 1024  # the kernel's; without a limit it takes megabytes and tells for minutes of nothing

_WHOLE_ADDRESS = re.compile(rb"(?i)https?://([^/?#]*)")

ABORT = "vivavoce.abort"  # scope extension: a function that drops the connection without flushing it


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection: uvicorn's, with limits and deadlines before anything is known of it.

    Args:
        book: of all connections of this server.
    """

    def __init__(self, *args: Any, book: ConnectionBook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._book = book
        self._timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._unsent = 0  # bytes that the client had not taken when last looked at
        self._taken_at_s = 0.0  # when it last took some
        self._discarded = 0
        self._held = bytearray()  # of requests that wait for an answer before theirs
        self._head_bytes = 0
        self._header_lines = 0
        self._trailer_bytes = 0
        self._body_bytes = self._content_bytes = 0  # as they came, and what they hold
        self._has_host = False
        self._in_head = False
        self._request_complete = True
        self._is_refused = False
        self._is_upgraded = False

    # -- for the book

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def waits_for_client(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or not self._request_complete

    def drop(self) -> None:
        self.transport.abort()

    # -- called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._book.enter(self):
            transport.abort()
            return
        bound_send_buffer(transport)
        self._wait(HEADERS_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.leave(self)
        self._stop_waiting()
        self._stop_watching()
        self._held.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._timer is None and not self._in_head and self.waits_for_client:
            self._wait(HEADERS_TIMEOUT_S)  # whatever it is, a request has to come of it
        if self._is_refused:
            self._discarded += len(data)
            if self._discarded > MAX_DISCARDED_BYTES:
                self.transport.abort()
            return
        if self.pipeline or self._held:
            self._hold(data)
        else:
            self._feed(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._unsent, self._taken_at_s = unsent_bytes(self.transport), self.loop.time()
            self._stall_timer = self.loop.call_later(CHECK_EVERY_S, self._check_stall)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching()

    # -- called by the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if len(self.pipeline) >= MAX_WAITING_REQUESTS:
            raise MalformedRequest("too many requests wait on this connection")
        self.scope["extensions"] = {
            ABORT: {"abort": self.transport.abort},
            UNSENT: {"bytes": lambda: unsent_bytes(self.transport)},
        }
        self._in_head, self._request_complete = True, False
        self._header_lines = self._trailer_bytes = self._body_bytes = self._content_bytes = 0
        self._has_host = False
        if self._timer is None:
            self._wait(HEADERS_TIMEOUT_S)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            raise HeadersTooLarge(f"an address may have {MAX_URL_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer: it may say nothing that a header did not
            self._trailer_bytes += len(name) + len(value)
            if self._trailer_bytes > MAX_TRAILER_BYTES:
                raise HeadersTooLarge(f"trailers may have {MAX_TRAILER_BYTES} bytes")
            return
        self._header_lines += 1
        if self._header_lines > MAX_HEADER_LINES:
            raise HeadersTooLarge(f"a request may have {MAX_HEADER_LINES} headers")
        lower = name.lower()
        if lower == b"host" and self._has_host:
            raise MalformedRequest("a request has one Host")
        if lower == b"transfer-encoding" and value.strip().lower() != b"chunked":
            raise MalformedRequest("the only transfer coding that is read is chunked")
        self._has_host = self._has_host or lower == b"host"
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._wait(BODY_TIMEOUT_S)
        if (named := _WHOLE_ADDRESS.match(self.url)) is not None:  # it counts, and Host does not (RFC 9112, 3.2.2)
            self.headers[:] = [header for header in self.headers if header[0] != b"host"] + [(b"host", named[1])]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._content_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._request_complete = True
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.cycle.response_complete and not self._request_complete and not self._in_head:
            # Answered before it was read: the rest is nobody's.
            self._unset_keepalive_if_required()
            self._is_refused = True
            self._wait(LINGER_S)
        elif self._held and not self.pipeline:
            held = bytes(self._held)
            self._held.clear()
            self._feed(held)

    def handle_websocket_upgrade(self) -> None:
        self._is_upgraded = True
        self._stop_waiting()
        self._book.leave(self)
        super().handle_websocket_upgrade()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, _until_close(cycle, app) if cycle.scope["http_version"] == "1.0" else app)

    # -- limits

    def _feed(self, data: bytes) -> None:
        """Hand bytes to the parser, little by little while headers come."""
        at = 0
        while at < len(data) and not self.transport.is_closing() and not (self._is_refused or self._is_upgraded):
            if self.pipeline:
                self._hold(data[at:])
                return
            body_comes = not self._in_head and not self._request_complete
            piece = data[at:] if body_comes else data[at : at + PIECE_BYTES]
            at += len(piece)
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    self._pass_on(piece[upgrade.args[0] :] + data[at:])
            except httptools.HttpParserError as error:
                cause = error.__context__
                self._refuse(cause if isinstance(cause, VivaVoceError) else MalformedRequest("this is no HTTP request"))
            if body_comes:
                self._body_bytes += len(piece)
                if self._body_bytes > MAX_FRAMING_BYTES + 17 * self._content_bytes:
                    self._refuse(MalformedRequest("the chunks of this body have more framing than content"))
            if self._in_head:
                self._head_bytes += len(piece)
                if self._head_bytes > MAX_HEADER_BYTES:
                    self._refuse(HeadersTooLarge(f"the headers of a request may have {MAX_HEADER_BYTES} bytes"))

    def _pass_on(self, early: bytes) -> None:
        """Messages of a client that did not wait for the handshake's answer: uvicorn would lose them without a word."""
        if early and not self.transport.is_closing():
            self.transport.get_protocol().data_received(early)  # type: ignore[attr-defined]

    def _hold(self, data: bytes) -> None:
        """Keep what comes before its turn; where it is too much, the answers that are due are the last."""
        self._held += data
        if len(self._held) > MAX_HELD_BYTES:
            self.transport.abort()

    def _refuse(self, error: VivaVoceError) -> None:
        """Say why, if nothing is being answered, and close."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            self.cycle.disconnected = True  # what waits for the rest of the body waits no longer
            self.cycle.message_event.set()
        self.transport.write(refusal(error))
        self._wait(LINGER_S)

    # -- deadlines

    def _wait(self, seconds: float) -> None:
        """Drop the connection unless something else is waited for by then."""
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_stall(self) -> None:
        """Drop a client that has taken nothing for too long; one that takes little is slow, not gone."""
        self._stall_timer = None
        if self.transport.is_closing():
            return
        unsent, now_s = unsent_bytes(self.transport), self.loop.time()
        if unsent < self._unsent:
            self._unsent, self._taken_at_s = unsent, now_s
        elif now_s - self._taken_at_s >= STALL_TIMEOUT_S:
            self.transport.abort()
            return
        self._stall_timer = self.loop.call_later(CHECK_EVERY_S, self._check_stall)

    def _stop_watching(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


def bound_send_buffer(transport: asyncio.Transport) -> None:
    """Let the kernel hold little, so that what a client has taken can be told from what it might take."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def refusal(error: VivaVoceError) -> bytes:
    """A whole HTTP answer that says why, for connections that no application hears of."""
    body = json.dumps(error.to_wire()).encode()
    reason = {400: "Bad Request", 431: "Request Header Fields Too Large"}.get(error.status, "Refused")
    head = (
        f"HTTP/1.1 {error.status} {reason}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def unsent_bytes(transport: asyncio.Transport) -> int:
    """Bytes written and not yet taken by the client's machine: ours, and what the kernel still holds (Linux)."""
    waiting = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            waiting += struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
    return waiting


def _until_close(cycle: RequestResponseCycle, app: Any) -> Any:
    """The application for a client of HTTP/1.0, which knows no chunks: the body ends with the connection.

    Source: RFC 9112, section 6.1.
    """
    cycle.chunked_encoding = False

    async def run(scope: Any, receive: Any, send: Any) -> None:
        async def plain(message: Any) -> None:
            if message["type"] == "http.response.body":
                cycle.expected_content_length = len(message.get("body", b""))  # whatever comes is the right length
            await send(message)

        await app(scope, receive, plain)

    return run
