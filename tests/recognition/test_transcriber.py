"""Sound becomes words in the order it was spoken, however it is cut, and nothing is left when the block is left."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fake_engine import StepGate
from fake_recognizer import FakeHearing, FakeRecognizer
from loudness import Loudness
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import EngineCrashed, ModelUnavailable, TooMuchSound, UnknownModel, UnsupportedLanguage
from vivavoce.machine.admission import Kind
from vivavoce.recognition.listener import (
    SAMPLE_RATE,
    HeardSegment,
    HearingEvent,
    HearingRequest,
    SpeechStarted,
    SpeechStopped,
)
from vivavoce.recognition.speech_detector import FRAME
from vivavoce.recognition.transcriber import Transcriber

MakeTranscriber = Callable[..., Transcriber]


def speech(level: float, seconds: float = 1.0) -> Samples:
    return np.full(round(seconds * SAMPLE_RATE), level, np.float32)


def silence(seconds: float = 1.0) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


TALK = np.concatenate([silence(), speech(0.2), silence(), speech(0.3, 2.0), silence(0.4), speech(0.4), silence(0.1)])


async def hear(transcriber: Transcriber, sound: Sequence[Samples], **wishes: object) -> list[HearingEvent]:
    request = HearingRequest(model="ear", **wishes)  # type: ignore[arg-type]
    async with transcriber.listen(request) as hearing:
        for piece in sound:
            hearing.write(piece)
            await asyncio.sleep(0)
        hearing.end()
        return [event async for event in hearing]


def finals(events: Sequence[HearingEvent]) -> list[str]:
    return [e.heard.text for e in events if isinstance(e, HeardSegment) and e.heard.is_final]


async def test_every_segment_begins_stops_and_has_words(make_transcriber: MakeTranscriber) -> None:
    recognizer = FakeRecognizer()
    events = await hear(make_transcriber(recognizer), [TALK])
    started = [e for e in events if isinstance(e, SpeechStarted)]
    stopped = [e for e in events if isinstance(e, SpeechStopped)]
    assert [e.segment for e in started] == [e.segment for e in stopped] == [0, 1, 2]
    assert [round(e.start_s, 1) for e in started] == [0.7, 2.7, 5.1], "a little before the speech"
    assert [e.reason for e in stopped] == ["pause", "pause", "flush"]
    words = [sorted(set(text.split())) for text in finals(events)]
    assert words == [["w20"], ["w30"], ["w40"]]
    await until(lambda: not recognizer.open_streams)


@pytest.mark.parametrize("size", [100, 512, 5000, 160_000])
async def test_how_the_sound_was_cut_changes_nothing(make_transcriber: MakeTranscriber, size: int) -> None:
    cut = [TALK[i : i + size] for i in range(0, len(TALK), size)]
    assert finals(await hear(make_transcriber(FakeRecognizer()), cut)) == finals(
        await hear(make_transcriber(FakeRecognizer()), [TALK])
    )


async def test_sound_of_another_rate(make_transcriber: MakeTranscriber) -> None:
    sound = np.repeat(TALK, 3)
    events = await hear(make_transcriber(FakeRecognizer()), [sound], sample_rate=48_000)
    assert len(finals(events)) == 3


async def test_silence_has_no_words_and_opens_nothing(make_transcriber: MakeTranscriber) -> None:
    recognizer = FakeRecognizer()
    assert await hear(make_transcriber(recognizer), [silence(5)]) == []
    assert recognizer.streams == []


async def test_what_was_understood_at_the_soft_end_is_the_result(make_transcriber: MakeTranscriber) -> None:
    """The draft begun at 64 ms of silence is not computed again at 200 ms."""
    recognizer = FakeRecognizer()
    transcriber = make_transcriber(recognizer)
    async with transcriber.listen(HearingRequest(model="ear")) as hearing:
        hearing.write(np.concatenate([silence(0.5), speech(0.2), silence(0.1)]))
        events = aiter(hearing)
        assert isinstance(await anext(events), SpeechStarted)
        segment = hearing.open_segments[0].segment
        coming = asyncio.ensure_future(anext(events))
        await until(lambda: segment.is_idle() and recognizer.steps > 3)
        steps = recognizer.steps
        hearing.write(silence(0.3))
        assert isinstance(await coming, SpeechStopped)
        heard = await anext(events)
    assert isinstance(heard, HeardSegment)
    assert heard.heard.is_final
    assert recognizer.steps == steps + 1


async def test_drafts_come_while_somebody_speaks(make_transcriber: MakeTranscriber) -> None:
    events = await hear(make_transcriber(FakeRecognizer()), [speech(0.2, 0.512)] * 12, drafts=True)
    drafts = [e.heard for e in events if isinstance(e, HeardSegment) and not e.heard.is_final]
    assert all(heard.is_whole for heard in drafts)
    assert len(finals(events)) == 1


async def test_a_flush_ends_what_is_being_said(make_transcriber: MakeTranscriber) -> None:
    transcriber = make_transcriber(FakeRecognizer())
    async with transcriber.listen(HearingRequest(model="ear")) as hearing:
        events = aiter(hearing)
        for level in (0.2, 0.4):
            hearing.write(speech(level))
            hearing.flush()
            kinds = [type(await anext(events)) for _ in range(2)]
            assert kinds == [SpeechStarted, SpeechStopped]
            heard = await anext(events)
            assert isinstance(heard, HeardSegment)
            assert set(heard.heard.text.split()) == {f"w{level * 100:.0f}"}


async def test_a_long_speech_is_split_and_loses_nothing(make_transcriber: MakeTranscriber) -> None:
    events = await hear(make_transcriber(FakeRecognizer()), [speech(0.2, 30.0)])
    stopped = [e for e in events if isinstance(e, SpeechStopped)]
    assert [e.reason for e in stopped] == ["split", "split", "flush"]
    assert sum(len(text.split()) for text in finals(events)) in (60, 61, 62)


async def test_words_come_in_the_order_of_their_segments(make_transcriber: MakeTranscriber) -> None:
    sound = list(itertools.chain.from_iterable((speech(level / 100, 0.4), silence(0.4)) for level in range(10, 60, 5)))
    events = await hear(make_transcriber(FakeRecognizer(max_batch=4, batched=True)), sound)
    assert [set(text.split()) for text in finals(events)] == [{f"w{level}"} for level in range(10, 60, 5)]


async def test_a_crash_of_the_recognizer_is_told_once(make_transcriber: MakeTranscriber) -> None:
    def crash(streams: Sequence[FakeHearing]) -> None:
        raise RuntimeError

    recognizer = FakeRecognizer(before_step=crash)
    transcriber = make_transcriber(recognizer)
    with pytest.raises(EngineCrashed):
        await hear(transcriber, [TALK])
    await until(lambda: not recognizer.open_streams)
    assert transcriber.active == 0


async def test_leaving_the_block_leaves_nothing(make_transcriber: MakeTranscriber) -> None:
    recognizer = FakeRecognizer()
    transcriber = make_transcriber(recognizer)
    for _ in range(20):
        async with transcriber.listen(HearingRequest(model="ear")) as hearing:
            hearing.write(TALK)
            await anext(aiter(hearing))
    await until(lambda: not recognizer.open_streams)
    assert len(transcriber.ears.pool) == 0
    assert transcriber.active == 0


async def test_more_than_anybody_says_is_refused(make_transcriber: MakeTranscriber) -> None:
    async with make_transcriber(FakeRecognizer()).listen(HearingRequest(model="ear")) as hearing:
        for _ in range(6):
            hearing.write(silence(9.9))
        with pytest.raises(TooMuchSound):
            hearing.write(silence(50))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
async def test_sound_that_is_none(make_transcriber: MakeTranscriber, bad: float) -> None:
    sound = TALK.copy()
    sound[::7] = bad
    await hear(make_transcriber(FakeRecognizer()), [sound, np.zeros(0, np.float32)])


async def test_what_cannot_be_done_is_refused_at_the_door(make_transcriber: MakeTranscriber) -> None:
    transcriber = make_transcriber(FakeRecognizer(missing=("gone",)))
    for request, error in [
        (HearingRequest(model="nobody"), UnknownModel),
        (HearingRequest(model="gone"), ModelUnavailable),
        (HearingRequest(model="ear", options=HearingOptions(language="xx")), UnsupportedLanguage),
    ]:
        with pytest.raises(error):
            async with transcriber.listen(request):
                pass
    assert transcriber.active == 0


async def test_openais_names_mean_the_default(make_transcriber: MakeTranscriber) -> None:
    transcriber = make_transcriber(FakeRecognizer(models=("ear", "other")))
    for name in (None, "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"):
        assert transcriber.choose(name).info.id == "ear"
    assert transcriber.choose("other").info.id == "other"
    chosen = make_transcriber(FakeRecognizer(models=("ear", "other")), recognizer="other")
    assert [chosen.choose(name).info.id for name in ("whisper-1", "ear")] == ["other", "ear"]


# -- recordings


async def test_a_recording_is_heard_in_order(make_transcriber: MakeTranscriber) -> None:
    recognizer = FakeRecognizer(max_batch=4, batched=True)
    transcriber = make_transcriber(recognizer)
    levels = [10 + i % 80 for i in range(60)]
    sound = np.concatenate([np.concatenate([speech(level / 100, 1.1), silence(0.9)]) for level in levels])
    pieces = [(sound[:700_000] * 32767).astype(np.int16), sound[700_000:]]
    async with transcriber.transcribe(pieces, HearingRequest(model="ear")) as segments:
        heard = [segment async for segment in segments]
    assert [segment.segment for segment in heard] == list(range(60))
    assert [segment.heard.text.split()[0] for segment in heard] == [f"w{level}" for level in levels]
    starts = [segment.start_s for segment in heard]
    assert starts == sorted(starts)
    assert abs(starts[-1] - (59 * 2 - 0.3)) < 0.1
    await until(lambda: not recognizer.open_streams)


async def test_a_recording_goes_on_when_everything_before_it_was_heard(make_transcriber: MakeTranscriber) -> None:
    """Nothing is under way then that would wake its reader."""
    held = StepGate()
    transcriber = make_transcriber(FakeRecognizer(before_step=held))
    sound = np.concatenate([np.concatenate([speech(0.2, 0.6), silence(0.6)]) for _ in range(40)])
    async with transcriber.transcribe([sound], HearingRequest(model="ear")) as segments, asyncio.timeout(60):
        reading = asyncio.ensure_future(count(segments))
        for _ in range(50):  # let the detector come to its end while the words wait
            await asyncio.sleep(0.005)
        held.open()
        assert await reading == 40


async def test_a_recording_of_many_short_words(make_transcriber: MakeTranscriber) -> None:
    sound = np.concatenate([np.concatenate([speech(0.2, 0.2), silence(0.56)]) for _ in range(60)])
    async with make_transcriber(FakeRecognizer()).transcribe([sound], HearingRequest(model="ear")) as segments:
        assert await count(segments) == 60


async def count(segments: AsyncIterator[HeardSegment]) -> int:
    return len([segment async for segment in segments])


async def test_an_empty_recording_has_no_words(make_transcriber: MakeTranscriber) -> None:
    async with make_transcriber(FakeRecognizer()).transcribe([], HearingRequest(model="ear")) as segments:
        assert [segment async for segment in segments] == []


async def test_costs_are_known_after_a_segment(make_transcriber: MakeTranscriber) -> None:
    transcriber = make_transcriber(FakeRecognizer())
    told: list[tuple[Kind, float]] = []

    class Books:
        def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
            assert core_s > 0
            if not kind.beside:  # the detector, which runs beside
                told.append((kind, real_s))

    async with transcriber.listen(HearingRequest(model="ear"), Books()) as hearing:  # type: ignore[arg-type]
        hearing.write(TALK)
        hearing.end()
        async for _ in hearing:
            pass
    assert [kind for kind, _ in told] == [Kind("fake", "ear")] * 3
    assert sum(seconds for _, seconds in told) == pytest.approx(5.1, abs=0.3)


async def test_an_ear_judges_and_hears_what_it_is_told(make_transcriber: MakeTranscriber) -> None:
    transcriber = make_transcriber(FakeRecognizer())
    async with transcriber.lend_ear(HearingRequest(model="ear")) as ear:
        ear.write(TALK)
        probabilities: list[float] = []
        while len(probabilities) < len(TALK) // 512:
            await ear.changed()
            probabilities += ear.frames()
        segment = ear.open(SAMPLE_RATE)
        segment.draft(2 * SAMPLE_RATE)
        segment.finish(2 * SAMPLE_RATE - 1600)  # earlier than the draft: heard anew
        heard: list[Heard] = []
        while not (heard and heard[-1].is_final):
            await ear.changed()
            heard += segment.take()
    assert set(heard[-1].text.split()) == {"w20"}
    assert heard[-1].duration_s == pytest.approx(0.9)
    assert probabilities[:30] == [pytest.approx(0.1)] * 30


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in threads
            await asyncio.sleep(0.005)


async def test_a_recording_is_looked_at_in_big_pieces(make_transcriber: MakeTranscriber) -> None:
    """Two minutes are some dozen calls of the model that finds speech, not thousands."""
    calls: list[int] = []

    class Counting(Loudness):
        def hear(self, state: Any, frames: NDArray[np.float32]) -> tuple[list[float], Any]:
            calls.append(len(frames))
            return super().hear(state, frames)

    quiet = np.zeros(120 * SAMPLE_RATE, np.int16)
    transcriber = make_transcriber(FakeRecognizer(), activity=Counting())
    async with transcriber.transcribe([quiet], HearingRequest(model="ear")) as segments:
        assert await count(segments) == 0
    assert sum(calls) == len(quiet) // FRAME
    assert len(calls) <= 60
