"""A recognizer behind `/models/{id}`: what Hugging Face's clients send to one, and what they read.

Raw bytes with any content type or none, or base64 in `inputs`; the answer is `{"text"}`, with `chunks` where
`return_timestamps` asks for them. The container is told by the bytes, in the decoders' process.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from vivavoce.config import LimitSettings
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.errors import InvalidRequest, UnknownModel
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, HearingRequest, Listener, ResolvedModel
from vivavoce.routes.bodies import read_bytes, read_json
from vivavoce.routes.forms import media_type
from vivavoce.routes.streamed import unless_gone

MAX_INLINE = 8 << 20  # of sound in base64, which is read in one go; larger ones come as they are
BLOCK = 1 << 16
AT_ONCE, WAITING, PER_OWNER = 4, 16, 4


class RecognizerAnswers:
    """Hears recordings."""

    def __init__(self, listener: Listener, decoding: DecodingService, limits: LimitSettings) -> None:
        self._listener = listener
        self._decoding = decoding
        self._limits = limits
        self._places = Places("recordings to hear", AT_ONCE, waiting=WAITING, per_owner=PER_OWNER)

    def knows(self, model_id: str) -> bool:
        try:
            self._listener.choose(model_id)
        except UnknownModel:
            return False
        return bool(model_id)

    async def answer(self, request: Request, model_id: str) -> Response:
        model = await asyncio.to_thread(self._listener.choose, model_id)  # it may look at the disk
        owner: str = request.state.owner
        async with self._places.enter(owner):
            data, parameters = await self._read(request)
            heard = await unless_gone(request.receive, self._heard(model, data, _options(parameters), owner))
        return JSONResponse(_as_json(heard, parameters.get("return_timestamps")))

    async def _read(self, request: Request) -> tuple[bytes, Mapping[str, Any]]:
        """The recording and the wishes."""
        limits = self._limits
        if media_type(request) != "application/json":
            most = limits.max_upload_mib << 20
            return await read_bytes(request, max_bytes=most, timeout_s=limits.body_timeout_s), {}
        most = min(limits.max_upload_mib << 20, MAX_INLINE)
        fields = await read_json(request, max_bytes=most * 4 // 3 + (1 << 16), timeout_s=limits.body_timeout_s)
        parameters = fields.get("parameters") or {}
        if not isinstance(parameters, Mapping):
            raise InvalidRequest("parameters must be an object", param="parameters")
        try:
            return base64.b64decode(fields.get("inputs") or "", validate=True), parameters
        except (binascii.Error, ValueError, TypeError):
            raise InvalidRequest("inputs must be a recording in base64", param="inputs") from None

    async def _heard(
        self, model: ResolvedModel, data: bytes, options: HearingOptions, owner: str
    ) -> list[HeardSegment]:
        decoded = await self._decoding.decode(_blocks(data), owner=owner, sample_rate=SAMPLE_RATE)
        request = HearingRequest(model=model, options=options, owner=owner)
        async with self._listener.transcribe([decoded.samples], request) as segments:
            return [segment async for segment in segments if segment.heard.text]


def _options(parameters: Mapping[str, Any]) -> HearingOptions:
    nested = parameters.get("generation_parameters") or parameters.get("generate_kwargs")
    wishes = {**parameters, **(nested if isinstance(nested, Mapping) else {})}
    language, task = wishes.get("language"), wishes.get("task", "transcribe")
    if language is not None and not isinstance(language, str):
        raise InvalidRequest("language must be text", param="language")
    if task not in ("transcribe", "translate"):
        raise InvalidRequest("task must be transcribe or translate", param="task")
    return HearingOptions(language=language, task=task, word_times=wishes.get("return_timestamps") == "word")


def _as_json(segments: list[HeardSegment], timestamps: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"text": " ".join(segment.heard.text for segment in segments)}
    if timestamps == "word":
        content["chunks"] = [
            {"text": word.text, "timestamp": [_s(each.start_s + word.start_s), _s(each.start_s + word.end_s)]}
            for each in segments
            for word in each.heard.words
        ]
    elif timestamps:
        content["chunks"] = [
            {"text": each.heard.text, "timestamp": [_s(each.start_s), _s(each.end_s)]} for each in segments
        ]
    return content


def _s(seconds: float) -> float:
    return round(seconds, 3)


async def _blocks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), BLOCK):
        yield data[start : start + BLOCK]
