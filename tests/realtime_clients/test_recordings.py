"""Stock clients on recordings: what is said in them, in every format and with the times of its words."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, Literal

import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import openai as livekit_openai
from openai import OpenAI
from openai.types.audio import (
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)
from pipecat.frames.frames import ErrorFrame, TranscriptionFrame
from pipecat.services.openai.stt import OpenAISTTService

from realtime_clients.recordings import (
    Recording,
    check_segments,
    check_subtitles,
    check_text,
    check_words,
    record,
)
from realtime_clients.test_javascript import run

Granularity = Literal["word", "segment"]
BOTH: list[list[Granularity]] = [["word"], ["segment"], ["word", "segment"]]


@pytest.fixture(scope="module")
def recording(url: str, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(url, tmp_path_factory.mktemp("recording"))


@pytest.fixture
def client(url: str) -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)


def timed(parts: Any, word: str = "word", start: str = "start", end: str = "end") -> list[tuple[str, float, float]]:
    """(text, start, end) of what clients make of words and segments."""
    fields = [part if isinstance(part, dict) else part.model_dump() for part in parts]
    return [(each[word], each[start], each[end]) for each in fields]


# -- openai-python


def test_openai_python_on_recordings(client: OpenAI, recording: Recording) -> None:
    _formats_of_openai_python(client, recording)
    for wanted in BOTH:
        _times_of_openai_python(client, recording, wanted)
    _events_of_openai_python(client, recording)
    _translations_of_openai_python(client, recording)


def _formats_of_openai_python(client: OpenAI, recording: Recording) -> None:
    hear = client.audio.transcriptions.create
    plain = hear(model="whisper-1", file=recording.path)
    assert isinstance(plain, Transcription)
    check_text(recording, plain.text)
    check_text(recording, hear(model="gpt-4o-transcribe", file=recording.path, response_format="text"))
    for kind in ("srt", "vtt"):
        check_subtitles(recording, hear(model="whisper-1", file=recording.path, response_format=kind), kind)


def _times_of_openai_python(client: OpenAI, recording: Recording, wanted: list[Granularity]) -> None:
    heard = client.audio.transcriptions.create(
        model="whisper-1", file=recording.path, response_format="verbose_json", timestamp_granularities=wanted
    )
    assert isinstance(heard, TranscriptionVerbose)
    check_text(recording, heard.text)
    assert heard.language in ("english", "en")
    assert float(heard.duration) == pytest.approx(recording.duration_s, abs=0.05)
    assert (heard.words is not None, heard.segments is not None) == ("word" in wanted, "segment" in wanted)
    if heard.words is not None:
        check_words(recording, timed(heard.words))
    if heard.segments is not None:
        check_segments(recording, timed(heard.segments, "text"))


def _events_of_openai_python(client: OpenAI, recording: Recording) -> None:
    events = list(client.audio.transcriptions.create(model="gpt-4o-transcribe", file=recording.path, stream=True))
    *deltas, done = events
    assert all(isinstance(each, TranscriptionTextDeltaEvent) for each in deltas)
    assert isinstance(done, TranscriptionTextDoneEvent)
    assert "".join(each.delta for each in deltas if isinstance(each, TranscriptionTextDeltaEvent)) == done.text
    check_text(recording, done.text)
    assert done.usage is not None


def _translations_of_openai_python(client: OpenAI, recording: Recording) -> None:
    hear = client.audio.translations.create
    plain = hear(model="whisper-1", file=recording.path)
    assert isinstance(plain, Translation)
    check_text(recording, plain.text)
    check_text(recording, hear(model="whisper-1", file=recording.path, response_format="text"))
    for kind in ("srt", "vtt"):
        check_subtitles(recording, hear(model="whisper-1", file=recording.path, response_format=kind), kind)
    whole = hear(model="whisper-1", file=recording.path, response_format="verbose_json")
    assert isinstance(whole, TranslationVerbose)
    assert whole.segments is not None
    check_segments(recording, timed(whole.segments, "text"))


# -- openai-node, the AI SDK


async def test_openai_node_on_recordings(url: str, recording: Recording) -> None:
    heard = await run("recordings_openai.mjs", url, str(recording.path))
    for way in ("transcriptions", "translations"):
        check_text(recording, heard[f"{way} json"]["text"])
        check_text(recording, heard[f"{way} text"])
        for kind in ("srt", "vtt"):
            check_subtitles(recording, heard[f"{way} {kind}"], kind)
    for wanted in BOTH:
        whole = heard[f"transcriptions verbose_json {' '.join(wanted)}"]
        assert ("words" in whole, "segments" in whole) == ("word" in wanted, "segment" in wanted)
        assert whole["duration"] == pytest.approx(recording.duration_s, abs=0.05)
        if "word" in wanted:
            check_words(recording, timed(whole["words"]))
        if "segment" in wanted:
            check_segments(recording, timed(whole["segments"], "text"))
    check_segments(recording, timed(heard["translations verbose_json"]["segments"], "text"))
    *deltas, done = heard["stream"]
    assert {each["type"] for each in deltas} == {"transcript.text.delta"}
    assert (done["type"], done["text"]) == ("transcript.text.done", "".join(each["delta"] for each in deltas))
    check_text(recording, done["text"])


async def test_ai_sdk_on_recordings(url: str, recording: Recording) -> None:
    heard = await run("recordings_ai_sdk.mjs", url, str(recording.path))
    for name, each in heard.items():
        check_text(recording, each["text"])
        assert each["warnings"] == [], name
    for name in ("by itself", "word", "both"):
        assert heard[name]["language"] == "en"
        assert heard[name]["durationInSeconds"] == pytest.approx(recording.duration_s, abs=0.05)
    for name in ("word", "both"):
        check_words(recording, timed(heard[name]["words"], "text", "startSecond", "endSecond"))
    for name in ("by itself", "both"):
        check_segments(recording, timed(heard[name]["segments"], "text", "startSecond", "endSecond"))


# -- LiveKit, Pipecat


def frame(path: Path) -> rtc.AudioFrame:
    with wave.open(str(path)) as file:
        return rtc.AudioFrame(file.readframes(file.getnframes()), file.getframerate(), 1, file.getnframes())


async def test_livekit_on_recordings(url: str, recording: Recording) -> None:
    for model in ("whisper-1", "gpt-4o-mini-transcribe", "gpt-transcribe"):
        ears = livekit_openai.STT(base_url=f"{url}/v1", api_key="any", model=model, language="en", use_realtime=False)
        try:
            event = await ears.recognize(frame(recording.path))
        finally:
            await ears.aclose()
        assert event.type == stt.SpeechEventType.FINAL_TRANSCRIPT
        check_text(recording, event.alternatives[0].text)


async def test_pipecat_on_recordings(url: str, recording: Recording) -> None:
    for model in ("gpt-transcribe", "whisper-1", "gpt-4o-transcribe"):
        settings = OpenAISTTService.Settings(model=model)
        service = OpenAISTTService(base_url=f"{url}/v1", api_key="any", settings=settings, include_prob_metrics=True)
        frames = [each async for each in service.run_stt(recording.path.read_bytes())]
        assert [type(each) for each in frames] == [TranscriptionFrame], [
            each.error for each in frames if isinstance(each, ErrorFrame)
        ]
        check_text(recording, frames[0].text)
