"""The generator over an engine whose every step can be watched and held."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import numpy as np
import pytest

from fake_engine import FakeEngine, FakeStream, FakeVoice, StepGate, wait_until
from vivavoce.audio.chunk import Samples
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import (
    BadAudio,
    ClientTooSlow,
    EmptyInput,
    EngineCrashed,
    EngineTimeout,
    GenerationFailed,
    Overloaded,
    RateLimited,
    ShuttingDown,
    TextTooLong,
    UnknownVoice,
    UnspeakableText,
    VoiceUnavailable,
)
from vivavoce.machine.admission import Kind
from vivavoce.machine.worker import FURTHER_THREAD, step_cores
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.open_utterances import OpenUtterances
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.synthesis.utterance import Utterance

Make = Callable[..., Synthesizer]

TWO = "The first sentence is here. And here comes the second one."


async def collect(utterance: Utterance) -> list[SpokenChunk]:
    return [chunk async for chunk in utterance]


async def speak(synthesizer: Synthesizer, text: str, **fields: object) -> list[SpokenChunk]:
    async with synthesizer.stream(SpeechRequest(text=text, **fields)) as utterance:  # type: ignore[arg-type]
        return await collect(utterance)


def audio(chunks: Sequence[SpokenChunk]) -> Samples:
    return np.concatenate([c.audio.samples for c in chunks])


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition)


# -- order and place -------------------------------------------------------------------------------------------------


async def test_chunks_come_in_order_and_know_their_place(make_synthesizer: Make) -> None:
    chunks = await speak(make_synthesizer(FakeEngine()), TWO)
    position = 0
    for chunk in chunks:
        assert chunk.start_s == pytest.approx(position / 24_000)
        position += len(chunk.audio.samples)
    sentences = [c.sentence for c in chunks if c.begins_sentence]
    assert "".join(s.text for s in sentences) == TWO
    assert [s.index for s in sentences] == list(range(len(sentences)))
    assert sum(c.ends_sentence for c in chunks) == len(sentences)


async def test_words_are_placed_in_the_utterance(make_synthesizer: Make) -> None:
    chunks = await speak(make_synthesizer(FakeEngine()), TWO)
    words = [w for c in chunks for w in c.audio.words]
    assert [w.start_s for w in words] == sorted(w.start_s for w in words)
    assert all(TWO[w.source_start : w.source_end] == w.text for w in words)
    assert words[-1].text == "."
    assert words[-1].end_s == pytest.approx(len(audio(chunks)) / 24_000)


async def test_between_two_sentences_is_a_pause(make_synthesizer: Make) -> None:
    samples = audio(await speak(make_synthesizer(FakeEngine()), TWO))
    assert np.count_nonzero(samples == 0) == round(0.15 * 24_000)
    assert samples[0] != 0
    assert samples[-1] != 0


async def test_a_resampled_utterance_keeps_its_length(make_synthesizer: Make) -> None:
    at_24k = audio(await speak(make_synthesizer(FakeEngine()), TWO))
    at_48k = audio(await speak(make_synthesizer(FakeEngine()), TWO, sample_rate=48_000))
    assert len(at_48k) == pytest.approx(2 * len(at_24k), abs=4)


async def test_text_written_one_character_at_a_time_gives_the_same_audio(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine())
    whole = await speak(synthesizer, TWO)
    async with synthesizer.stream(SpeechRequest()) as utterance:
        for character in TWO:
            utterance.write(character)
        utterance.end()
        pieces = await collect(utterance)
    np.testing.assert_array_equal(audio(pieces), audio(whole))


async def test_sound_starts_before_the_text_has_ended(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine())
    async with synthesizer.stream(SpeechRequest()) as utterance:
        utterance.write("A whole sentence is here. And")
        first = await anext(utterance)
        assert first.sentence.text.startswith("A whole")
        utterance.end()
        rest = await collect(utterance)
    assert "".join(c.sentence.text for c in [first, *rest] if c.begins_sentence) == "A whole sentence is here. And"


async def test_flush_speaks_what_is_buffered_and_the_utterance_goes_on(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine())
    async with synthesizer.stream(SpeechRequest()) as utterance:
        utterance.write("no mark yet")
        utterance.flush()
        assert (await anext(utterance)).sentence.text == "no mark yet"
        utterance.write(" and more")
        utterance.end()
        rest = await collect(utterance)
    assert rest[-1].sentence.text == " and more"


# -- streaming -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "Hello."])
async def test_an_end_that_comes_when_all_is_spoken_is_an_end(make_synthesizer: Make, text: str) -> None:
    """The reader waits for more by then, and no worker has anything left to wake it for."""
    engine = FakeEngine()
    async with make_synthesizer(engine).stream(SpeechRequest()) as utterance:
        reading = asyncio.create_task(collect(utterance))
        if text:
            utterance.write(text)
            utterance.flush()
        await until(lambda: engine.steps == len(text) and not engine.open_streams)
        for _ in range(10):  # rounds of the loop: the reader takes what there is and waits again
            await asyncio.sleep(0)
        utterance.end()
        chunks = await asyncio.wait_for(reading, 10)
    assert len(chunks) == len(text)


async def test_the_first_chunk_leaves_before_the_second_sentence_is_computed(make_synthesizer: Make) -> None:
    gate = StepGate(allowed=1)
    engine = FakeEngine(before_step=gate)
    async with make_synthesizer(engine).stream(SpeechRequest(text=TWO)) as utterance:
        first = await anext(utterance)
        assert first.begins_sentence
        assert len(engine.streams) == 1  # the second sentence has not even been opened
        gate.open()
        await collect(utterance)
    assert len(engine.streams) == 2


async def test_a_reader_that_stops_stops_the_work_for_its_stream_only(make_synthesizer: Make) -> None:
    engine = FakeEngine(voices=("slow", "quick"))
    synthesizer = make_synthesizer(engine)
    long = "word " * 200
    async with synthesizer.stream(SpeechRequest(text=long, voice="slow", ahead_s=0.5)) as stalled:
        first = await anext(stalled)
        await speak(synthesizer, TWO, voice="quick")  # a neighbour is not slowed: it ends
        await until(lambda: stalled.produced_s - first.audio.duration_s >= 0.5)
        made = stalled.produced_s
        await speak(synthesizer, TWO, voice="quick")
        assert stalled.produced_s == made
        assert made < 0.6
        rest = await collect(stalled)  # it reads again: the work goes on to the end
    assert rest[-1].ends_sentence


async def test_a_paced_stream_stays_with_its_listener(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(step_samples=2400))  # 0.1 s a step
    async with synthesizer.stream(SpeechRequest(text="word " * 40, paced=True, ahead_s=1.0)) as utterance:
        first = await anext(utterance)
        started_s = time.monotonic()
        read_s = first.audio.duration_s
        while read_s < 1.0:
            read_s += (await anext(utterance)).audio.duration_s
            assert utterance.produced_s <= 1.0 + (time.monotonic() - started_s) + 0.2
        utterance.played(1.0)  # the listener is further than thought: one more second may be made at once
        while read_s < 1.9:
            read_s += (await anext(utterance)).audio.duration_s
        assert utterance.produced_s <= 1.0 + 1.0 + (time.monotonic() - started_s) + 0.2


async def test_streams_of_one_voice_are_stepped_together(make_synthesizer: Make) -> None:
    gate = StepGate()
    engine = FakeEngine(batched=True, max_batch=4, before_step=gate)
    synthesizer = make_synthesizer(engine, workers=1)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(speak(synthesizer, TWO))
        await until(lambda: synthesizer.load().working == 4)  # the only worker waits in the first one's step
        gate.open()
    assert max(engine.batches) == 4


async def test_a_voice_is_not_passed_over_twice_at_once(make_synthesizer: Make) -> None:
    """The second stream joins the first one's next pass, though another worker is free."""
    at_once: list[int] = []
    inside, lock = 0, threading.Lock()

    def before(streams: Sequence[FakeStream]) -> None:
        nonlocal inside
        with lock:
            inside += 1
            at_once.append(inside)
        time.sleep(0.001)
        with lock:
            inside -= 1

    engine = FakeEngine(batched=True, max_batch=4, before_step=before)
    synthesizer = make_synthesizer(engine, workers=3)
    await asyncio.gather(*(speak(synthesizer, TWO * 3) for _ in range(4)))
    assert max(at_once) == 1
    assert max(engine.batches) > 1


async def test_streams_that_share_nothing_are_stepped_side_by_side(make_synthesizer: Make) -> None:
    """Control of the one above: two workers are in a step at the same time."""
    together = threading.Barrier(2, timeout=10)

    def before(streams: Sequence[FakeStream]) -> None:
        together.wait()

    synthesizer = make_synthesizer(FakeEngine(before_step=before), workers=2)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(speak(synthesizer, TWO))


async def test_a_step_that_is_alone_counts_for_more_than_one_core(make_synthesizer: Make) -> None:
    slept_s: list[float] = []

    def before(streams: Sequence[FakeStream]) -> None:
        started_s = time.perf_counter()
        time.sleep(0.005)
        slept_s.append(time.perf_counter() - started_s)

    engine = FakeEngine(before_step=before)
    async with make_synthesizer(engine, workers=4).stream(SpeechRequest(text=TWO)) as utterance:
        async for _ in utterance:
            pass
    assert utterance.spent.core_s >= (1 + 3 * FURTHER_THREAD) * sum(slept_s)


def test_threads_of_a_step_count_for_less_than_steps_side_by_side() -> None:
    assert step_cores(1) == 1
    assert 1 < step_cores(2) < step_cores(4) < 4


# -- mixing ----------------------------------------------------------------------------------------------------------


async def test_eight_parallel_voices_never_mix(make_synthesizer: Make) -> None:
    names = tuple(f"voice{i}" for i in range(8))
    engine = FakeEngine(voices=names, batched=True, max_batch=4)
    synthesizer = make_synthesizer(engine)
    results = await asyncio.gather(*(speak(synthesizer, TWO * 3, voice=name) for name in names))
    lengths = {len(audio(chunks)) for chunks in results}
    assert len(lengths) == 1
    for name, chunks in zip(names, results, strict=True):
        levels = set(np.unique(audio(chunks)).tolist())
        assert levels == {0.0, engine.levels[name]}


# -- cancelling ------------------------------------------------------------------------------------------------------


async def test_leaving_the_block_stops_the_engine_within_the_step_it_is_in(make_synthesizer: Make) -> None:
    entered = threading.Event()
    gate = StepGate(allowed=3)

    def before(streams: Sequence[FakeStream]) -> None:
        if engine.steps == 3:
            entered.set()
        gate(streams)

    engine = FakeEngine(before_step=before)
    async with make_synthesizer(engine).stream(SpeechRequest(text=TWO)) as utterance:
        await anext(utterance)
        await asyncio.to_thread(entered.wait, 10)
    gate.open()
    await until(lambda: not engine.open_streams)
    assert engine.steps == 4
    assert utterance.outcome == "cancelled"


async def test_two_hundred_cancels_at_random_moments_leave_nothing(make_synthesizer: Make) -> None:
    engine = FakeEngine(voices=("a", "b"))
    synthesizer = make_synthesizer(engine)
    rng = random.Random(1)

    async def one(turn: int) -> None:
        async with synthesizer.stream(SpeechRequest(text=TWO * 5, voice="ab"[turn % 2])) as utterance:
            for _ in range(rng.randrange(30)):
                await anext(utterance)

    for start in range(0, 200, 20):
        await asyncio.gather(*(one(turn) for turn in range(start, start + 20)))
    await until(lambda: not engine.open_streams)
    assert synthesizer.load().utterances == 0
    assert synthesizer.load().working == 0
    assert sum(t.name.startswith("worker-") for t in threading.enumerate()) == 3
    assert {t.get_name() for t in asyncio.all_tasks()} <= {"synthesizer-watch", asyncio.current_task().get_name()}  # type: ignore[union-attr]


# -- faults ----------------------------------------------------------------------------------------------------------


def fails(times: int, error: Exception, *, after: int = 0) -> Callable[[Sequence[FakeStream]], None]:
    """Raise in the steps number after+1 .. after+times."""
    calls = iter(range(1, 1_000_000))

    def before(_: Sequence[FakeStream]) -> None:
        if after < next(calls) <= after + times:
            raise error

    return before


async def test_a_sentence_nobody_has_heard_of_is_tried_once_more(make_synthesizer: Make) -> None:
    good = await speak(make_synthesizer(FakeEngine()), TWO)
    engine = FakeEngine(before_step=fails(1, GenerationFailed("collapsed")))
    chunks = await speak(make_synthesizer(engine), TWO)
    np.testing.assert_array_equal(audio(chunks), audio(good))


async def test_a_second_failure_ends_the_utterance(make_synthesizer: Make) -> None:
    engine = FakeEngine(before_step=fails(2, GenerationFailed("collapsed")))
    with pytest.raises(GenerationFailed, match="collapsed"):
        await speak(make_synthesizer(engine), TWO)


async def test_what_has_been_heard_is_never_tried_again(make_synthesizer: Make) -> None:
    engine = FakeEngine(before_step=fails(1, GenerationFailed("collapsed"), after=3))
    with pytest.raises(GenerationFailed):
        await speak(make_synthesizer(engine), TWO)
    assert engine.steps == 3


async def test_a_crash_is_told_and_the_next_request_is_served(make_synthesizer: Make) -> None:
    engine = FakeEngine(before_step=fails(2, ZeroDivisionError()))
    synthesizer = make_synthesizer(engine)
    with pytest.raises(EngineCrashed):
        await speak(synthesizer, TWO)
    assert await speak(synthesizer, TWO)


async def test_a_hung_step_is_given_up_and_its_worker_replaced(make_synthesizer: Make) -> None:
    hang = threading.Event()
    stuck: list[FakeStream] = []

    def before(streams: Sequence[FakeStream]) -> None:
        if not stuck or streams[0] is stuck[0]:
            stuck[:] = streams
            hang.wait(30)

    engine = FakeEngine(before_step=before)
    synthesizer = make_synthesizer(engine, workers=1, step_timeout_s=0.2)
    with pytest.raises(EngineTimeout):
        await speak(synthesizer, TWO)
    assert await speak(synthesizer, TWO)  # by the new worker
    hang.set()


@pytest.mark.parametrize("share", [0.5, 1.0])
async def test_audio_that_is_not_numbers_is_an_error(make_synthesizer: Make, share: float) -> None:
    engine = FakeEngine()
    advance = engine.advance

    def broken(stream: FakeStream) -> object:
        chunk = advance(stream)
        chunk.samples[: round(share * len(chunk.samples))] = np.nan
        return chunk

    engine.advance = broken  # type: ignore[method-assign, assignment]
    metrics = Metrics()
    with pytest.raises(BadAudio):
        await speak(make_synthesizer(engine, metrics), TWO)
    assert (metrics.registry.get_sample_value("voice_bad_samples_total") or 0) > 0


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n ", "🙂🙂", "* * *", "\x00\x07"])
async def test_nothing_to_speak_is_refused(make_synthesizer: Make, text: str) -> None:
    with pytest.raises(EmptyInput):
        await speak(make_synthesizer(FakeEngine()), text)


async def test_a_live_utterance_of_nothing_ends_with_no_audio(make_synthesizer: Make) -> None:
    async with make_synthesizer(FakeEngine()).stream(SpeechRequest()) as utterance:
        utterance.write(" 🙂 \n")
        utterance.end()
        assert await collect(utterance) == []
    assert utterance.outcome == "completed"


async def test_refused_requests(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(missing=("gone",)), max_text=50, max_buffered_text=80)
    with pytest.raises(TextTooLong):
        await speak(synthesizer, "x" * 51)
    with pytest.raises(UnknownVoice, match="known: alpha"):
        await speak(synthesizer, "hi", voice="nobody")
    with pytest.raises(VoiceUnavailable, match="files are missing"):
        await speak(synthesizer, "hi", voice="gone")
    with pytest.raises(UnspeakableText):
        await speak(synthesizer, "你好，再见。")
    async with synthesizer.stream(SpeechRequest(text="All is fine. 你好")) as utterance:
        assert [(part.text, part.start) for part in utterance.unspoken] == [("你好", 13)]
    async with synthesizer.stream(SpeechRequest()) as utterance:
        with pytest.raises(TextTooLong):
            utterance.write("x" * 81)
        utterance.write("x" * 80)


async def test_no_room_is_told_after_the_wait(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(before_step=StepGate()), max_streams=1, queue_wait_s=0.05)
    async with synthesizer.stream(SpeechRequest(text=TWO)):
        with pytest.raises(Overloaded) as refused:
            await speak(synthesizer, TWO)
    assert refused.value.retry_after_s


async def test_a_waiting_request_gets_the_room_of_one_that_leaves(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(), max_streams=1, queue_wait_s=30.0)
    async with synthesizer.stream(SpeechRequest(text=TWO)):
        waiting = asyncio.create_task(speak(synthesizer, TWO))
        await until(lambda: synthesizer.load().waiting == 1)
    assert await waiting


async def test_a_first_chunk_lets_the_next_of_a_burst_begin(make_synthesizer: Make) -> None:
    """Sixteen at once whose first chunks cannot all be in time: they queue for a moment, nobody is refused."""
    synthesizer = make_synthesizer(
        FakeEngine(), admission_share=0.9, first_audio_target_s=0.3, queue_wait_s=30.0, step_timeout_s=60.0
    )
    await speak(synthesizer, TWO)
    synthesizer.admission.first_took(Kind("fake", "alpha"), 10.0)  # as if a first chunk were dear: one at a time
    for _ in range(50):
        synthesizer.admission.first_took(Kind("fake", "alpha"), 10.0)
    results = await asyncio.gather(*(speak(synthesizer, TWO) for _ in range(16)))
    assert len(results) == 16


async def test_a_burst_begins_late_rather_than_being_refused(make_synthesizer: Make) -> None:
    """The first chunk before it takes longer than the wait, but there is room for both."""
    gate = StepGate()
    synthesizer = make_synthesizer(
        FakeEngine(before_step=gate), workers=2, admission_share=0.9, first_audio_target_s=0.3, queue_wait_s=0.05,
        step_timeout_s=60.0,
    )  # fmt: skip
    synthesizer.admission.first_took(Kind("fake", "alpha"), 10.0)
    first = asyncio.create_task(speak(synthesizer, TWO))
    await until(lambda: synthesizer.load().utterances == 1)
    second = asyncio.create_task(speak(synthesizer, TWO))
    await until(lambda: synthesizer.load().waiting == 1)
    await until(lambda: synthesizer.load().utterances == 2)
    gate.open()
    assert await first
    assert await second


async def test_one_key_has_its_own_limit(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(), max_streams_per_key=1)
    async with synthesizer.stream(SpeechRequest(text=TWO, owner="a")):
        with pytest.raises(RateLimited):
            await speak(synthesizer, TWO, owner="a")
        assert await speak(synthesizer, TWO, owner="b")


async def test_draining_finishes_what_runs_and_refuses_the_rest(make_synthesizer: Make) -> None:
    gate = StepGate()
    synthesizer = make_synthesizer(FakeEngine(before_step=gate))
    running = asyncio.create_task(speak(synthesizer, TWO))
    await until(lambda: synthesizer.load().utterances == 1)
    draining = asyncio.create_task(synthesizer.drain(30.0))
    await asyncio.sleep(0)
    with pytest.raises(ShuttingDown):
        await speak(synthesizer, TWO)
    gate.open()
    assert await draining
    assert (await running)[-1].ends_sentence


# -- what was heard --------------------------------------------------------------------------------------------------


async def test_heard_text_follows_the_position(make_synthesizer: Make) -> None:
    async with make_synthesizer(FakeEngine()).stream(SpeechRequest(text=TWO)) as utterance:
        await collect(utterance)
        step_s = 480 / 24_000
        assert utterance.heard(0.0) == ""
        assert utterance.heard(step_s * 2.5) == "The"
        assert utterance.heard(1e9) == TWO


async def test_the_seed_reaches_the_engine_and_differs_by_sentence(make_synthesizer: Make) -> None:
    engine = FakeEngine()
    seeds: list[int | None] = []
    opened = engine.open

    def spy(sentence: object, voice: object, options: SpeechOptions) -> FakeStream:
        seeds.append(options.seed)
        return opened(sentence, voice, options)  # type: ignore[arg-type]

    engine.open = spy  # type: ignore[method-assign]
    await speak(make_synthesizer(engine), TWO, options=SpeechOptions(seed=7))
    assert seeds == [7, 8]


# -- what is held, and what is counted -------------------------------------------------------------------------------


async def test_an_utterance_that_waits_for_its_client_holds_no_place(make_synthesizer: Make) -> None:
    """Five that never finish a sentence, on a server with room for one: everybody else is spoken to."""
    synthesizer = make_synthesizer(FakeEngine(), max_streams=1, queue_wait_s=0.0)
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(synthesizer.stream(SpeechRequest())) for _ in range(5)]
        reading = [asyncio.create_task(collect(utterance)) for utterance in idle]
        for utterance in idle:
            utterance.write("a")
        assert await speak(synthesizer, TWO)
        assert synthesizer.load().cores == 0
        idle[0].end()
        assert len(await reading[0]) == 1, "it gets its place when there is something to speak"
        for task in reading[1:]:
            task.cancel()
        await asyncio.gather(*reading[1:], return_exceptions=True)


async def test_one_that_has_spoken_gives_its_place_back_when_it_was_heard(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(step_samples=24), max_streams=1, queue_wait_s=0.0)
    async with synthesizer.stream(SpeechRequest()) as utterance:
        utterance.write("Hi.")
        utterance.flush()
        for _ in range(3):
            await anext(utterance)
        rest = asyncio.create_task(collect(utterance))  # it waits for text; three milliseconds of sound are soon heard
        await until(lambda: synthesizer.load().working == 0 or not utterance.works)
        assert await speak(synthesizer, TWO)
        utterance.write("More.")
        utterance.end()
        assert "".join(c.sentence.text for c in await rest if c.begins_sentence) == "More."


async def test_a_reader_that_stops_gives_its_place_back_and_gets_one_again(make_synthesizer: Make) -> None:
    """Its sound is full and nobody comes for it: others are spoken to. It reads on, and hears the whole."""
    synthesizer = make_synthesizer(FakeEngine(), max_streams=1, queue_wait_s=0.0, stall_rest_s=0.1)
    async with synthesizer.stream(SpeechRequest(text=TWO, ahead_s=0.1)) as stalled:
        first = await anext(stalled)
        with pytest.raises(Overloaded):
            await speak(synthesizer, TWO)
        await until(lambda: not stalled.works)
        assert synthesizer.load().admitted == 0
        assert audio(await speak(synthesizer, TWO)).size
        rest = await collect(stalled)
        assert stalled.outcome == "completed"
    assert len(audio([first, *rest])) == len(audio(await speak(synthesizer, TWO)))


async def test_a_reader_that_comes_back_waits_for_room_and_reads_what_was_made(make_synthesizer: Make) -> None:
    gate = StepGate(allowed=8)
    synthesizer = make_synthesizer(FakeEngine(before_step=gate), max_streams=1, queue_wait_s=0.0, stall_rest_s=0.1)
    async with synthesizer.stream(SpeechRequest(text=TWO, ahead_s=0.1)) as stalled:
        await anext(stalled)
        await until(lambda: not stalled.works)
        async with synthesizer.stream(SpeechRequest(text=TWO)) as other:
            gate.open()
            reading = asyncio.create_task(collect(stalled))
            assert audio(await collect(other)).size
            assert not reading.done(), "what was made is read, and the rest waits for room"
        chunks = await reading
    assert chunks[-1].ends_sentence


async def test_one_that_the_server_paces_keeps_its_place_while_its_listener_has_sound(make_synthesizer: Make) -> None:
    synthesizer = make_synthesizer(FakeEngine(step_samples=24_000), stall_rest_s=600)
    async with synthesizer.stream(SpeechRequest(text=TWO, ahead_s=2.0, paced=True)) as utterance:
        await anext(utterance)
        went_s, dry_at_s = time.monotonic(), utterance.clock.dry_at_s
        assert dry_at_s is not None
        assert dry_at_s > went_s + 0.5
        await until(lambda: utterance.is_left(dry_at_s + 601))
        assert not utterance.is_left(went_s + 600.5)


async def test_of_too_many_that_lie_unread_the_longest_of_the_greediest_goes(make_synthesizer: Make) -> None:
    engine = FakeEngine()
    synthesizer = make_synthesizer(engine, stall_rest_s=600)
    kept = OpenUtterances(most_left=2)
    async with AsyncExitStack() as stack:
        left: list[Utterance] = []
        for owner in ("one", "many", "many"):
            request = SpeechRequest(text=TWO, ahead_s=0.1, owner=owner)
            left.append(await stack.enter_async_context(synthesizer.stream(request)))
            await anext(left[-1])
            kept.begin(left[-1])
            await until(lambda: left[-1].is_left(time.monotonic() + 1000))
            await kept.look(time.monotonic() + 1000)
        await until(lambda: len(engine.open_streams) == 2)
        with pytest.raises(ClientTooSlow):
            await collect(left[1])
        for utterance in (left[0], left[2]):
            assert (await collect(utterance))[-1].ends_sentence


async def test_where_the_default_cannot_be_loaded_the_next_one_is(make_synthesizer: Make) -> None:
    """Ready was said while the first request still had to find out that the second voice speaks, or does not."""

    class OnlyTheLast(FakeEngine):
        def load_voice(self, voice_id: str, progress: Progress | None = None) -> FakeVoice:
            if voice_id != "gamma":
                raise VoiceUnavailable(f"voice '{voice_id}' is damaged")
            return super().load_voice(voice_id, progress)

    engine = OnlyTheLast(("alpha", "beta", "gamma", "delta"))
    synthesizer = make_synthesizer(engine)
    await synthesizer.preload()
    assert engine.loads == ["gamma"]
    assert (synthesizer.default_id(), synthesizer.is_ready) == ("gamma", True)


async def test_names_that_mean_no_voice_that_speaks_are_told_at_the_start(
    make_synthesizer: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Damaged(FakeEngine):
        def load_voice(self, voice_id: str, progress: Progress | None = None) -> FakeVoice:
            if voice_id == "beta":
                raise MemoryError
            return super().load_voice(voice_id, progress)

    names = ("alloy=beta", "echo=nobody", "nova=alpha", "onyx=gone")
    synthesizer = make_synthesizer(Damaged(("alpha", "beta"), missing=("gone",)), voice_map=names)
    await synthesizer.preload()
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("voice_map")]
    assert [line.split("'")[1] for line in told] == ["alloy", "echo", "onyx"]
    assert "cannot be loaded" in told[0]
    assert "unknown voice" in told[1]


async def test_where_no_voice_can_be_loaded_nothing_is_ready(make_synthesizer: Make) -> None:
    class Damaged(FakeEngine):
        def load_voice(self, voice_id: str, progress: Progress | None = None) -> FakeVoice:
            raise MemoryError

    synthesizer = make_synthesizer(Damaged(("alpha", "beta")))
    await synthesizer.preload()
    assert not synthesizer.is_ready


async def test_a_preloaded_voice_is_tried_so_that_its_cost_is_known(make_synthesizer: Make) -> None:
    engine = FakeEngine()
    synthesizer = make_synthesizer(engine, admission_share=0.85)
    assert synthesizer.admission.wants_to_know(Kind("fake", "alpha"))
    await synthesizer.preload()
    assert engine.loads == ["alpha"]
    assert not synthesizer.admission.wants_to_know(Kind("fake", "alpha"))
    steps = engine.steps
    await synthesizer.preload()
    assert engine.steps == steps, "once is enough"
    assert synthesizer.load().utterances == 0


async def test_an_underrun_is_counted_where_the_sound_leaves_and_shrinks_the_share(make_synthesizer: Make) -> None:
    gate, metrics = StepGate(allowed=1), Metrics()
    synthesizer = make_synthesizer(FakeEngine(before_step=gate), metrics, admission_share=0.85)
    async with synthesizer.stream(SpeechRequest(text="Hello there.")) as utterance:
        first = await anext(utterance)
        asking = asyncio.create_task(anext(utterance))
        await asyncio.to_thread(wait_until, lambda: time.monotonic() > (utterance.clock.dry_at_s or 0.0) + 0.05)
        gate.open()
        await asking
        assert first.audio.duration_s > 0
        assert utterance.underruns == 1
    value = metrics.registry.get_sample_value
    assert value("voice_underruns_total") == 1
    assert (value("voice_underrun_seconds_total") or 0) > 0
    assert value("voice_chunk_gap_seconds_count") == 1
    assert synthesizer.load().share < 0.85


async def test_a_reader_that_comes_late_is_no_underrun(make_synthesizer: Make) -> None:
    """Or slow clients would shrink everybody's share."""
    synthesizer = make_synthesizer(FakeEngine(step_samples=24), admission_share=0.85)
    async with synthesizer.stream(SpeechRequest(text="Hello there.")) as utterance:
        await anext(utterance)
        await asyncio.to_thread(wait_until, lambda: time.monotonic() > (utterance.clock.dry_at_s or 0.0) + 0.05)
        await anext(utterance)
    assert utterance.underruns == 0
    assert synthesizer.load().share >= 0.85
