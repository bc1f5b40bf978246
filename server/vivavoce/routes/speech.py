"""OpenAI's speech contract: `POST /v1/audio/speech`.

Thin: it reads a request, hands it to the synthesizer, and lets `speech_response.py` stream the answer.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from vivavoce.audio.encoders import open_encoder
from vivavoce.config import Config
from vivavoce.metrics import Metrics
from vivavoce.routes.bodies import read_json
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.speech_body import choose_form, parse_speech
from vivavoce.routes.speech_response import SpeechResponse
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer

_AUDIO = {"schema": {"type": "string", "format": "binary"}}


def speech_router(synthesizer: Synthesizer, config: Config, metrics: Metrics, encoding: Executor) -> APIRouter:
    """`/v1/audio/speech`."""
    router = APIRouter(tags=["speech"], responses=ERRORS)
    limits = config.limits

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
            }
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
        wav_sizes: Literal["stream", "exact"] | None = Query(
            None, description="`exact`: wav with true sizes, sent when the speech is whole (Safari needs it)."
        ),
    ) -> Response:
        fields = await read_json(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
        body = parse_speech(fields, max_text=limits.max_text)
        voice = await asyncio.to_thread(synthesizer.choose, body.voice_name, body.model)  # it may look at the disk
        form = choose_form(body, voice)
        rate = form.sample_rate or voice.info.sample_rate
        encoder = open_encoder(form.name, rate, exact_sizes=form.whole if wav_sizes is None else wav_sizes == "exact")
        speech_request = SpeechRequest(
            voice=voice,
            text=body.input,
            options=body.options(),
            sample_rate=rate,
            ahead_s=config.live.ahead_s,
            owner=request.state.owner,
            transport="http",
        )
        return SpeechResponse(
            synthesizer,
            speech_request,
            encoder,
            encoding=encoding,
            metrics=metrics,
            stall_timeout_s=config.live.stall_timeout_s,
            sse=body.stream_format == "sse",
            words=body.timestamps == "word",
        )

    return router
