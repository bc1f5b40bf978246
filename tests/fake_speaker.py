"""A speaker and a sink whose every step a test takes by hand: no engine, no thread, no clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import UnknownVoice, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.speaking.sink import Carrier, SoundFormat, Teller
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, SpokenChunk, Unspoken
from vivavoce.text.sentences import Sentence
from vivavoce.words import WordTiming

RATE = 24_000
CHUNK_S = 0.1


def chunk(text: str, start_s: float = 0.0, *, begins: bool = True, ends: bool = True) -> SpokenChunk:
    """A tenth of a second that says `text`, a word at its beginning."""
    samples = np.full(round(CHUNK_S * RATE), 0.25, np.float32)
    words = (WordTiming(text, start_s, start_s + CHUNK_S, 0, len(text)),)
    return SpokenChunk(AudioChunk(samples, RATE, words), Sentence(text, 0, 0, "sentence"), start_s, begins, ends)


class FakeSpoken:
    """Says what the test puts into `chunks`; None ends it, an error breaks it."""

    def __init__(self, request: SpeechRequest) -> None:
        self.request = request
        self.sample_rate = request.sample_rate or RATE
        self.produced_s = 0.0
        self.unspoken: list[Unspoken] = []
        self.told: list[str] = []
        self.chunks: asyncio.Queue[SpokenChunk | Exception | None] = asyncio.Queue()
        self.left = False

    def write(self, delta: str) -> None:
        self.told.append(delta)

    def flush(self) -> None:
        self.told.append("<flush>")

    def end(self) -> None:
        self.told.append("<end>")

    async def start(self) -> None:
        self.told.append("<start>")

    def played(self, position_s: float) -> None:
        self.told.append(f"<played {position_s:g}>")

    def heard(self, position_s: float) -> str:
        return "".join(text for text in self.told if not text.startswith("<"))[: round(position_s / CHUNK_S)]

    def __aiter__(self) -> AsyncIterator[SpokenChunk]:
        return self

    async def __anext__(self) -> SpokenChunk:
        said = await self.chunks.get()
        if said is None:
            raise StopAsyncIteration
        if isinstance(said, Exception):
            raise said
        return said


class FakeSpeaker:
    """Has one voice; `refusal` is raised instead of speaking."""

    def __init__(self) -> None:
        self.spoken: list[FakeSpoken] = []
        self.refusal: VivaVoceError | None = None
        self.begun = asyncio.Event()

    def voices(self) -> list[VoiceInfo]:
        return [VoiceInfo("alpha", "Alpha", ("en",), "fake", RATE)]

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        if voice not in (None, "alpha"):
            raise UnknownVoice(voice or "", ["alpha"])
        return ResolvedVoice(self.voices()[0])

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Place | None = None) -> AsyncIterator[FakeSpoken]:
        if self.refusal is not None:
            raise self.refusal
        spoken = FakeSpoken(request)
        self.spoken.append(spoken)
        self.begun.set()
        try:
            yield spoken
        finally:
            spoken.left = True


class FakeSink:
    """Takes chunks as the test lets it; tells of each as a carrier would."""

    def __init__(self, teller: Teller, format: SoundFormat) -> None:
        self.teller = teller
        self.format = format
        self.taken: list[SpokenChunk] = []
        self.position_s = 0.0
        self.stopped = False
        self.finished = False

    @property
    def sent_s(self) -> float:
        return sum(each.audio.duration_s for each in self.taken)

    async def send(self, chunk: SpokenChunk) -> None:
        self.taken.append(chunk)
        self.teller.tell_chunk(chunk, format=self.format.name, sample_rate=self.format.sample_rate)
        self.teller.send_audio(b"\1" * 10)
        if chunk.ends_sentence:
            self.teller.end_sentence()
        await self.teller.all_sent()

    async def finish(self) -> None:
        self.finished = True

    def played(self, position_s: float) -> None:
        self.position_s = position_s

    def stop(self) -> None:
        self.stopped = True


class FakeCarrier:
    """Opens fake sinks and keeps them."""

    def __init__(self, sample_rate: int | None = None) -> None:
        self.sinks: list[FakeSink] = []
        self.carrier = Carrier("fake", self._open, sample_rate)

    def _open(self, teller: Teller, format: SoundFormat) -> FakeSink:
        self.sinks.append(FakeSink(teller, format))
        return self.sinks[-1]
