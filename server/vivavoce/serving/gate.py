"""What every request passes first: a request id, Host and Origin, the API key. Errors become JSON here, nowhere else.

What a route asks of its caller it says itself (`entries.py`). HEAD is answered as GET without its body, on every route.
Pure ASGI, so that streamed bodies pass through untouched. Wraps the whole application.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivavoce.errors import AccessDenied, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.serving.access import Access
from vivavoce.serving.credentials import credential_of
from vivavoce.serving.entries import Entries, Entry
from vivavoce.serving.error_shapes import shaped

logger = logging.getLogger(__name__)


class Gate:
    """ASGI middleware: identification, access, error mapping, request counts.

    What it learns travels in the request's state: `request_id`, `owner`, `credential`, `is_head`.
    """

    def __init__(self, app: ASGIApp, access: Access, entries: Entries, metrics: Metrics) -> None:
        self._app = app
        self._access = access
        self._entries = entries
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse foreign pages before the handshake; keys and tokens are the route's own matter."""
        try:
            self._access.check_site(_headers(scope))
        except AccessDenied as error:
            self._metrics.requests.labels("websocket", "refused", error.code).inc()
            await receive()
            await send({"type": "websocket.close", "code": error.close_code, "reason": error.code})
            return
        await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = uuid.uuid4().hex
        headers = _headers(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        send = _with_header(send, b"x-request-id", request_id.encode())
        body = _Body(receive, headers)
        receive, send = body.receive, body.telling(send)
        state["is_head"] = scope["method"] == "HEAD"
        if state["is_head"]:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        try:
            self._access.check_site(headers)
            entry = self._entries.of(scope)
            if entry is not Entry.NOTHING and scope["method"] != "OPTIONS":
                state["credential"] = credential_of(headers)
                state["owner"] = self._access.owner(state["credential"], spend=entry is Entry.KEY)
        except AccessDenied as error:
            self._metrics.requests.labels("gate", "refused", error.code).inc()
            await error_response(error, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _Body:
    """A request's body as it is read. Who answers before its end closes the connection, and says so: a client that
    keeps connections would otherwise send its next request into one that is being closed.
    """

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        self._receive = receive
        self._comes = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._comes = False
        return message

    def telling(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start" and self._comes:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        return wrapped


def error_response(error: VivaVoceError, scope: Scope | None = None) -> Response:
    """An error as HTTP: its status, its JSON in the caller's own shape, and what an SDK should do about it."""
    headers = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    if not error.retryable:
        headers["x-should-retry"] = "false"
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    status, content = shaped(error, scope)
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def _headers(scope: Scope) -> dict[str, str]:
    """Header names in lower case; of repeated ones the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _with_header(send: Send, name: bytes, value: bytes) -> Callable[[Message], Awaitable[None]]:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), (name, value)]}
        await send(message)

    return wrapped


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    """The answer to HEAD: the headers that GET would have."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return wrapped
