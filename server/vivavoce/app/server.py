"""The composition root: a Config becomes a running server; nothing else wires the network to the generator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from vivavoce import __version__
from vivavoce.app.assistant import Assistant, build_assistant
from vivavoce.app.hosted import build_hosted
from vivavoce.app.services import ServicesBuilder, services_of_this_machine
from vivavoce.app.translation import all_translators
from vivavoce.captions.caption_stream import CaptionStream
from vivavoce.captions.caption_stream import limits_of as captions_limits
from vivavoce.config import Config
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.speech import SpeechEngine
from vivavoce.errors import ConfigError
from vivavoce.metrics import Metrics
from vivavoce.models.catalogue import is_name as is_model_name
from vivavoce.progress import Progress
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.routes.calls import calls_router
from vivavoce.routes.catalogue import catalogue_router
from vivavoce.routes.errors import map_errors
from vivavoce.routes.hosted import HostedServices, hosted_router
from vivavoce.routes.huggingface import Answerer, PictureAnswers, huggingface_router
from vivavoce.routes.launching import launching_router
from vivavoce.routes.live import WebSockets, live_router
from vivavoce.routes.openapi import describe
from vivavoce.routes.operations import operations_router
from vivavoce.routes.prompted_voices import PromptedVoices
from vivavoce.routes.realtime import realtime_router
from vivavoce.routes.speech import speech_router
from vivavoce.routes.speech_answers import SpeechAnswers
from vivavoce.routes.transcription_answers import TranscriptAnswers
from vivavoce.routes.transcriptions import transcriptions_router
from vivavoce.routes.voices import voices_router
from vivavoce.serving.access import Access, is_loopback
from vivavoce.serving.entries import Entries
from vivavoce.serving.gate import Gate
from vivavoce.serving.shares import Shares
from vivavoce.speaking.native_stream import NativeStream, limits_of
from vivavoce.synthesis.speaker import Speaker, VoiceKeeper
from vivavoce.synthesis.voice_choice import is_openai_model
from vivavoce.transports.carried import Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc.calls import Calls
from vivavoce.voices.store import open_store
from vivavoce.web.routes import mount_page

if TYPE_CHECKING:
    from vivavoce.adapters.engine.mounting import EngineAdapter

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Server:
    """Everything that lives as long as the process.

    Attributes:
        app: the ASGI application, for uvicorn.
        synthesizer: the generator.
        draining: set once, when the server stops; everything that would begin something looks at it.
    """

    config: Config
    metrics: Metrics
    synthesizer: VoiceKeeper
    transcriber: ModelKeeper
    access: Access
    connections: Connections
    calls: Calls
    draining: Draining
    decoding: DecodingService
    hosted: HostedServices
    assistant: Assistant
    engine: EngineAdapter | None
    encoding: ThreadPoolExecutor
    app: ASGIApp
    transcripts: TranscriptAnswers | None = None

    async def drain(self) -> None:
        """The order of closing: refuse new work, let running utterances finish, then close what is still open."""
        self.draining.begin()
        self.connections.drain()  # each says goodbye once nothing of it is being spoken
        timeout_s = self.config.limits.drain_timeout_s
        tasks = asyncio.create_task(self.engine.drain(timeout_s)) if self.engine is not None else None
        hosted = asyncio.create_task(self.hosted.drain(timeout_s))
        heard = asyncio.create_task(self.transcripts.running.drain(timeout_s)) if self.transcripts is not None else None
        if not await self.synthesizer.drain(timeout_s):
            logger.warning("%d utterances were cut off by the drain timeout", self.synthesizer.speaking)
        if heard is not None and not await heard:
            logger.warning("recordings were cut off by the drain timeout before they were heard")
        await hosted
        if tasks is not None:
            await tasks
        await self.connections.close_all()
        await self.calls.aclose()

    async def aclose(self) -> None:
        """Free everything, drained or not: the application has ended."""
        self.draining.begin()
        await self.calls.aclose()
        await self.transcriber.aclose()
        await self.synthesizer.aclose()
        if self.engine is not None:
            await self.engine.aclose()
        await self.hosted.aclose()
        await self.assistant.aclose()
        await self.decoding.aclose()
        await asyncio.to_thread(self.encoding.shutdown, wait=True, cancel_futures=True)


def build_server(
    config: Config,
    engines: Sequence[SpeechEngine] | None = None,
    progress: Progress | None = None,
    *,
    recognizers: Sequence[Recognizer] | None = None,
    activity: VoiceActivity | None = None,
    services: ServicesBuilder | None = None,
) -> Server:
    """Everything, ready for uvicorn; the lifespan loads voices and stops the workers.

    Args:
        engines, recognizers, activity: instead of the configured ones (tests).
        progress: told of voices being loaded at start.
        services: makes whoever speaks and listens, instead of this machine.

    Raises:
        ConfigError: If the configuration cannot work.
    """
    metrics, draining = Metrics(), Draining()
    access = Access.from_settings(config.access, config.server.host, metrics)
    built = (
        services_of_this_machine(config, metrics, engines, recognizers, activity, draining, share_of_one=access.share)
        if services is None
        else services(config, metrics)
    )
    synthesizer, transcriber = built.speaker, built.listener
    encoding = ThreadPoolExecutor(max_workers=2, thread_name_prefix="encoder")
    shares = Shares("live connections", config.live.max_sockets, access.share_of_connections)
    connections = Connections(shares, draining, metrics)
    patience = Patience(idle_s=config.live.idle_timeout_s, stall_s=config.live.stall_timeout_s)
    decoding = DecodingService(metrics, share=access.share_of_connections)
    hosted = build_hosted(config, synthesizer, transcriber, built.ears, decoding, draining, encoding, metrics)
    speaker, listener = hosted.speaker, hosted.listener
    assistant = build_assistant(
        config.assistant,
        speaker,
        listener,
        metrics,
        built.admissions,
        synthesizer.voices,
        unread_s=config.live.stall_rest_s,
    )
    engine = _open_engine(config, hosted) if config.engine.engine_url else None
    calls = Calls(
        config.webrtc,
        patience,
        allow_private=config.webrtc.ice_private or is_loopback(config.server.host),
        share=access.share_of_connections,
        connections=connections,
        draining=draining,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await decoding.start()
        if engine is not None:
            engine.start()
        preload = asyncio.create_task(_preload(synthesizer, transcriber, assistant, config, progress), name="preload")
        try:
            yield
        finally:
            preload.cancel()
            await asyncio.gather(preload, return_exceptions=True)
            await server.aclose()

    app = FastAPI(
        title="Viva Voce",
        version=__version__,
        summary="Real-time voice server",
        lifespan=lifespan,
        docs_url=None,  # `web/routes.py` serves it, with nothing from elsewhere
        redoc_url=None,
    )
    server = Server(
        config,
        metrics,
        synthesizer,
        transcriber,
        access,
        connections,
        calls,
        draining,
        decoding,
        hosted,
        assistant,
        engine,
        encoding,
        app,
    )
    native = NativeStream(speaker, limits_of(config.live), config.live.ahead_s, metrics)
    captions = CaptionStream(listener, decoding, captions_limits(config.live), metrics)
    websockets = WebSockets(connections, encoding, patience, metrics)
    launched = hosted.launched
    prompted = PromptedVoices(synthesizer, transcriber, decoding)
    answers = SpeechAnswers(
        speaker, launched, prompted, config.limits, config.live, config.voices.engines, metrics, encoding
    )
    app.include_router(speech_router(answers, config.limits))
    transcripts = TranscriptAnswers(
        listener,
        decoding,
        launched,
        draining,
        config.limits,
        config.live,
        config.listening,
        metrics,
        all_translators(assistant.sessions.brain.chat, built.translators),
        share=access.share_of_connections,
    )
    server.transcripts = transcripts
    app.include_router(transcriptions_router(transcripts))
    others: list[Answerer] = [PictureAnswers(hosted.pictures, config.limits), transcripts]
    app.include_router(huggingface_router(answers, others, config.limits))
    app.include_router(launching_router(launched, synthesizer, listener, config.limits, needs_key=access.needs_key))
    app.include_router(
        catalogue_router(
            speaker,
            launched,
            synthesizer.default_id,
            listener,
            aliases=config.voices.aliases(),
            open_lists=config.access.open_lists,
        )
    )
    app.include_router(
        voices_router(
            open_store(config.voices),
            config.limits,
            config.voices.voice,
            decoding,
            lambda voice_id: next((each for each in synthesizer.voices() if each.id == voice_id), None),
            synthesizer.forget,
            lambda name: _is_reserved(name, synthesizer, speaker, listener),
        )
    )
    app.include_router(operations_router(synthesizer, metrics, draining, built.everywhere))
    app.include_router(live_router(websockets, native.prepare, captions.prepare, access))
    app.include_router(hosted_router(hosted))
    app.include_router(calls_router(calls, native.prepare, config.limits.body_timeout_s))
    app.include_router(realtime_router(assistant.sessions, websockets, calls, access, config.limits.body_timeout_s))
    if engine is not None:
        engine.mount(app)
    if config.webrtc.fastrtc:
        fastrtc = Shares("calls", config.webrtc.max_calls, access.share_of_connections)
        _mount_fastrtc(app, synthesizer, assistant, connections, fastrtc, config)
    map_errors(app, metrics)
    describe(app, max_text=config.limits.max_text)
    mount_page(app, config.access.allowed_origins)
    server.app = Gate(app, access, Entries(app.routes), metrics)
    if config.access.cors and config.access.allowed_origins:
        server.app = CORSMiddleware(
            server.app,
            allow_origins=list(config.access.allowed_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],  # answered with the very names that were asked for: SDKs send a dozen of their own
            expose_headers=["x-request-id", "x-audio-sample-rate", "x-unspoken", "location"],
        )
    return server


def _is_reserved(name: str, synthesizer: VoiceKeeper, speaker: Speaker, listener: ModelKeeper) -> bool:
    """Whether a name means something to clients already, in `voice` or in `model`; may look at the disk."""
    return (
        is_openai_model(name)
        or name in synthesizer.spoken_for()
        or name in {voice.id for voice in speaker.voices()}
        or is_model_name(name, [model.id for model in listener.models()])
    )


def _mount_fastrtc(
    app: FastAPI, speaker: Speaker, assistant: Assistant, connections: Connections, shares: Shares, config: Config
) -> None:
    try:
        from vivavoce.adapters.fastrtc import mount, mount_conversation
    except ImportError as error:
        raise ConfigError(f"fastrtc needs its extra: pip install 'vivavoce[fastrtc]' ({error})") from error
    most = config.webrtc.max_calls
    mount(app, speaker, max_calls=most, shares=shares)
    mount_conversation(app, assistant.sessions, connections=connections, max_calls=most, shares=shares)


def _open_engine(config: Config, hosted: HostedServices) -> EngineAdapter:
    try:
        from vivavoce.adapters.engine.mounting import EngineAdapter
    except ImportError as error:
        raise ConfigError(f"engine_url needs its extra: pip install 'vivavoce[engine]' ({error})") from error
    return EngineAdapter(config.engine, config.limits, hosted.models, hosted.decoding, hosted.encoding)


async def _preload(
    synthesizer: VoiceKeeper,
    transcriber: ModelKeeper,
    assistant: Assistant,
    config: Config,
    progress: Progress | None,
) -> None:
    if config.voices.preload:
        await synthesizer.preload(progress)
    if config.listening.preload_recognizer:
        await transcriber.preload(progress)
    if config.assistant.preload_chat:
        await assistant.preload()
