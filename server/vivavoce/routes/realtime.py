"""OpenAI's Realtime routes: a WebSocket, WebRTC calls, and short-lived keys for browsers.

path                               protocol   carriers
/v1/realtime                       Realtime   WebSocket
/v1/realtime/calls                 Realtime   WebRTC, data channel `oai-events`
/v1/realtime/client_secrets        -          keys that begin a session which was set up before
"""

from __future__ import annotations

import time
from typing import Any, Final

from fastapi import APIRouter, Request, WebSocket
from starlette.datastructures import UploadFile
from starlette.requests import HTTPConnection
from starlette.responses import Response

from vivavoce.assistant.realtime import RealtimeSessions, new_session_id
from vivavoce.errors import InvalidRequest, UnsupportedMediaType
from vivavoce.protocols.bounded_json import load_object
from vivavoce.protocols.fields import Refused
from vivavoce.protocols.realtime.client_events import refused_field, whole_characters
from vivavoce.protocols.realtime.client_secrets import ClientSecrets, read_request, write_answer
from vivavoce.protocols.realtime.session_config import SessionConfig
from vivavoce.routes.bodies import read_bytes, read_json
from vivavoce.routes.forms import media_type, read_form
from vivavoce.routes.live import WebSockets
from vivavoce.serving.access import Access
from vivavoce.serving.addresses import deployment_of
from vivavoce.serving.credentials import Credential
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.serving.tokens import CLIENT_SECRET
from vivavoce.transports.carried import Carry
from vivavoce.transports.webrtc import offer
from vivavoce.transports.webrtc.calls import Calls

REALTIME_PATH: Final = "/v1/realtime"
CALLS_PATH: Final = "/v1/realtime/calls"
SECRETS_PATH: Final = "/v1/realtime/client_secrets"
SUBPROTOCOL: Final = "realtime"
CHANNEL: Final = "oai-events"
_SDP: Final = "application/sdp"
_LONGEST_BODY: Final = 256 * 1024  # an offer and a session, or a session with its tools
_LONGEST_FIELD: Final = 128 * 1024


def realtime_router(
    sessions: RealtimeSessions, websockets: WebSockets, calls: Calls, access: Access, body_timeout_s: float
) -> APIRouter:
    """The Realtime routes.

    Args:
        sessions: makes what the carriers carry.
        body_timeout_s: a body must have arrived after this long.
    """
    router = APIRouter(tags=["realtime"])
    known = ClientSecrets()

    def config_of(credential: Credential | None, query: dict[str, str]) -> SessionConfig:
        """What a connection begins with: what its key was made for, or what its address says."""
        if credential is not None and credential.value.startswith(CLIENT_SECRET):
            bound = known.config_of(credential.value, time.monotonic())
            if bound is not None:
                return bound
        model = query.get("model", "")[:128] or None
        return sessions.default_config(model, transcription=query.get("intent") == "transcription")

    @router.websocket(REALTIME_PATH)
    @entered_with(Entry.REALTIME)
    async def realtime(websocket: WebSocket) -> None:
        config = config_of(websocket.state.credential, _asked(websocket))

        async def prepare(owner: str) -> Carry:
            return sessions.prepare(owner, config)

        await websockets.serve(websocket, prepare, subprotocol=SUBPROTOCOL)

    @router.post(
        CALLS_PATH,
        status_code=201,
        summary="Open a call: SDP offer in, SDP answer out",
        response_class=Response,
        responses={201: {"content": {_SDP: {"schema": {"type": "string"}}}, "description": "The SDP answer"}},
        openapi_extra={"requestBody": {"required": True, "content": {_SDP: {"schema": {"type": "string"}}}}},
    )
    @entered_with(Entry.REALTIME)
    async def open_call(request: Request) -> Response:
        """Sound travels as Opus tracks, events on the data channel `oai-events`; the body is the offer, or a form of
        `sdp` and `session`."""
        owner: str = request.state.client
        config = config_of(request.state.credential, _asked(request))
        body, session = await _read_offer(request, body_timeout_s)
        if session:
            config = _updated(config, session)
        sessions.check(config)
        id, answer = await calls.open(body, owner, sessions.prepare(owner, config), channel=CHANNEL)
        return Response(answer, status_code=201, media_type=_SDP, headers={"location": f"{CALLS_PATH}/{id}"})

    @router.post(CALLS_PATH + "/{id}/hangup", status_code=200, summary="Hang up", response_class=Response)
    async def hang_up(id: str, request: Request) -> Response:
        """Ends a call at once; one that has ended is not found."""
        calls.hang_up(id, request.state.client)
        return Response(status_code=200)

    @router.post(SECRETS_PATH, summary="A short-lived key with which a browser may begin a session")
    async def client_secret(request: Request) -> dict[str, Any]:
        """Ask for it on your own server, never in a page with the key."""
        owner: str = request.state.client
        body = await read_json(request, max_bytes=_LONGEST_BODY, timeout_s=body_timeout_s) if _has_body(request) else {}
        body = whole_characters(body)
        config, life_s = read_request(body, sessions.default_config(_model_of(body)))
        sessions.check(config)
        now = time.monotonic()
        known.check(owner, now)
        key = access.tokens.issue(owner, now, prefix=CLIENT_SECRET, lifetime_s=life_s)
        known.remember(key, owner, config, now + life_s)
        return write_answer(key, new_session_id(), config, int(time.time()) + life_s)

    return router


def _asked(connection: HTTPConnection) -> dict[str, str]:
    """The query of an address, and the model that the rest of it names."""
    query = dict(connection.query_params)
    return query if query.get("model") else {**query, "model": deployment_of(connection.state) or ""}


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _model_of(body: dict[str, Any]) -> str | None:
    session = body.get("session")
    model = session.get("model") if isinstance(session, dict) else None
    return model[:128] if isinstance(model, str) else None


def _updated(config: SessionConfig, session: dict[str, object]) -> SessionConfig:
    try:
        return config.updated(session)
    except Refused as refused:
        raise refused_field(refused, "session") from None


async def _read_offer(request: Request, timeout_s: float) -> tuple[bytes, dict[str, object]]:
    """The offer, and the session that a form brings with it."""
    kind = media_type(request)
    if kind == _SDP:
        return await read_bytes(request, max_bytes=offer.MAX_BYTES, timeout_s=timeout_s), {}
    if kind != "multipart/form-data":
        raise UnsupportedMediaType(f"send the offer as {_SDP}, or as a form of `sdp` and `session`")
    form = await read_form(
        request, max_bytes=_LONGEST_BODY, timeout_s=timeout_s, max_files=2, max_field_bytes=_LONGEST_FIELD
    )
    try:
        sdp, session = [await _text_of(form.get(name)) for name in ("sdp", "session")]
    finally:
        await form.close()
    if not sdp:
        raise InvalidRequest("the field 'sdp' is required", param="sdp")
    config = load_object(session, max_depth=40, max_keys=10_000) if session.strip() else {}
    return sdp.encode(), whole_characters(config)


async def _text_of(field: UploadFile | str | None) -> str:
    """A field of a form, whether it was sent as a text or as a file: browsers give a Blob a file's name."""
    if field is None or isinstance(field, str):
        return field or ""
    return (await field.read(_LONGEST_FIELD)).decode("utf-8", "replace")
