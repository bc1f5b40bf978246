"""OpenAI's speech contract: `POST /v1/audio/speech`, and the links that players GET.

Thin: it reads a request, hands it to the synthesizer, and lets `speech_response.py` stream the answer.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from vivavoce.audio.encoders import AudioEncoder, open_encoder
from vivavoce.config import Config
from vivavoce.metrics import Metrics
from vivavoce.routes.bodies import read_json
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.speech_body import choose_form, parse_speech
from vivavoce.routes.speech_links import PATH, SpeechLinks, SpeechWish
from vivavoce.routes.speech_response import SpeechResponse
from vivavoce.serving.entries import Entry, entered_with
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer

Sizes = Literal["stream", "exact"]
_AUDIO = {"schema": {"type": "string", "format": "binary"}}


def speech_router(synthesizer: Synthesizer, config: Config, metrics: Metrics, encoding: Executor) -> APIRouter:
    """`/v1/audio/speech` and `/v1/audio/speech/links/{name}`."""
    router = APIRouter(tags=["speech"], responses=ERRORS)
    limits = config.limits
    links = SpeechLinks()

    def spoken(wish: SpeechWish) -> Response:
        return SpeechResponse(
            synthesizer,
            wish.request,
            _encoder(wish),
            encoding=encoding,
            metrics=metrics,
            stall_timeout_s=config.live.stall_timeout_s,
            sse=wish.sse,
            words=wish.words,
        )

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
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SpeechBody"}}},
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
        fields = await read_json(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
        body = parse_speech(fields, max_text=limits.max_text)
        voice = await asyncio.to_thread(synthesizer.choose, body.voice_name, body.model)  # it may look at the disk
        form = choose_form(body, voice)
        asked = sizes or wav_sizes
        wish = SpeechWish(
            SpeechRequest(
                voice=voice,
                text=body.input,
                options=body.options(),
                sample_rate=form.sample_rate or voice.info.sample_rate,
                ahead_s=config.live.ahead_s,
                owner=request.state.owner,
                transport="http",
            ),
            form.name,
            exact_sizes=form.whole if asked is None else asked == "exact",
            sse=body.stream_format == "sse",
            words=body.timestamps == "word",
        )
        if not link:
            return spoken(wish)
        url = links.add(wish, time.monotonic())
        content = {"url": url, "expires_in": round(links.lifetime_s)}
        return JSONResponse(content, status_code=201, headers={"location": url})

    @router.get(PATH + "{name}", summary="Speak what a link stands for", response_class=Response)
    @entered_with(Entry.NOTHING)
    async def linked(name: str, request: Request) -> Response:
        """The link is the key: it was made with one, cannot be guessed and is good for a minute."""
        wish = links.get(name, time.monotonic())
        if request.state.is_head:  # players look before they listen: nothing is spoken for that
            return Response(media_type=_encoder(wish).media_type)
        return spoken(wish)

    return router


def _encoder(wish: SpeechWish) -> AudioEncoder:
    rate = wish.request.sample_rate
    assert rate is not None
    return open_encoder(wish.format, rate, exact_sizes=wish.exact_sizes)
