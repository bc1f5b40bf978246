"""OpenAI's speech contract: `POST /v1/audio/speech`, and the links that players GET.

Thin: it reads a request, in the ways other clients write it too, and lets `speech_answers.py` answer.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from vivavoce.config import LimitSettings
from vivavoce.errors import InvalidRequest
from vivavoce.routes.bodies import begins_object, parse_object, read_bytes, read_json
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.forms import media_type, read_form
from vivavoce.routes.prompted_voices import RECORDING, Prompt, refuse_written
from vivavoce.routes.speech_answers import WHOLE, SpeechAnswers, encoder_of
from vivavoce.routes.speech_dialects import from_form, from_hugging_face, from_xinference, is_hugging_face
from vivavoce.routes.speech_links import PATH, SpeechLinks
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.serving.error_shapes import STATE

URLENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 32  # of a form: Xinference's client sends a dozen
Sizes = Literal["stream", "exact"]
_AUDIO = {"schema": {"type": "string", "format": "binary"}}


def speech_router(answers: SpeechAnswers, limits: LimitSettings) -> APIRouter:
    """`/v1/audio/speech` and `/v1/audio/speech/links/{name}`."""
    router = APIRouter(tags=["speech"], responses=ERRORS)
    links = SpeechLinks()

    @router.post(
        "/v1/audio/speech",
        summary="Speak text, streamed while it is computed",
        response_class=Response,
        responses={
            200: {
                "description": "Audio bytes, or server-sent events with `stream_format: sse`",
                "content": dict.fromkeys(
                    ("audio/mpeg", "audio/wav", "audio/ogg", "audio/aac", "audio/flac", "audio/pcm"), _AUDIO
                )
                | {"text/event-stream": {"schema": {"type": "string"}}},
            },
            201: {"description": "With `link=1`: where a player may GET it, and for how many seconds"},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/SpeechBody"}},
                    "multipart/form-data": {"schema": {"$ref": "#/components/schemas/SpeechForm"}},
                },
            }
        },
    )
    async def speech(
        request: Request,
        sizes: Annotated[
            Sizes | None, Query(description="`exact`: wav, mp3, flac with their true length, sent when whole.")
        ] = None,
        wav_sizes: Annotated[Sizes | None, Query(description="The former name of `sizes`.")] = None,
        link: Annotated[bool, Query(description="Answer with a short-lived address that players can GET.")] = False,
    ) -> Response:
        async with _read(request, limits) as (fields, prompt):
            if link and prompt is not None:
                raise InvalidRequest("a link keeps no recording; send it without `link`", param=RECORDING)
            hugging_face = getattr(request.state, STATE, None) == "huggingface"
            asked = sizes or wav_sizes or (WHOLE if hugging_face else None)
            wish = await answers.wish(request, fields, sizes=asked, prompt=prompt)
        if not link:
            return answers.spoken(wish)
        url = links.add(wish, time.monotonic())
        content = {"url": url, "expires_in": round(links.lifetime_s)}
        return JSONResponse(content, status_code=201, headers={"location": url})

    @router.get(PATH + "{name}", summary="Speak what a link stands for", response_class=Response)
    @entered_with(Entry.NOTHING)
    async def linked(name: str, request: Request) -> Response:
        """The link is the key: it was made with one, cannot be guessed and is good for a minute."""
        wish = links.get(name, time.monotonic())
        if request.state.is_head:  # players look before they listen: nothing is spoken for that
            return Response(media_type=encoder_of(wish).media_type)
        return answers.spoken(wish)

    return router


@asynccontextmanager
async def _read(request: Request, limits: LimitSettings) -> AsyncIterator[tuple[dict[str, Any], Prompt | None]]:
    """OpenAI's fields, in whichever way the client writes them, and a recording, open inside the block."""
    if media_type(request) == "multipart/form-data":  # Xinference's client, with a recording to prompt the voice
        most = limits.max_upload_mib << 20
        form = await read_form(
            request,
            max_bytes=most,
            timeout_s=limits.body_timeout_s,
            max_files=2,
            max_fields=MAX_FIELDS,
            max_field_bytes=limits.body_bytes(),
            file_fields=(RECORDING,),
        )
        try:
            fields = from_form(form)
            yield fields, Prompt.of(form, fields)
        finally:
            await form.close()
        return
    if media_type(request) == URLENCODED:
        fields = await _read_urlencoded(request, limits)
    else:
        fields = await read_json(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
    if is_hugging_face(fields):
        setattr(request.state, STATE, "huggingface")
        fields = from_hugging_face(fields)
    else:
        fields = from_xinference(fields)
    refuse_written(fields)
    yield fields, None


async def _read_urlencoded(request: Request, limits: LimitSettings) -> dict[str, Any]:
    """Fields of a plain HTML form, or JSON from a tool that says so of everything (curl's -d)."""
    body = await read_bytes(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
    if begins_object(body):
        return parse_object(body)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS))
    except ValueError:
        raise InvalidRequest(f"a form may have {MAX_FIELDS} fields") from None
