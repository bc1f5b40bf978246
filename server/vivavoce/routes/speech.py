"""The HTTP routes: OpenAI's speech contract, the lists of voices and models, probes and metrics.

Thin: it reads a request, hands it to the synthesizer, and lets `speech_response.py` stream the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from vivavoce.audio.encoders import open_encoder
from vivavoce.config import Config
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import NotFound
from vivavoce.metrics import CONTENT_TYPE, Metrics
from vivavoce.synthesis.synthesizer import SpeechRequest, Synthesizer
from vivavoce.routes.bodies import read_json
from vivavoce.routes.speech_body import OPENAI_MODELS, SpeechBody, choose_voice, parse_speech
from vivavoce.routes.speech_response import SpeechResponse

PCM_SAMPLE_RATE = 24_000  # what OpenAI's clients expect of `pcm`, whatever voice speaks

_AUDIO = {"schema": {"type": "string", "format": "binary"}}
_ERROR = {
    "description": "Refused or failed before the first sound",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "param", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"type": "string"},
                            "param": {"type": ["string", "null"]},
                            "code": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}
ERRORS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503), _ERROR)


def speech_router(synthesizer: Synthesizer, config: Config, metrics: Metrics, encoding: Executor) -> APIRouter:
    """`/v1/audio/speech`."""
    router = APIRouter(tags=["speech"], responses=ERRORS)

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
        wav_sizes: Literal["stream", "exact"] = Query(
            "stream", description="`exact`: wav with true sizes, sent when the speech is whole (Safari needs it)."
        ),
    ) -> Response:
        fields = await read_json(request, max_bytes=config.max_body_kib * 1024, timeout_s=config.body_timeout_s)
        body = parse_speech(fields, max_text=config.max_text)
        voice = choose_voice(body, synthesizer.voices, config.engines)
        info, _ = synthesizer.voices.resolve(voice)
        rate = body.sample_rate or (PCM_SAMPLE_RATE if body.response_format == "pcm" else info.sample_rate)
        encoder = open_encoder(body.response_format, rate, exact_sizes=wav_sizes == "exact")
        speech_request = SpeechRequest(
            voice=voice,
            text=body.input,
            options=body.options(),
            sample_rate=rate,
            ahead_s=config.ahead_s,
            owner=request.state.owner,
            transport="http",
        )
        return SpeechResponse(
            synthesizer,
            speech_request,
            encoder,
            encoding=encoding,
            metrics=metrics,
            stall_timeout_s=config.stall_timeout_s,
            sse=body.stream_format == "sse",
            words=body.timestamps == "word",
        )

    return router


def catalogue_router(synthesizer: Synthesizer) -> APIRouter:
    """`/v1/models`, `/v1/audio/voices`."""
    router = APIRouter(tags=["voices"], responses=ERRORS)

    @router.get("/v1/models", summary="Models; every voice is one")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": _models(synthesizer.voices.list())}

    @router.get("/v1/models/{model_id}", summary="One model")
    async def model(model_id: str) -> dict[str, Any]:
        for entry in _models(synthesizer.voices.list()):
            if entry["id"] == model_id:
                return entry
        raise NotFound("no such model", param="model")

    @router.get("/v1/audio/voices", summary="Voices this server speaks with")
    async def voices() -> dict[str, Any]:
        default = synthesizer.voices.default_id()
        return {"voices": [_voice(v, default) for v in synthesizer.voices.list()]}

    return router


def operations_router(synthesizer: Synthesizer, metrics: Metrics, is_draining: Callable[[], bool]) -> APIRouter:
    """Probes and metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", summary="What is loaded")
    async def health() -> dict[str, Any]:
        return {"status": "healthy", "models": [v.id for v in synthesizer.voices.list() if v.problem is None]}

    @router.get("/livez", summary="The process answers")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @router.get(
        "/readyz", summary="New utterances are welcome", responses={503: {"description": "Draining, or no voice"}}
    )
    async def readyz() -> JSONResponse:
        if is_draining():
            return JSONResponse({"status": "draining"}, status_code=503)
        if synthesizer.voices.default_id() is None:
            return JSONResponse({"status": "no voice can speak"}, status_code=503)
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router


def speech_schema() -> dict[str, Any]:
    """JSON schema of the request body, for the OpenAPI document."""
    return SpeechBody.model_json_schema(ref_template="#/components/schemas/{model}")


def _models(voices: list[VoiceInfo]) -> list[dict[str, Any]]:
    owned = [(v.id, v.created, f"vivavoce-{v.engine}") for v in voices if v.problem is None]
    aliases = [(name, 0, "vivavoce") for name in OPENAI_MODELS]
    return [
        {"id": name, "object": "model", "created": created, "owned_by": owner}
        for name, created, owner in owned + aliases
    ]


def _voice(info: VoiceInfo, default: str | None) -> dict[str, Any]:
    return {
        "id": info.id,
        "name": info.name,
        "language": info.languages[0] if info.languages else None,
        "languages": list(info.languages),
        "engine": info.engine,
        "sample_rate": info.sample_rate,
        "references": list(info.references),
        "default": info.id == default,
        "available": info.problem is None,
        "problem": info.problem,
    }
