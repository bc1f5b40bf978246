"""A recording and a wish become words: what all routes that listen have in common, whoever's contract it is.

What a client sent is on disk; it is decoded in a process of its own, heard behind everything live, and written in the
form that was asked for. Bounded in bytes, seconds of sound, seconds of work and number, with a share for each owner.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.responses import Response

from vivavoce.audio.decoders import DecodingRules
from vivavoce.config import LimitSettings, ListeningSettings, LiveSettings
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.engines.recognizer import Task
from vivavoce.errors import EngineTimeout, ShuttingDown, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.models.catalogue import is_name
from vivavoce.recognition.listener import HeardSegment, HearingRequest, Listener
from vivavoce.recognition.transcript import Transcript
from vivavoce.routes.launched import LaunchedModels
from vivavoce.routes.streamed import ClientGone, StreamedResponse, unless_gone
from vivavoce.routes.transcript_events import TranscriptEvents, event
from vivavoce.routes.transcript_formats import FORMATS, chunks, written
from vivavoce.routes.transcription_body import TranscriptionBody, parse_transcription
from vivavoce.routes.transcription_wish import Wish, wish_of
from vivavoce.routes.uploads import Upload, read_upload
from vivavoce.serving.addresses import deployment_of
from vivavoce.serving.error_shapes import STATE
from vivavoce.serving.running import Running
from vivavoce.translation.plan import own_pairs
from vivavoce.translation.translated import translated
from vivavoce.translation.translator import Translator

AT_ONCE, WAITING, SHARE = 8, 24, 8  # recordings: being heard, waiting on disk, of one owner together
DECODE_SHARE = 0.05  # a second of a long recording may take so long to decode


class TranscriptAnswers:
    """Answers the requests for transcriptions and translations.

    Args:
        translators: write other languages than a recognizer does; the first that can is asked.
        share: of the recordings heard at the same time that one owner may have, 0..1.

    Attributes:
        running: recordings that are being heard, or wait to be.
    """

    def __init__(
        self,
        listener: Listener,
        decoding: DecodingService,
        launched: LaunchedModels,
        draining: Draining,
        limits: LimitSettings,
        live: LiveSettings,
        listening: ListeningSettings,
        metrics: Metrics,
        translators: Sequence[Translator] = (),
        *,
        share: float = 1.0,
    ) -> None:
        self._listener = listener
        self._decoding = decoding
        self._launched = launched
        self._draining = draining
        self._limits, self._live, self._listening = limits, live, listening
        self._metrics = metrics
        self._translators = translators
        self.running = Running()
        self._places = Places("recordings", AT_ONCE, WAITING, SHARE, share=share)

    def knows(self, model_id: str) -> bool:
        """See `huggingface.Answerer`: a recognition model, by its id or its repository; of whisper's also one that is
        not here, for its refusal says how it gets here."""
        try:
            return bool(model_id) and self._listener.choose(model_id) is not None
        except VivaVoceError:
            return "whisper" in model_id.lower() and is_name(model_id, ())

    def pairs(self) -> list[dict[str, str]]:
        """What can be translated into what, and by whom; may look at the disk."""
        models = [info for info in self._listener.models() if info.problem is None]
        named = [(pair, info.id) for info in models for pair in own_pairs(info)]
        named += [(pair, each.name) for each in self._translators for pair in each.pairs()]
        return [{"from": pair.source, "to": pair.target, "by": name} for pair, name in named]

    async def answer(self, request: Request, model_id: str | None = None, *, task: Task = "transcribe") -> Response:
        """Read a request and answer it.

        Args:
            model_id: from the path, where it is there.

        Raises:
            VivaVoceError: What keeps it from being heard.
        """
        if self._draining.has_begun:
            raise ShuttingDown("the server is shutting down")
        upload = await read_upload(request, self._limits)
        try:
            if upload.hugging_face:
                setattr(request.state, STATE, "huggingface")
                task = "translate" if upload.fields.get("task") == ["translate"] else task
            wish = await self._wish(request, upload, model_id, task)
            if wish.body.stream:
                return self._streamed(wish)
            with self.running.one():
                response = await unless_gone(request.receive, self._whole(wish))
            self._metrics.requests.labels(_route(task), "completed", "").inc()
        except ClientGone:
            self._metrics.requests.labels(_route(task), "client_gone", "").inc()
            response = Response(status_code=ClientGone.status)  # to nobody
        except VivaVoceError as error:
            self._metrics.requests.labels(_route(task), "error", error.code).inc()
            await upload.close()
            raise
        except BaseException:
            await upload.close()
            raise
        await upload.close()
        return response

    async def _wish(self, request: Request, upload: Upload, model_id: str | None, task: Task) -> Wish:
        owner: str = request.state.owner
        body = parse_transcription(upload.fields, task)
        asked = model_id or body.model or deployment_of(request.state)
        if asked is not None:
            asked = self._launched.model_of(asked, owner)
        return await asyncio.to_thread(  # it may look at the disk
            self._checked, task, body, asked, upload, request.state.client
        )

    def _checked(self, task: Task, body: TranscriptionBody, asked: str | None, upload: Upload, owner: str) -> Wish:
        return wish_of(task, body, self._listener.choose(asked), upload, owner, self._translators)

    async def _whole(self, wish: Wish) -> Response:
        async with self._heard(wish) as (duration_s, segments):
            found = [segment async for segment in segments]
        transcript = Transcript.of(wish.task, duration_s, found, wish.language)
        body = wish.body
        if wish.upload.hugging_face:
            content = chunks(transcript, words=body.chunks == "word") if body.chunks else {"text": transcript.text}
            return Response(json.dumps(content, ensure_ascii=False), media_type="application/json")
        text = await asyncio.to_thread(_written, transcript, body)
        response = Response(text.encode())
        response.headers["content-type"] = FORMATS[body.format]
        return response

    def _streamed(self, wish: Wish) -> Response:
        return StreamedResponse(
            self._events(wish),
            media_type="text/event-stream; charset=utf-8",
            headers={},
            route=_route(wish.task),
            metrics=self._metrics,
            stall_timeout_s=self._live.stall_timeout_s,
        )

    async def _events(self, wish: Wish) -> AsyncGenerator[bytes, None]:
        """Words while they are decoded; together they are the text."""
        events = TranscriptEvents(logprobs=wish.body.logprobs)
        try:
            with self.running.one():
                async with self._heard(wish) as (duration_s, segments):
                    async for segment in segments:
                        for told in events.feed(segment):
                            yield told
            yield events.done(Transcript.of(wish.task, duration_s, events.segments, wish.language))
        except VivaVoceError as error:
            if events.begun:
                yield event("error", **error.to_wire())
            raise
        finally:
            await wish.upload.close()

    @asynccontextmanager
    async def _heard(self, wish: Wish) -> AsyncIterator[tuple[float, AsyncIterator[HeardSegment]]]:
        """(seconds of the recording, its segments as they are heard)."""
        listening = self._listening
        rules = DecodingRules(
            max_s=listening.max_recording_s,
            max_pcm_bytes=4 * 48_000 * listening.max_recording_s,
            max_channels=6,  # films
        )
        deadline_s = asyncio.get_running_loop().time() + listening.hearing_timeout_s
        async with (
            self._places.enter(wish.owner),
            self._decoding.record(
                wish.upload.blocks(),
                owner=wish.owner,
                rules=rules,
                within_s=60.0 + DECODE_SHARE * listening.max_recording_s,
            ) as recording,
        ):
            self._metrics.heard_seconds.inc(recording.duration_s)
            request = HearingRequest(
                model=wish.model,
                options=wish.options,
                detector=wish.body.detector,
                owner=wish.owner,
                transport="http",
            )
            sound = await asyncio.to_thread(recording.sound)
            duration_s = recording.duration_s
            async with self._listener.transcribe([sound], request) as segments:
                if wish.translator is not None and wish.language is not None:
                    segments = translated(segments, wish.translator, wish.language, duration_s)
                yield duration_s, _until(segments, deadline_s, listening.hearing_timeout_s)


async def _until(
    segments: AsyncIterator[HeardSegment], deadline_s: float, limit_s: float
) -> AsyncGenerator[HeardSegment, None]:
    """The same, with an end in time."""
    while True:
        try:
            async with asyncio.timeout_at(deadline_s):
                segment = await anext(segments)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise EngineTimeout(f"the recording was not heard to its end within {limit_s:.0f} s") from None
        yield segment


def _written(transcript: Transcript, body: TranscriptionBody) -> str:
    return written(
        transcript,
        body.format,
        granularities=body.granularities,
        logprobs=body.logprobs,
        languages=body.languages,
    )


def _route(task: Task) -> str:
    return "transcriptions" if task == "transcribe" else "translations"
