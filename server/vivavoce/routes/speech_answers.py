"""A wish to speak in OpenAI's fields, answered: what all routes that speak have in common, whoever's contract it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from fastapi import Request
from starlette.responses import Response

from vivavoce.audio.encoders import AudioEncoder, open_encoder
from vivavoce.audio.spool import Spool
from vivavoce.config import LimitSettings, LiveSettings
from vivavoce.metrics import Metrics
from vivavoce.routes.launched import LaunchedModels
from vivavoce.routes.prompted_voices import Prompt, PromptedVoices
from vivavoce.routes.speech_body import choose_form, parse_speech
from vivavoce.routes.speech_dialects import with_seed_of_voice
from vivavoce.routes.speech_links import SpeechWish
from vivavoce.routes.speech_response import SpeechResponse
from vivavoce.serving.addresses import deployment_of
from vivavoce.synthesis.speaker import Speaker, SpeechRequest

WHOLE = "exact"  # for clients that take a sound as one file anyway


class SpeechAnswers:
    """Chooses the voice and the form of the sound, and streams it."""

    def __init__(
        self,
        speaker: Speaker,
        launched: LaunchedModels,
        prompted: PromptedVoices,
        limits: LimitSettings,
        live: LiveSettings,
        engines: Sequence[str],
        metrics: Metrics,
        encoding: Executor,
    ) -> None:
        self._speaker = speaker
        self._launched = launched
        self._prompted = prompted
        self._limits, self._live, self._engines = limits, live, engines
        self._metrics = metrics
        self._encoding = encoding

    async def answer(self, request: Request, fields: Mapping[str, Any], *, sizes: str | None = None) -> Response:
        """Speak what the fields say; raises as `wish` does."""
        return self.spoken(await self.wish(request, fields, sizes=sizes))

    async def wish(
        self, request: Request, fields: Mapping[str, Any], *, sizes: str | None = None, prompt: Prompt | None = None
    ) -> SpeechWish:
        """What the fields ask for.

        Args:
            fields: OpenAI's and our extensions; `model` may be a name the caller launched a voice under.
            sizes: "exact" or "stream", where the caller says.
            prompt: a recording to speak like; it is read now.

        Raises:
            InvalidRequest: If a field is wrong, or the prompt.
        """
        owner: str = request.state.owner
        if not fields.get("model") and (deployment := deployment_of(request.state)) is not None:
            fields = {**fields, "model": deployment}
        if isinstance(model := fields.get("model"), str):
            fields = with_seed_of_voice({**fields, "model": self._launched.model_of(model, owner)})
        body = parse_speech(fields, max_text=self._limits.max_text)
        choose = self._speaker.choose
        voice = await asyncio.to_thread(choose, body.voice_name, body.model)  # it may look at the disk
        form = choose_form(body, self._engines)
        if prompt is not None:
            voice = await self._prompted.like(prompt, voice, request)
        return SpeechWish(
            SpeechRequest(
                voice=voice,
                text=body.input,
                options=body.options(),
                sample_rate=form.sample_rate or voice.info.sample_rate,
                ahead_s=self._live.ahead_s,
                owner=request.state.client,
                transport="http",
            ),
            form.name,
            exact_sizes=form.whole if sizes is None else sizes == "exact",
            sse=body.stream_format == "sse",
            words=body.timestamps == "word",
        )

    def spoken(self, wish: SpeechWish) -> Response:
        """The answer to a wish, streamed; one with its true length waits in a spool until it is whole."""
        spool = Spool() if wish.exact_sizes else None
        return SpeechResponse(
            self._speaker,
            wish.request,
            encoder_of(wish, spool),
            spool=spool,
            encoding=self._encoding,
            metrics=self._metrics,
            stall_timeout_s=self._live.stall_timeout_s,
            sse=wish.sse,
            words=wish.words,
        )


def encoder_of(wish: SpeechWish, spool: Spool | None = None) -> AudioEncoder:
    """What writes the wished form."""
    rate = wish.request.sample_rate
    assert rate is not None
    return open_encoder(wish.format, rate, exact_sizes=wish.exact_sizes, spool=spool)
