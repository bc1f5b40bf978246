"""Pipecat's `OpenAIRealtimeLLMService` in a pipeline with its own aggregators."""

from __future__ import annotations

import asyncio
from typing import Any

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMRunFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime.events import (
    AudioConfiguration,
    AudioInput,
    InputAudioTranscription,
    SessionProperties,
)
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

from realtime_clients.chat_server import ChatServer
from realtime_clients.conversation import INSTRUCTIONS, RATE, SUNNY, WEATHER, Talk, Voice, hold


class Loudspeaker(FrameProcessor):
    """What comes out of the service."""

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self._talk = talk
        self._reply = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case TTSStartedFrame():
                self._reply += 1
            case TTSAudioRawFrame():
                self._talk.hear(str(self._reply), frame.audio)
            case LLMFullResponseEndFrame():
                self._talk.tell(finished=1)
            case InterruptionFrame():
                self._talk.tell(interruptions=1)
            case ErrorFrame():
                self._talk.errors.append(frame.error)
        await self.push_frame(frame, direction)


async def test_pipecat(url: str, voice: Voice, chat: ChatServer) -> None:
    async def speak(pcm: bytes) -> None:
        for at in range(0, len(pcm), 4800):
            await worker.queue_frame(InputAudioRawFrame(pcm[at : at + 4800], RATE, 1))

    talk = Talk(speak)

    async def get_weather(params: FunctionCallParams) -> None:
        talk.calls.append((params.function_name, dict(params.arguments)))
        await params.result_callback(SUNNY)

    transcription = InputAudioTranscription(model="gpt-4o-mini-transcribe")
    properties = SessionProperties(audio=AudioConfiguration(input=AudioInput(transcription=transcription)))
    settings = OpenAIRealtimeLLMService.Settings(
        model="gpt-realtime", system_instruction=INSTRUCTIONS, session_properties=properties
    )
    address = f"{url.replace('http', 'ws')}/v1/realtime"
    service = OpenAIRealtimeLLMService(api_key="any", base_url=address, settings=settings)
    service.register_function("get_weather", get_weather)
    schema: Any = WEATHER["parameters"]
    weather = FunctionSchema("get_weather", str(WEATHER["description"]), schema["properties"], schema["required"])
    aggregators = LLMContextAggregatorPair(LLMContext(tools=ToolsSchema(standard_tools=[weather])))
    pipeline = Pipeline([aggregators.user(), service, Loudspeaker(talk), aggregators.assistant()])
    worker = PipelineWorker(pipeline, params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE))
    runner = WorkerRunner(handle_sigint=False)
    running = asyncio.create_task(runner.run(worker))
    try:
        await worker.queue_frame(LLMRunFrame())
        await talk.until("the greeting", lambda: talk.finished == 1)
        talk.sounds.clear()
        talk.finished, talk.interruptions = 0, 0
        await hold(talk, voice, chat)
    finally:
        await worker.cancel()
        await running
