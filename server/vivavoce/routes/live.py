"""The live routes: which protocol on which path over which carrier, and the tokens that let browsers open one."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Executor
from typing import Any

from fastapi import APIRouter, Request, WebSocket

from vivavoce.config import LiveSettings
from vivavoce.errors import AccessDenied, InvalidKey, Overloaded
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import SUBPROTOCOL, Limits
from vivavoce.protocols.native.session import Session
from vivavoce.serving import tokens
from vivavoce.serving.access import Access
from vivavoce.serving.gate import error_response
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.transports.connections import Connections, limits_of, voice_summaries
from vivavoce.transports.websocket import WebSocketConnection

STREAM_PATH = "/v1/audio/speech/stream"
TOKEN_PATH = "/v1/audio/speech/token"
TOKEN_SUBPROTOCOL = "vivavoce.token."


def live_router(
    synthesizer: Synthesizer,
    access: Access,
    settings: LiveSettings,
    *,
    metrics: Metrics,
    connections: Connections,
    encoding: Executor,
    limits: Limits | None = None,
) -> APIRouter:
    """The routes of the native stream over WebSockets.

    Args:
        encoding: threads for codecs.
        limits: of each session; None: those of the configuration.
    """
    router = APIRouter(tags=["live"])
    limits = limits or limits_of(settings)

    @router.websocket(STREAM_PATH)
    async def stream(websocket: WebSocket) -> None:
        try:
            owner = _owner(websocket, access)
            connections.check()
        except (AccessDenied, Overloaded) as error:
            metrics.requests.labels("websocket", "refused", error.code).inc()
            await websocket.send_denial_response(error_response(error))
            return
        session = Session(f"sess_{secrets.token_hex(12)}", limits, voice_summaries(synthesizer.library))
        connection = WebSocketConnection(websocket, session, synthesizer, settings.ahead_s, metrics, encoding, owner)
        await connection.serve(connections)

    @router.post(TOKEN_PATH, summary="A token with which a browser may open one live connection")
    async def token(request: Request) -> dict[str, Any]:
        """Worth one connection within a minute; ask for it on your own server, never in a page with the key."""
        if tokens.PREFIX in request.headers.get("authorization", ""):  # or one would be worth a life of them
            raise InvalidKey("a token cannot ask for another one")
        owner: str = request.state.owner
        return {
            "token": access.tokens.issue(owner, time.monotonic()),
            "expires_in": round(access.tokens.lifetime_s),
            "subprotocol": SUBPROTOCOL,
        }

    return router


def _owner(websocket: WebSocket, access: Access) -> str:
    """Whose connection this is, by the header or by a token among the subprotocols; `Gate` has seen Origin and Host.

    Raises:
        InvalidKey: If it may not be opened.
    """
    headers = {name.lower(): value for name, value in websocket.headers.items()}
    for offered in websocket.scope["subprotocols"]:
        if offered.startswith(TOKEN_SUBPROTOCOL):
            headers["authorization"] = "Bearer " + offered.removeprefix(TOKEN_SUBPROTOCOL)
    return access.owner(headers)
