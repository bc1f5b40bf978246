"""OpenAI's contract for listening: `POST /v1/audio/transcriptions` and `/v1/audio/translations`. Thin."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from vivavoce.routes.errors import ERRORS
from vivavoce.routes.transcript_formats import FORMATS, GRANULARITIES
from vivavoce.routes.transcription_answers import TranscriptAnswers

_TEXT = {"type": "string"}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "WAV, FLAC, MP3, AAC, Ogg, WebM, M4A or AMR; told by its content, whatever it is called.",
        },
        "model": {**_TEXT, "description": "A recognition model, or one of OpenAI's names for the default."},
        "language": {**_TEXT, "description": "What is spoken: a code, a tag or a name; detected where absent."},
        "prompt": {**_TEXT, "description": "Text that came before: names, spelling, style."},
        "response_format": {"type": "string", "enum": list(FORMATS), "default": "json"},
        "temperature": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
    },
}
_MORE: dict[str, Any] = {
    "timestamp_granularities[]": {"type": "array", "items": {"type": "string", "enum": list(GRANULARITIES)}},
    "stream": {"type": "boolean", "default": False, "description": "Server-sent events while it is being heard."},
    "include[]": {"type": "array", "items": {"type": "string", "enum": ["logprobs"]}},
    "chunking_strategy": {**_TEXT, "description": "`auto`, or an object of type `server_vad`, as JSON."},
    "languages[]": {"type": "array", "items": _TEXT, "description": "The only languages that may be spoken."},
    "keywords[]": {"type": "array", "items": _TEXT, "description": "Words that are likely to be said."},
    "seed": {"type": "integer", "minimum": 0, "description": "Extension: of a temperature above 0."},
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The words, in the form that was asked for",
        "content": {
            "application/json": {"schema": {"type": "object", "required": ["text"], "properties": {"text": _TEXT}}},
            "text/plain": {"schema": _TEXT},
            "text/vtt": {"schema": _TEXT},
            "text/event-stream": {"schema": _TEXT},
        },
    }
}


def transcriptions_router(answers: TranscriptAnswers) -> APIRouter:
    """The routes `/v1/audio/transcriptions` and `/v1/audio/translations`."""
    router = APIRouter(tags=["listening"], responses={**ERRORS, 504: ERRORS[500]})

    @router.post(
        "/v1/audio/transcriptions",
        summary="What is said in a recording",
        response_class=Response,
        responses=_ANSWER,
        openapi_extra=_body(_MORE),
    )
    async def transcriptions(request: Request) -> Response:
        return await answers.answer(request)

    @router.post(
        "/v1/audio/translations",
        summary="What is said in a recording, in another language",
        response_class=Response,
        responses=_ANSWER,
        openapi_extra=_body({**_MORE, "to_language": {**_TEXT, "default": "en", "description": "Extension."}}),
    )
    async def translations(request: Request) -> Response:
        return await answers.answer(request, task="translate")

    @router.get("/v1/audio/translations", summary="What can be translated into what; `any` is every language")
    async def pairs() -> dict[str, Any]:
        return {"pairs": await asyncio.to_thread(answers.pairs)}

    return router


def _body(more: dict[str, Any]) -> dict[str, Any]:
    form = {**_FORM, "properties": {**_FORM["properties"], **more}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}
