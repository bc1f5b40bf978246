"""The routes of WebRTC calls: an SDP offer in, an answer out; the calls themselves are `transports.webrtc`'s."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from vivavoce.errors import UnsupportedMediaType
from vivavoce.routes.bodies import read_bytes
from vivavoce.routes.live import Prepare
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.transports.webrtc import offer
from vivavoce.transports.webrtc.calls import Calls

CALLS_PATH = "/v1/audio/speech/calls"
ICE_PATH = "/v1/ice"
SDP = "application/sdp"


def calls_router(calls: Calls, prepare: Prepare, body_timeout_s: float) -> APIRouter:
    """The routes of WebRTC calls.

    Args:
        prepare: what a call carries.
        body_timeout_s: an offer must have arrived after this long.
    """
    router = APIRouter(tags=["live"])

    @router.post(
        CALLS_PATH,
        status_code=201,
        summary="Open a call: SDP offer in, SDP answer out",
        response_class=Response,
        responses={201: {"content": {SDP: {"schema": {"type": "string"}}}, "description": "The SDP answer"}},
        openapi_extra={"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}},
    )
    @entered_with(Entry.LIVE)
    async def open_call(request: Request) -> Response:
        """Sound comes back as an Opus track, messages travel on the data channel `speech`; see docs/protocol.md."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
            raise UnsupportedMediaType(f"send the offer as {SDP}")
        owner: str = request.state.client
        body = await read_bytes(request, max_bytes=offer.MAX_BYTES, timeout_s=body_timeout_s)
        id, answer = await calls.open(body, owner, await prepare(owner))
        return Response(answer, status_code=201, media_type=SDP, headers={"location": f"{CALLS_PATH}/{id}"})

    @router.delete(CALLS_PATH + "/{id}", status_code=204, summary="Hang up", response_class=Response)
    async def hang_up(id: str, request: Request) -> Response:
        """Ends a call at once; one that has ended is not found."""
        calls.hang_up(id, request.state.client)
        return Response(status_code=204)

    @router.get(ICE_PATH, summary="STUN and TURN servers for RTCPeerConnection")
    @entered_with(Entry.ON_THE_WAY)
    async def ice() -> dict[str, Any]:
        """Empty unless configured: on one machine or one network none is needed."""
        return {"iceServers": [server.for_browser() for server in calls.ice_servers]}

    return router
