"""The live routes: which protocol on which path over which carrier, and the tokens that let browsers open one.

path                          protocol           carriers
/v1/audio/speech/stream       the native stream  WebSocket
/v1/audio/speech/calls        the native stream  WebRTC (`calls.py`)
/v1/audio/transcriptions/stream  captions        WebSocket
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, WebSocket

from vivavoce.errors import Overloaded
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import SUBPROTOCOL
from vivavoce.serving.access import Access
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.serving.gate import error_response
from vivavoce.transports.carried import Carry, Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.websocket import WebSocketConnection

STREAM_PATH = "/v1/audio/speech/stream"
CAPTIONS_PATH = "/v1/audio/transcriptions/stream"
TOKEN_PATH = "/v1/audio/speech/token"

Prepare = Callable[[str], Awaitable[Carry]]  # (owner): what the next connection of this owner carries


@dataclass(frozen=True, slots=True)
class WebSockets:
    """What every WebSocket route of the server shares.

    Attributes:
        encoding: threads for codecs.
    """

    connections: Connections
    encoding: Executor
    patience: Patience
    metrics: Metrics

    async def serve(self, websocket: WebSocket, prepare: Prepare, *, subprotocol: str | None = None) -> None:
        """Carry what `prepare` gives until either side has had enough; refusals are HTTP answers.

        Args:
            subprotocol: what is chosen where the client offers it.
        """
        owner: str = websocket.state.client
        try:
            self.connections.check(owner)
        except Overloaded as error:
            self.metrics.requests.labels("websocket", "refused", error.code).inc()
            await websocket.send_denial_response(error_response(error, websocket.scope))
            return
        carry = await prepare(owner)
        connection = WebSocketConnection(
            websocket, carry, self.encoding, self.patience, owner=owner, subprotocol=subprotocol
        )
        await connection.serve(self.connections)


def live_router(websockets: WebSockets, prepare: Prepare, captions: Prepare, access: Access) -> APIRouter:
    """The routes of the streams over WebSockets.

    Args:
        prepare: makes a session of the native stream.
        captions: makes a session that listens.
    """
    router = APIRouter(tags=["live"])

    @router.websocket(STREAM_PATH)
    @entered_with(Entry.LIVE)
    async def stream(websocket: WebSocket) -> None:
        await websockets.serve(websocket, prepare, subprotocol=SUBPROTOCOL)

    @router.websocket(CAPTIONS_PATH)
    @entered_with(Entry.LIVE)
    async def listen(websocket: WebSocket) -> None:
        await websockets.serve(websocket, captions, subprotocol=SUBPROTOCOL)

    @router.post(TOKEN_PATH, summary="A token with which a browser may open one live connection")
    async def token(request: Request) -> dict[str, Any]:
        """Worth one connection within a minute; ask for it on your own server, never in a page with the key."""
        owner: str = request.state.client
        return {
            "token": access.tokens.issue(owner, time.monotonic()),
            "expires_in": round(access.tokens.lifetime_s),
            "subprotocol": SUBPROTOCOL,
        }

    return router
