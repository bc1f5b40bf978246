"""Pipecat's own pipeline over the recordings of `conversation.py`: its Silero, its smart-turn, faster-whisper.

Runs in an environment with `pipecat-ai[whisper]`, started by `conversation.py`; the voice and the chat model are the
same as there. Prints the seconds from the end of each speech to the first audible sample that leaves the pipeline.

    python conversation_peer.py CLIPS.npz VOICE_URL CHAT_URL WEIGHTS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import numpy as np
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import Frame, InputAudioRawFrame, TTSAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.audio.vad_processor import VADProcessor
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.workers.runner import WorkerRunner

RATE_IN = 16_000  # what its detectors take
RATE_OUT = 24_000
FRAME = RATE_IN // 50
AUDIBLE = 10 ** (-45 / 20) * 32767
LONGEST_S = 12.0
BETWEEN_S = 2.5  # the rest of an answer that nobody listens to


class Loudspeaker(FrameProcessor):
    """Notes when sound comes that somebody would hear."""

    def __init__(self) -> None:
        super().__init__()
        self.audible_s: float | None = None
        self.sounds = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame) and not self.sounds.is_set():
            loud = np.abs(np.frombuffer(frame.audio, "<i2").astype(np.int32)) > AUDIBLE
            if loud.any():
                self.audible_s = time.monotonic() + int(np.argmax(loud)) / frame.sample_rate
                self.sounds.set()
        await self.push_frame(frame, direction)


class Microphone:
    """A frame every 20 ms: what is to be said, or silence."""

    def __init__(self, worker: PipelineWorker) -> None:
        self._worker = worker
        self._frames: list[bytes] = []
        self._said = asyncio.Event()
        self.ended_s = 0.0

    async def say(self, data: np.ndarray) -> None:
        data = np.pad(data, (0, -len(data) % FRAME))
        self._said.clear()
        self._frames = [frame.tobytes() for frame in data.reshape(-1, FRAME)]
        await self._said.wait()

    async def run(self) -> None:
        due_s = time.monotonic()
        while True:
            says = bool(self._frames)
            frame = self._frames.pop(0) if says else bytes(2 * FRAME)
            await self._worker.queue_frame(InputAudioRawFrame(frame, RATE_IN, 1))
            if says and not self._frames:
                self.ended_s = time.monotonic()
                self._said.set()
            due_s += 0.02
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))


async def main(clips: str, voice_url: str, chat_url: str, weights: str) -> list[float]:
    """Seconds for each turn that was answered."""
    hearing = WhisperSTTService.Settings(model=weights, language=Language.EN)
    listener = WhisperSTTService(device="cpu", compute_type="int8", settings=hearing)
    brain = OpenAILLMService(api_key="any", base_url=chat_url, settings=OpenAILLMService.Settings(model="stub"))
    speaking = OpenAITTSService.Settings(voice="alloy", model="tts-1")
    speaker = OpenAITTSService(api_key="any", base_url=f"{voice_url}/v1", settings=speaking)
    context = LLMContextAggregatorPair(LLMContext())
    loudspeaker = Loudspeaker()
    detector = VADProcessor(vad_analyzer=SileroVADAnalyzer())
    parts = [detector, listener, context.user(), brain, speaker, loudspeaker, context.assistant()]
    rates = PipelineParams(audio_in_sample_rate=RATE_IN, audio_out_sample_rate=RATE_OUT)
    worker = PipelineWorker(Pipeline(parts), params=rates)
    running = asyncio.create_task(WorkerRunner(handle_sigint=False).run(worker))
    microphone = Microphone(worker)
    talking = asyncio.create_task(microphone.run())
    await asyncio.sleep(3.0)
    found = []
    for n, sound in enumerate(_recordings(clips)):
        loudspeaker.sounds.clear()
        await microphone.say(sound)
        try:
            async with asyncio.timeout(LONGEST_S):
                await loudspeaker.sounds.wait()
        except TimeoutError:
            continue
        wait_s = loudspeaker.audible_s - microphone.ended_s
        if n and wait_s > 0:  # the first one wakes caches; a negative one was cut short
            found.append(wait_s)
        await asyncio.sleep(BETWEEN_S)
    talking.cancel()
    await worker.cancel()
    await running
    return found


def _recordings(path: str) -> list[np.ndarray]:
    """int16 [n], 16 kHz; the first one twice."""
    import soxr

    with np.load(path) as clips:
        sounds = [soxr.resample(clips[name], 24_000, RATE_IN) for name in clips.files]
    return [np.rint(np.clip(each, -1, 1) * 32767).astype("<i2") for each in (sounds[0], *sounds)]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:5]))))
