"""`POST /models/{id}`: what Hugging Face's clients send to a model's address, for the models of this server.

A voice speaks what stands in `inputs`; other kinds of model are `Answerer`s: the reader of pictures here, recognizers
in `transcription_answers.py`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import Protocol

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from vivavoce.config import LimitSettings
from vivavoce.errors import InvalidRequest, UnsupportedMediaType
from vivavoce.hosted.captions import look_at
from vivavoce.hosted.pictures import NAME, PictureReader
from vivavoce.routes.bodies import read_bytes, read_json
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.forms import media_type
from vivavoce.routes.hosted_body import MAX_INLINE_IMAGE
from vivavoce.routes.speech_answers import WHOLE, SpeechAnswers
from vivavoce.routes.speech_dialects import from_hugging_face
from vivavoce.routes.streamed import unless_gone


class Answerer(Protocol):
    """One kind of model behind `/models/{id}`."""

    def knows(self, model_id: str) -> bool:
        """True where this id is one of its models."""
        ...

    async def answer(self, request: Request, model_id: str) -> Response:
        """Read the request and answer it."""
        ...


class PictureAnswers:
    """Reads text in pictures, raw or in base64."""

    def __init__(self, reader: PictureReader, limits: LimitSettings) -> None:
        self._reader, self._limits = reader, limits

    def knows(self, model_id: str) -> bool:
        return model_id == NAME

    async def answer(self, request: Request, model_id: str) -> Response:
        image = await self._image(request)
        look_at(image, param="inputs")
        words = await unless_gone(request.receive, self._reader.read(model_id, image))
        one = "@huggingface/inference" in request.headers.get("user-agent", "")  # it wants the object, Python the list
        return JSONResponse(words[0] if one else words)

    async def _image(self, request: Request) -> bytes:
        limits = self._limits
        if media_type(request) != "application/json":
            return await read_bytes(request, max_bytes=limits.max_upload_mib << 20, timeout_s=limits.body_timeout_s)
        most = min(limits.max_upload_mib << 20, MAX_INLINE_IMAGE)
        fields = await read_json(request, max_bytes=2 * most, timeout_s=limits.body_timeout_s)
        try:
            return base64.b64decode(fields.get("inputs") or "", validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise InvalidRequest("inputs must be a picture in base64", param="inputs") from None


def huggingface_router(answers: SpeechAnswers, others: Sequence[Answerer], limits: LimitSettings) -> APIRouter:
    """`/models/{id}`; whatever is nobody else's is a voice."""
    router = APIRouter(tags=["models by name"], responses=ERRORS)

    @router.post(
        "/models/{model_id:path}",
        summary="A model of this server, as Hugging Face's clients ask for it",
        response_class=Response,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["inputs"],
                            "properties": {"inputs": {"type": "string"}, "parameters": {"type": "object"}},
                        },
                        "example": {"inputs": "Hello there."},
                    }
                },
            }
        },
    )
    async def model(request: Request, model_id: str) -> Response:
        other = await asyncio.to_thread(_answerer, others, model_id)  # it may look at the disk
        if other is not None:
            return await other.answer(request, model_id)
        if media_type(request) != "application/json":
            raise UnsupportedMediaType(
                'no model of that name listens here, and a voice speaks what stands in JSON: {"inputs": text}',
                param="inputs",
            )
        fields = await read_json(request, max_bytes=limits.body_bytes(), timeout_s=limits.body_timeout_s)
        return await answers.answer(request, from_hugging_face(fields, model_id), sizes=WHOLE)

    return router


def _answerer(others: Sequence[Answerer], model_id: str) -> Answerer | None:
    return next((each for each in others if each.knows(model_id)), None)
