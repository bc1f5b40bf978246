"""Models on other machines behind two routes: `/v1/hosted/text-to-audio` and `/v1/hosted/image-to-text`.

They take the forms of the small services that wrap Hugging Face's inference, and keep what those leave out: the text is
sent as it came, the address passes the rules of `hosted/addresses.py`, everything has an end. Sound is transcoded while
it arrives. `local:` in the address answers from this machine: a voice speaks, pictures are read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from vivavoce.audio.encoders import FORMATS, open_encoder
from vivavoce.config import LimitSettings, LiveSettings
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.errors import InvalidRequest, ShuttingDown
from vivavoce.hosted.addresses import Target
from vivavoce.hosted.captions import wished
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.listener import HostedListener
from vivavoce.hosted.pictures import PictureReader
from vivavoce.hosted.speaker import HostedSpeaker
from vivavoce.hosted.transcoding import FROM_ELSEWHERE, as_the_models_fault, transcoded
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.hosted_body import TextToAudio, read_image_to_text, read_text_to_audio
from vivavoce.routes.hosted_description import MISSING, Description
from vivavoce.routes.hosted_openapi import IMAGE_TO_TEXT, TEXT_TO_AUDIO
from vivavoce.routes.launched import LaunchedModels
from vivavoce.routes.speech_response import SpeechResponse
from vivavoce.routes.streamed import ClientGone, StreamedResponse, unless_gone
from vivavoce.serving.access import ANONYMOUS
from vivavoce.synthesis.speaker import Speaker, SpeechRequest, VoiceKeeper
from vivavoce.synthesis.speakers import Speakers

NOTE = "x-hosted-note"

logger = logging.getLogger(__name__)


class HostedOff(InvalidRequest):
    """This server calls no models elsewhere."""

    status = 403
    code = "hosted_disabled"

    def __init__(self) -> None:
        super().__init__(
            "this server does not call models on other machines; the setting `hosted = true` switches that on",
            param="api_url",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedServices:
    """What the routes of the hosted models work with.

    Attributes:
        models: None where the setting is off.
        listener: every model that hears: this machine's and the declared ones of other machines.
        ears, voices: declared ones on other machines; None where there are none.
        limits, live: settings.
        places: calls at once, with a share for each owner.
    """

    models: HostedModels | None
    places: Places
    pictures: PictureReader
    decoding: DecodingService
    draining: Draining
    launched: LaunchedModels
    synthesizer: VoiceKeeper
    listener: ModelKeeper
    ears: HostedListener | None
    voices: HostedSpeaker | None
    encoding: Executor
    metrics: Metrics
    limits: LimitSettings
    live: LiveSettings

    @property
    def speaker(self) -> Speaker:
        """Every voice that speaks here: the synthesizer's and the declared ones of other machines."""
        return self.synthesizer if self.voices is None else Speakers(self.synthesizer, self.voices)

    async def drain(self, timeout_s: float) -> None:
        """Wait for what is being spoken elsewhere."""
        if self.voices is not None and not await self.voices.drain(timeout_s):
            logger.warning("some utterances of hosted voices were cut off by the drain timeout")

    async def aclose(self) -> None:
        """Hang up, stop launching, and end the reader of pictures."""
        await self.launched.aclose()
        for declared in (self.voices, self.ears):
            if declared is not None:
                await declared.aclose()
        if self.models is not None:
            await self.models.aclose()
        await self.pictures.aclose()


def hosted_router(services: HostedServices) -> APIRouter:
    """The routes text to audio and image to text, which ask models elsewhere."""
    router = APIRouter(tags=["models elsewhere"], responses={**ERRORS, 502: ERRORS[500], 504: ERRORS[500]})

    @router.post(
        "/v1/hosted/text-to-audio",
        summary="A text becomes the sound that a described model makes of it",
        response_class=Response,
        **TEXT_TO_AUDIO,
    )
    async def text_to_audio(
        request: Request,
        format: str | None = Query(None, description=f"{', '.join(FORMATS)}; ogg (Vorbis) if none is named."),
    ) -> Response:
        wish = await read_text_to_audio(request, services.limits, format=format)
        if wish.description.local is not None:
            return await _spoken_here(services, wish, request.state.client)
        models, target, token = _called(services, wish.description, request.state.owner)
        return StreamedResponse(
            _transcoded(services, models, target, token, wish, request.state.client),
            media_type=FORMATS[wish.format],
            headers=_headers(target),
            route="hosted",
            metrics=services.metrics,
            stall_timeout_s=services.live.stall_timeout_s,
        )

    @router.post(
        "/v1/hosted/image-to-text",
        summary="A picture becomes the words that a described model finds for it",
        response_class=JSONResponse,
        **IMAGE_TO_TEXT,
    )
    async def image_to_text(request: Request) -> Response:
        wish = await read_image_to_text(request, services.limits)
        description, owner = wish.description, request.state.owner
        headers: dict[str, str] = {}

        async def answer() -> Any:
            async with services.places.enter(request.state.client):
                if description.local is not None:
                    return await services.pictures.read(description.local, wish.image)
                models, target, token = _called(services, description, owner)
                headers.update(_headers(target))
                return await models.caption(target, token, wish.image, wish.picture.media_type)

        try:
            content = await unless_gone(request.receive, answer())
        except ClientGone:
            services.metrics.requests.labels("hosted", "client_gone", "").inc()
            return Response(status_code=ClientGone.status)  # to nobody
        services.metrics.requests.labels("hosted", "completed", "").inc()
        return JSONResponse(wished(content, description.desired_output), headers=headers)

    return router


def _called(services: HostedServices, description: Description, owner: str) -> tuple[HostedModels, Target, str | None]:
    """The client, the address and the token of a call.

    Raises:
        HostedOff: If this server calls nobody.
        AddressRefused: If not this address.
        InvalidRequest: If there is no token for it.
        ShuttingDown: If nothing new is begun any more.
    """
    if services.models is None:
        raise HostedOff
    if services.draining.has_begun:
        raise ShuttingDown("the server is shutting down")
    target = services.models.target(description.api_url)
    token = description.api_token
    if token is None and owner != ANONYMOUS:  # the server's own is for those it knows
        token = services.models.own_token(target)
    if token is None:
        raise InvalidRequest(MISSING, param="json_description")
    return services.models, target, token


async def _spoken_here(services: HostedServices, wish: TextToAudio, owner: str) -> Response:
    """The server's own voice in the place of a model elsewhere."""
    voice = await asyncio.to_thread(services.synthesizer.choose, wish.description.local)
    speech = SpeechRequest(
        voice=voice,
        text=wish.text,
        sample_rate=voice.info.sample_rate,
        ahead_s=services.live.ahead_s,
        owner=owner,
        transport="http",
    )
    return SpeechResponse(
        services.synthesizer,
        speech,
        open_encoder(wish.format, voice.info.sample_rate),
        encoding=services.encoding,
        metrics=services.metrics,
        stall_timeout_s=services.live.stall_timeout_s,
    )


async def _transcoded(
    services: HostedServices, models: HostedModels, target: Target, token: str | None, wish: TextToAudio, owner: str
) -> AsyncGenerator[bytes, None]:
    """The model's sound in the wished format, part by part; as slow as its reader."""
    with as_the_models_fault():
        async with (
            services.places.enter(owner),
            models.sound(target, token, wish.text, wish.description.parameters) as sound,
            services.decoding.live(owner=owner, sample_rate=None, rules=FROM_ELSEWHERE) as decoder,
            aclosing(transcoded(sound, decoder, wish.format, services.encoding)) as parts,
        ):
            async for part in parts:
                yield part


def _headers(target: Target) -> dict[str, str]:
    return {} if target.note is None else {NOTE: target.note}
