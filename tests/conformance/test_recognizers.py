"""What every engine behind the `Recognizer` border keeps to; a new recognizer adds one case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import synthetic_whisper
from fake_recognizer import FakeRecognizer
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, HearingStream, Recognizer, RecognizerModel
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.errors import UnknownModel, UnsupportedLanguage

MANY_STEPS = 500
WITH_WORDS = HearingOptions(word_times=True)


@dataclass(frozen=True, slots=True)
class RecognizerCase:
    """A recognizer, a model of it, and what it hears.

    Attributes:
        sounds: two different segments of a second or more that give text, float32 [n].
        options: what they are heard with.
    """

    recognizer: Recognizer
    model: RecognizerModel
    sounds: tuple[Samples, Samples]
    options: HearingOptions = WITH_WORDS


def fake() -> RecognizerCase:
    recognizer = FakeRecognizer(max_batch=4, batched=True)
    sounds = [np.repeat(np.array(levels, np.float32), 8000) for levels in ([0.5, 0.25, 0.75], [0.1, 0.2])]
    return RecognizerCase(recognizer, recognizer.load_model("ear"), (sounds[0], sounds[1]))


def whisper() -> RecognizerCase:
    """A synthetic model: real layers, and words that do not depend on what it hears."""
    folders = synthetic_whisper.Folders({"small": synthetic_whisper.folder()})
    recognizer = WhisperRecognizer(folders, synthetic_whisper.cache(), synthetic_whisper.short_sounds, threads=2)
    sounds = synthetic_whisper.sound(5, 1.7), synthetic_whisper.sound(6, 2.9)
    return RecognizerCase(recognizer, recognizer.load_model("small"), sounds)


CASES: dict[str, Callable[[], RecognizerCase]] = {made.__name__: cache(made) for made in (fake, whisper)}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> RecognizerCase:
    return CASES[request.param]()


def fed(case: RecognizerCase, sound: Samples) -> HearingStream:
    stream = case.recognizer.open(case.model, case.options)
    stream.feed(sound)
    return stream


def steps(case: RecognizerCase, stream: HearingStream, threads: int = 1) -> Iterator[Heard | None]:
    """Every step until the stream waits or is done."""
    for _ in range(MANY_STEPS):
        if stream.stage in ("waiting", "done"):
            return
        (heard,) = case.recognizer.step([stream], threads=threads)
        assert stream.error is None
        yield heard
    raise AssertionError("it never came to an end")


def last(case: RecognizerCase, stream: HearingStream, threads: int = 1) -> Heard:
    heard = [h for h in steps(case, stream, threads) if h is not None]
    assert [h.is_whole for h in heard] == [*[False] * (len(heard) - 1), True]
    return heard[-1]


def understood(case: RecognizerCase, sound: Samples, threads: int = 1) -> Heard:
    """The final result of a segment that is heard alone."""
    stream = fed(case, sound)
    stream.end()
    heard = last(case, stream, threads)
    stream.close()
    assert heard.is_final
    return heard


def assert_same(heard: Heard, expected: Heard) -> None:
    """The same words at the same times; the last bits of a number may differ with the threads."""
    assert (heard.text, heard.language, heard.is_final) == (expected.text, expected.language, expected.is_final)
    assert heard.avg_logprob == pytest.approx(expected.avg_logprob, abs=1e-3)
    assert heard.no_speech_prob == pytest.approx(expected.no_speech_prob, abs=1e-3)
    assert [token.id for token in heard.tokens] == [token.id for token in expected.tokens]
    for word, other in zip(heard.words, expected.words, strict=True):
        assert (word.text, word.first_token, word.last_token) == (other.text, other.first_token, other.last_token)
        assert (word.start_s, word.end_s) == pytest.approx((other.start_s, other.end_s), abs=0.05)


def test_what_it_says_of_itself(case: RecognizerCase) -> None:
    recognizer = case.recognizer
    assert recognizer.name.isidentifier()
    assert recognizer.sample_rate == 16_000
    assert recognizer.max_segment_s >= 10
    assert recognizer.max_batch >= 1
    assert case.model.memory_bytes > 0
    assert case.model.languages


def test_models_are_listed_and_the_list_is_steady(case: RecognizerCase) -> None:
    models = case.recognizer.models()
    (mine,) = [model for model in models if model.id == case.model.id]
    assert mine.problem is None
    assert mine.engine == case.recognizer.name
    assert mine.languages == case.model.languages
    assert case.recognizer.models() == models


def test_an_unknown_model_is_refused(case: RecognizerCase) -> None:
    with pytest.raises(UnknownModel):
        case.recognizer.load_model("nothing")


def test_a_language_it_does_not_understand_is_refused_before_any_sound(case: RecognizerCase) -> None:
    options = replace(case.options, language="tlh")
    with pytest.raises(UnsupportedLanguage):
        case.recognizer.check(case.model, options)
    with pytest.raises(UnsupportedLanguage):
        case.recognizer.open(case.model, options)
    case.recognizer.check(case.model, replace(case.options, language=case.model.languages[0]))


def test_a_model_that_does_not_translate_says_so(case: RecognizerCase) -> None:
    options = replace(case.options, task="translate")
    if case.model.translates:
        case.recognizer.check(case.model, options)
    else:
        with pytest.raises(UnsupportedLanguage):
            case.recognizer.check(case.model, options)


def test_words_come_while_it_still_decodes(case: RecognizerCase) -> None:
    stream = fed(case, case.sounds[0])
    stream.end()
    heard = [h for h in steps(case, stream) if h is not None]
    assert stream.stage == "done"
    assert len(heard) > 1
    for sooner, later in pairwise(heard):
        assert later.text.startswith(sooner.text)
        assert not sooner.is_whole
        assert not sooner.is_final
    assert heard[-1].is_whole
    assert heard[-1].is_final


def test_a_result_is_whole_in_itself(case: RecognizerCase) -> None:
    heard = understood(case, case.sounds[0])
    assert heard.text
    assert heard.text == heard.text.strip()
    assert heard.language in case.model.languages
    assert 0 < heard.language_probability <= 1
    assert heard.duration_s == pytest.approx(len(case.sounds[0]) / 16_000)
    assert 0 <= heard.no_speech_prob <= 1
    assert heard.avg_logprob <= 0
    assert b"".join(token.piece for token in heard.tokens).decode(errors="replace").strip() == heard.text
    assert all(token.logprob <= 0 for token in heard.tokens)
    assert heard.compression_ratio > 0


def test_words_join_to_the_text_in_order_and_within_the_sound(case: RecognizerCase) -> None:
    heard = understood(case, case.sounds[0])
    assert "".join(word.text for word in heard.words).strip() == heard.text
    place, now_s = 0, 0.0
    for word in heard.words:
        assert word.first_token == place < word.last_token <= len(heard.tokens)
        assert now_s <= word.start_s <= word.end_s <= heard.duration_s + 1e-6
        assert 0 <= word.probability <= 1
        place, now_s = word.last_token, word.start_s


def test_words_are_timed_only_where_asked_for(case: RecognizerCase) -> None:
    stream = case.recognizer.open(case.model, replace(case.options, word_times=False))
    stream.feed(case.sounds[0])
    stream.end()
    assert last(case, stream).words == ()
    stream.close()


def test_the_same_sound_gives_the_same_words_whatever_its_pieces_and_threads(case: RecognizerCase) -> None:
    expected = understood(case, case.sounds[0])
    assert_same(understood(case, case.sounds[0], threads=2), expected)
    for size in (512, 1601, 16_000):
        stream = case.recognizer.open(case.model, case.options)
        for k in range(0, len(case.sounds[0]), size):
            stream.feed(case.sounds[0][k : k + size])
        assert stream.heard_s == pytest.approx(expected.duration_s)
        stream.end()
        assert last(case, stream) == expected
        stream.close()


def test_a_draft_is_whole_and_the_stream_goes_on(case: RecognizerCase) -> None:
    stream = fed(case, case.sounds[0][:16_000])
    stream.draft()
    draft = last(case, stream)
    assert draft.is_whole
    assert not draft.is_final
    assert stream.stage == "waiting"
    stream.feed(case.sounds[0][16_000:])
    stream.end()
    assert last(case, stream) == understood(case, case.sounds[0])
    stream.close()


def test_a_new_draft_drops_the_one_under_way(case: RecognizerCase) -> None:
    expected = replace(understood(case, case.sounds[0]), is_final=False)
    stream = fed(case, case.sounds[0][:16_000])
    stream.draft()
    case.recognizer.step([stream], threads=1)
    stream.feed(case.sounds[0][16_000:])
    stream.draft()
    assert last(case, stream) == expected
    stream.close()


def test_the_end_drops_a_draft_of_less(case: RecognizerCase) -> None:
    expected = understood(case, case.sounds[0])
    for steps_done in range(4):
        stream = fed(case, case.sounds[0][:16_000])
        stream.draft()
        for _ in range(steps_done):
            if stream.stage in ("encode", "decode"):
                case.recognizer.step([stream], threads=1)
        stream.feed(case.sounds[0][16_000:])
        stream.end()
        assert last(case, stream) == expected
        stream.close()


def test_a_draft_of_all_of_it_becomes_the_result(case: RecognizerCase) -> None:
    """However far it has come when the segment ends: nothing of it is done twice."""
    expected = understood(case, case.sounds[0])
    whole = fed(case, case.sounds[0])
    whole.end()
    needed = len(list(steps(case, whole)))
    whole.close()
    for done in range(needed + 1):
        stream = fed(case, case.sounds[0])
        stream.draft()
        for _ in range(done):
            case.recognizer.step([stream], threads=1)
        stream.end()
        rest = list(steps(case, stream))
        assert rest[-1] == expected
        assert len(rest) == max(1, needed - done)
        assert stream.stage == "done"
        stream.close()


def test_a_draft_of_nothing_is_nothing(case: RecognizerCase) -> None:
    stream = case.recognizer.open(case.model, case.options)
    stream.draft()
    assert stream.stage == "waiting"
    stream.close()


def test_a_segment_of_nothing_has_an_empty_text(case: RecognizerCase) -> None:
    stream = case.recognizer.open(case.model, case.options)
    stream.end()
    heard = last(case, stream)
    assert (heard.text, heard.is_final, heard.duration_s) == ("", True, 0.0)
    stream.close()


def test_it_takes_no_sound_past_its_end_or_its_limit(case: RecognizerCase) -> None:
    stream = fed(case, case.sounds[0])
    stream.end()
    with pytest.raises(ValueError, match="end"):
        stream.feed(case.sounds[0])
    stream.close()
    stream = case.recognizer.open(case.model, case.options)
    longest = np.zeros(round(case.recognizer.max_segment_s * 16_000), np.float32)
    stream.feed(longest)
    with pytest.raises(ValueError, match="long"):
        stream.feed(longest[:1])
    stream.close()


def test_two_streams_in_turn_are_each_as_if_alone(case: RecognizerCase) -> None:
    alone = [understood(case, sound) for sound in case.sounds]
    streams = [fed(case, sound) for sound in case.sounds]
    found: list[Heard | None] = [None, None]
    for stream in streams:
        stream.end()
    while any(stream.stage != "done" for stream in streams):
        for k, stream in enumerate(streams):
            if stream.stage != "done":
                (found[k],) = case.recognizer.step([stream], threads=1)
    assert found == alone


def test_two_streams_in_one_batch_are_each_as_if_alone(case: RecognizerCase) -> None:
    alone = [understood(case, sound) for sound in case.sounds]
    streams = [fed(case, sound) for sound in case.sounds]
    found: list[Heard | None] = [None, None]
    for stream in streams:
        stream.end()
    while live := [k for k, stream in enumerate(streams) if stream.stage != "done"]:
        first = streams[live[0]]
        key = (first.stage, first.batch_key)
        group = [k for k in live if (streams[k].stage, streams[k].batch_key) == key][: case.recognizer.max_batch]
        for k, heard in zip(group, case.recognizer.step([streams[k] for k in group], threads=2), strict=True):
            found[k] = heard
    for heard, expected in zip(found, alone, strict=True):
        assert heard is not None
        assert_same(heard, expected)


def test_a_stream_may_be_closed_at_any_time_and_again(case: RecognizerCase) -> None:
    expected = understood(case, case.sounds[0])
    for count in range(6):
        stream = fed(case, case.sounds[0])
        stream.end()
        for _ in range(count):
            if stream.stage != "done":
                case.recognizer.step([stream], threads=1)
        stream.close()
        stream.close()
        assert stream.stage == "done"
        assert stream.error is None
    assert understood(case, case.sounds[0]) == expected
