"""What every engine behind the `SpeechEngine` border keeps to; a new engine adds one case.

The Genie case speaks with synthetic weights of the real size: its noise is no speech, but it goes the whole way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from fake_engine import FakeEngine
from synthetic_genie_data import genie_data, voice_library
from synthetic_voice import cache_root
from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.engines.embedded import EmbeddedEngine
from vivavoce.engines.genie.engine import GenieEngine
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.speech import SentenceStream, SpeechEngine, SpeechOptions, Stage, Voice
from vivavoce.errors import UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.text.normalize import normalize
from vivavoce.voices.store import VoiceDirectory, VoiceStore

STAGES: tuple[Stage, ...] = ("prefill", "decode", "vocode", "done")


@dataclass(frozen=True, slots=True)
class EngineCase:
    """An engine, a voice of it, and what to say.

    Attributes:
        texts: two different sentences in the voice's language.
        foreign: a sentence it refuses.
    """

    engine: SpeechEngine
    voice: Voice
    texts: tuple[str, str]
    foreign: str


def fake() -> EngineCase:
    engine = FakeEngine(max_batch=4, batched=True)
    return EngineCase(engine, engine.load_voice("alpha"), ("One is here.", "The second is longer."), "你好。")


def embedded() -> EngineCase:
    engine = EmbeddedEngine()
    voice = engine.load_voice(engine.voices()[0].id)
    return EngineCase(engine, voice, ("Good morning.", "Nothing is ever lost at sea."), "你好。")


def genie() -> EngineCase:
    store = VoiceStore([VoiceDirectory(voice_library())])
    front_end = PhonemeFrontEnd(GenieData(genie_data()))
    engine = GenieEngine(store, front_end, cache_root() / "compiled", threads=2)
    return EngineCase(engine, engine.load_voice("alpha"), ("こんにちは。", "はい、そうです。"), "สวัสดีครับ ยินดีที่ได้รู้จัก")


CASES: dict[str, Callable[[], EngineCase]] = {made.__name__: cache(made) for made in (fake, embedded, genie)}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> EngineCase:
    return CASES[request.param]()


def opened(case: EngineCase, text: str, seed: int = 5) -> SentenceStream:
    return case.engine.open(normalize(text), case.voice, SpeechOptions(seed=seed))


def finished(case: EngineCase, stream: SentenceStream) -> list[AudioChunk]:
    """All chunks of a sentence that is stepped alone."""
    chunks: list[AudioChunk] = []
    while stream.stage != "done":
        (chunk,) = case.engine.step([stream], threads=1)
        assert stream.error is None
        chunks += [chunk] if chunk is not None else []
    return chunks


def sound(chunks: Sequence[AudioChunk]) -> Samples:
    return np.concatenate([chunk.samples for chunk in chunks])


def said(case: EngineCase, text: str, seed: int = 5) -> Samples:
    stream = opened(case, text, seed)
    samples = sound(finished(case, stream))
    stream.close()
    return samples


def test_what_it_says_of_itself(case: EngineCase) -> None:
    engine = case.engine
    assert engine.name.isidentifier()
    assert 8000 <= engine.sample_rate <= 48_000
    assert engine.max_batch >= 1
    assert case.voice.memory_bytes > 0


def test_voices_are_listed_and_the_list_is_steady(case: EngineCase) -> None:
    voices = case.engine.voices()
    assert case.voice.id in [v.id for v in voices]
    assert len({v.id for v in voices}) == len(voices)
    for voice in voices:
        assert voice.engine == case.engine.name
        assert voice.sample_rate == case.engine.sample_rate
        assert voice.languages
    assert case.engine.voices() == voices


def test_listing_voices_loads_none(case: EngineCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cheap: it is called at every listing, on the event loop."""
    import onnxruntime

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was opened")

    monkeypatch.setattr(onnxruntime, "InferenceSession", refuse)
    assert case.engine.voices()


def test_an_unknown_voice_is_refused(case: EngineCase) -> None:
    with pytest.raises(UnknownVoice):
        case.engine.load_voice("nobody")


def test_a_language_it_does_not_speak_is_refused_before_it_is_opened(case: EngineCase) -> None:
    spoken = normalize(case.foreign)
    refusals = (UnspeakableText, VoiceUnavailable)  # the second where an engine could speak it, had it the parts
    with pytest.raises(refusals):
        case.engine.check(spoken, case.voice, SpeechOptions())
    with pytest.raises(refusals):
        case.engine.open(spoken, case.voice, SpeechOptions())
    case.engine.check(normalize(case.texts[0]), case.voice, SpeechOptions())


def test_chunks_are_float32_at_the_engines_rate(case: EngineCase) -> None:
    stream = opened(case, case.texts[0])
    assert stream.stage in STAGES[:-1]
    assert stream.voice is case.voice
    chunks = finished(case, stream)
    stream.close()
    for chunk in chunks:
        assert chunk.sample_rate == case.engine.sample_rate
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert np.isfinite(chunk.samples).all()
    assert 0.1 < len(sound(chunks)) / case.engine.sample_rate < 20


def test_words_are_in_order_within_the_sound_and_the_text(case: EngineCase) -> None:
    text = case.texts[1]
    stream = opened(case, text)
    chunks = finished(case, stream)
    stream.close()
    words = [word for chunk in chunks for word in chunk.words]
    assert words
    assert words == sorted(words, key=lambda word: (word.start_s, word.source_start))
    for word in words:
        assert 0 <= word.start_s <= word.end_s <= len(sound(chunks)) / case.engine.sample_rate + 1e-6
        assert word.text == text[word.source_start : word.source_end]


def test_the_same_seed_gives_the_same_sound(case: EngineCase) -> None:
    np.testing.assert_array_equal(said(case, case.texts[0]), said(case, case.texts[0]))


def test_two_streams_in_turn_are_each_as_if_alone(case: EngineCase) -> None:
    alone = [said(case, text) for text in case.texts]
    streams = [opened(case, text) for text in case.texts]
    heard: list[list[AudioChunk]] = [[], []]
    while any(stream.stage != "done" for stream in streams):
        for stream, chunks in zip(streams, heard, strict=True):
            if stream.stage != "done":
                (chunk,) = case.engine.step([stream], threads=1)
                chunks += [chunk] if chunk is not None else []
    for stream, chunks, expected in zip(streams, heard, alone, strict=True):
        stream.close()
        np.testing.assert_array_equal(sound(chunks), expected)


def test_two_streams_in_one_batch_are_each_as_if_alone(case: EngineCase) -> None:
    """They go together where stage and batch key allow it, which is all that the scheduler promises."""
    alone = [said(case, text) for text in case.texts]
    streams = [opened(case, text) for text in case.texts]
    heard: list[list[AudioChunk]] = [[], []]
    while live := [k for k, stream in enumerate(streams) if stream.stage != "done"]:
        first = streams[live[0]]
        key = (first.stage, first.batch_key)
        group = [k for k in live if (streams[k].stage, streams[k].batch_key) == key][: case.engine.max_batch]
        for k, chunk in zip(group, case.engine.step([streams[k] for k in group], threads=1), strict=True):
            heard[k] += [chunk] if chunk is not None else []
    for stream, chunks, expected in zip(streams, heard, alone, strict=True):
        stream.close()
        np.testing.assert_array_equal(sound(chunks), expected)


def test_a_stream_may_be_closed_at_any_time_and_again(case: EngineCase) -> None:
    """After each number of steps; the next sentence is as if nothing had happened."""
    expected = said(case, case.texts[0])
    for steps in range(6):
        stream = opened(case, case.texts[0])
        for _ in range(steps):
            if stream.stage != "done":
                case.engine.step([stream], threads=1)
        stream.close()
        stream.close()
        assert stream.stage == "done"
        assert stream.error is None
    np.testing.assert_array_equal(said(case, case.texts[0]), expected)


def test_closing_one_of_two_does_not_touch_the_other(case: EngineCase) -> None:
    expected = said(case, case.texts[1])
    first, second = (opened(case, text) for text in case.texts)
    chunks: list[AudioChunk] = []
    case.engine.step([first], threads=1)
    chunks += [chunk for chunk in case.engine.step([second], threads=1) if chunk is not None]
    first.close()
    chunks += finished(case, second)
    second.close()
    np.testing.assert_array_equal(sound(chunks), expected)
