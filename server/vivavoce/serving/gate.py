"""What every request passes first: a request id, Host and Origin, the API key. Errors become JSON here, nowhere else.

WebSockets pass it like everything else; who is refused gets an HTTP answer in place of the handshake. What a route
asks of its caller it says itself (`entries.py`), what a credential may do is its own (`credentials.py`). HEAD is
answered as GET without its body, on every route. Pure ASGI, so that streamed bodies pass through untouched. Wraps the
whole application.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from vivavoce.errors import AccessDenied, InvalidKey, NotFound, UnsupportedMediaType, VivaVoceError
from vivavoce.logs import REQUEST_ID
from vivavoce.metrics import Metrics
from vivavoce.serving.access import Access, client_of
from vivavoce.serving.callers import CALLER, Caller
from vivavoce.serving.credentials import credential_of, is_in_address
from vivavoce.serving.entries import Entries, Entry
from vivavoce.serving.error_shapes import shaped

logger = logging.getLogger(__name__)

_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})
_MAY_RUN_SCRIPTS: Final = (b"text/html", b"application/xhtml", b"image/svg", b"text/xml", b"application/xml")
CSP = b"content-security-policy"
IN_ADDRESS = (
    "a key in the address is not read, since addresses are kept in logs and histories; send it as the header "
    "`Authorization: Bearer KEY`"
)
UNFORESEEN = "the server failed; the log has the details under the request id"


class Gate:
    """ASGI middleware: identification, access, error mapping, request counts.

    What it learns travels in the request's state: `request_id`, `owner` (whose things these are), `client` (whose share
    it is), `credential`, `is_head`.
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
        scope = self._entries.placed(scope)
        request_id = self._begin(scope)
        try:
            if not self._entries.has_websocket(scope):
                raise NotFound("no such route; see /docs")
            self._let_in(scope, _headers(scope), scope.get("subprotocols", ()))
        except VivaVoceError as error:
            self._metrics.requests.labels("websocket", "refused", error.code).inc()
            answer = error_response(error, scope)
            answer.headers["x-request-id"] = request_id
            await WebSocket(scope, receive, send).send_denial_response(answer)
            return
        await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = self._entries.placed(scope)
        request_id = self._begin(scope)
        headers = _headers(scope)
        answer = _Answer(_with_header(send, b"x-request-id", request_id.encode()))
        body = _Body(receive, headers)
        receive, send = body.receive, body.telling(answer.send)
        scope["state"]["is_head"] = scope["method"] == "HEAD"
        if scope["state"]["is_head"]:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        try:
            self._let_in(scope, headers)
            _refuse_codings(headers)
            await self._app(scope, receive, send)
        except (AccessDenied, UnsupportedMediaType) as error:
            self._metrics.requests.labels("gate", "refused", error.code).inc()
            await error_response(error, scope)(scope, receive, send)
        except Exception:
            if answer.has_begun:
                raise
            logger.exception("a request failed before any route had it")
            await error_response(VivaVoceError(UNFORESEEN), scope)(scope, receive, send)

    def _begin(self, scope: Scope) -> str:
        request_id = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)
        return request_id

    def _let_in(self, scope: Scope, headers: Mapping[str, str], subprotocols: Sequence[str] = ()) -> None:
        """Find out whose request it is.

        Raises:
            AccessDenied: If it may not come in.
        """
        self._access.check_site(headers)
        entry = self._entries.of(scope)
        if entry is not Entry.NOTHING and scope.get("method") != "OPTIONS":
            state = scope["state"]
            state["credential"] = credential_of(headers, subprotocols)
            try:
                state["owner"] = self._access.owner(state["credential"], entry)
            except InvalidKey:
                if state["credential"] is None and is_in_address(scope.get("query_string", b"")):
                    raise InvalidKey(IN_ADDRESS) from None
                raise
            state["client"] = client_of(state["owner"], (scope.get("client") or ("",))[0])
            CALLER.set(Caller(state["owner"], state["client"]))


def _refuse_codings(headers: Mapping[str, str]) -> None:
    """Say that compressed bodies are not read; a name that is no coding ("utf-8") is passed over.

    Raises:
        UnsupportedMediaType: If the body is compressed.
    """
    if not _CODINGS.isdisjoint(part.strip().lower() for part in headers.get("content-encoding", "").split(",")):
        raise UnsupportedMediaType("send the body as it is, without a content-encoding: compressed ones are not read")


class _Answer:
    """Whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def send(self, message: Message) -> None:
        self.has_begun = True
        if message["type"] == "http.response.start" and (policy := _missing_policy(message)):
            message = {**message, "headers": [*message["headers"], policy]}
        await self._send(message)


def _missing_policy(message: Message) -> tuple[bytes, bytes] | None:
    """What a page that says nothing itself may load and run: what this server has, and nothing else."""
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    if CSP in headers or not headers.get(b"content-type", b"").lower().startswith(_MAY_RUN_SCRIPTS):
        return None
    return CSP, b"default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"


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
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")  # a name may be half a character
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
