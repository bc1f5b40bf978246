"""What is believed, what is heard once more, and what the sound and its silence become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import synthetic_whisper
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.engines.whisper import guards
from vivavoce.engines.whisper.decoder import Answer, Ask
from vivavoce.engines.whisper.hearing import Hearing
from vivavoce.engines.whisper.loaded_model import WhisperModel
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.errors import EngineError, InvalidRequest, UnsupportedLanguage

TWICE = (" Where", " is", " he", "?", " Where", " is", " he", "?")


class Spy:
    """A decoder that remembers what it was asked."""

    def __init__(self, model: WhisperModel) -> None:
        self._decoder, self.asks = model.decoder, list[Ask]()
        model.decoder = self

    def run(self, asks: Sequence[Ask], threads: int) -> list[Answer]:
        self.asks += asks
        return self._decoder.run(asks, threads)

    @property
    def windows(self) -> list[int]:
        """Places of the windows that texts were begun in, the tail included."""
        return [ask.memory.cross.shape[3] for ask in self.asks if len(ask.tokens) > 1]


def recognizer(words: Sequence[str] = synthetic_whisper.WORDS) -> tuple[WhisperRecognizer, WhisperModel, Spy]:
    folders = synthetic_whisper.Folders({"small": synthetic_whisper.folder(words)})
    made = WhisperRecognizer(folders, synthetic_whisper.cache(), synthetic_whisper.short_sounds, threads=1)
    model = made.load_model("small")
    return made, model, Spy(model)


def heard(made: WhisperRecognizer, stream: Hearing) -> list[Heard]:
    found: list[Heard] = []
    for _ in range(500):
        if stream.stage in ("waiting", "done"):
            return found
        found += [h for h in made.step([stream], threads=1) if h is not None]
    raise AssertionError("it never came to an end")


def test_the_window_is_as_long_as_the_sound_and_a_second_with_the_tail_behind() -> None:
    made, model, spy = recognizer()
    stream = made.open(model, HearingOptions(language="en"))
    stream.feed(synthetic_whisper.sound(3, 2.0))
    stream.end()
    assert heard(made, stream)[-1].text == "One two three four."
    assert spy.windows == [150 + (1500 - 150) // 10]
    assert spy.asks[0].memory.bias[:150].max() == 0
    assert np.exp(spy.asks[0].memory.bias).sum() == pytest.approx(1500, rel=1e-4)


@pytest.mark.parametrize("seconds", [0.01, 0.1, 29.5, 30.0])
def test_the_shortest_and_the_longest_sounds(seconds: float) -> None:
    made, model, spy = recognizer()
    stream = made.open(model, HearingOptions(language="en", word_times=True))
    stream.feed(synthetic_whisper.sound(3, seconds))
    stream.end()
    last = heard(made, stream)[-1]
    assert last.is_final
    assert all(word.end_s <= seconds for word in last.words)
    assert np.exp(spy.asks[0].memory.bias).sum() == pytest.approx(1500, rel=1e-4)


def test_a_text_said_twice_is_heard_once_more_in_the_whole_window() -> None:
    made, model, spy = recognizer(TWICE)
    stream = made.open(model, HearingOptions(language="en"))
    stream.feed(synthetic_whisper.sound(3, 2.0))
    stream.end()
    found = heard(made, stream)
    assert spy.windows == [285, 1500]  # at most one retry, though it is as doubtful again
    assert [h.is_whole for h in found].count(True) == 1
    assert found[-1].text == "Where is he? Where is he?"


def test_what_a_prompt_may_have_made_wrong_is_heard_without_it() -> None:
    made, model, spy = recognizer(TWICE)
    stream = made.open(model, HearingOptions(language="en", prompt="is he is he is he", hotwords=("he",)))
    stream.feed(synthetic_whisper.sound(3, 2.0))
    stream.end()
    assert heard(made, stream)[-1].is_final
    prompted, plain = [ask.tokens for ask in spy.asks if len(ask.tokens) > 1]
    assert list(prompted)[-len(plain) :] == list(plain)
    assert len(prompted) > len(plain) + 6


def test_a_doubtful_draft_is_shown_but_not_made_the_result() -> None:
    made, model, spy = recognizer(TWICE)
    stream = made.open(model, HearingOptions(language="en"))
    stream.feed(synthetic_whisper.sound(3, 2.0))
    stream.draft()
    assert heard(made, stream)[-1].is_whole
    assert spy.windows == [285]
    stream.end()
    assert heard(made, stream)[-1].is_final
    assert spy.windows == [285, 1500]


def test_a_long_sound_is_not_heard_twice_in_the_same_window() -> None:
    made, model, spy = recognizer((*TWICE[:4], *TWICE[:4]))
    stream = made.open(model, HearingOptions(language="en"))
    stream.feed(synthetic_whisper.sound(3, 29.8))
    stream.end()
    assert heard(made, stream)[-1].is_final
    assert spy.windows == [1500]


def test_invented_words_are_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, model, _ = recognizer((" Captions", " by", " Amara", ".", "org"))
    monkeypatch.setattr("vivavoce.engines.whisper.hearing.probability", lambda logits, token: 0.5)
    stream = made.open(model, HearingOptions(language="en", word_times=True))
    stream.feed(synthetic_whisper.sound(3, 1.0))
    stream.end()
    last = heard(made, stream)[-1]
    assert (last.text, last.words, last.tokens) == ("", (), ())
    assert last.no_speech_prob == 0.5


def test_a_language_is_detected_on_the_untailed_window_among_those_allowed() -> None:
    made, model, spy = recognizer()
    stream = made.open(model, HearingOptions())
    stream.feed(synthetic_whisper.sound(3, 1.0))
    stream.end()
    last = heard(made, stream)[-1]
    assert last.language == "en"
    assert 0 < last.language_probability <= 1
    assert spy.asks[0].memory.cross.shape[3] == 100
    stream = made.open(model, HearingOptions(languages=("de",)))
    stream.feed(synthetic_whisper.sound(3, 1.0))
    stream.end()
    assert heard(made, stream)[-1].language == "de"


def test_an_encoder_step_is_a_part_of_a_long_window_and_all_of_a_short_one() -> None:
    made, model, _ = recognizer()
    counts = []
    for seconds in (2.0, 30.0):
        stream = made.open(model, HearingOptions(language="en"))
        stream.feed(synthetic_whisper.sound(3, seconds))
        stream.end()
        count = 0
        while stream.stage == "encode":
            made.step([stream], threads=1)
            count += 1
        counts.append(count)
    assert counts == [1, 5]  # five parts, one a step


def test_options_out_of_range_are_refused() -> None:
    made, model, _ = recognizer()
    for options in (HearingOptions(temperature=1.5), HearingOptions(temperature=-0.1)):
        with pytest.raises(InvalidRequest):
            made.check(model, options)
    with pytest.raises(UnsupportedLanguage, match="xx"):
        made.check(model, HearingOptions(languages=("en", "xx")))


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf, 3e38])
def test_numbers_that_are_no_sound_harm_nobody(level: float) -> None:
    made, model, _ = recognizer()
    stream = made.open(model, HearingOptions(word_times=True))
    stream.feed(np.full(16_000, level, np.float32))
    stream.feed(synthetic_whisper.sound(3, 1.0))
    stream.end()
    last = heard(made, stream)[-1]
    assert np.isfinite([last.avg_logprob, last.no_speech_prob, last.language_probability]).all()


def test_a_window_that_cannot_be_encoded_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made, model, _ = recognizer()
    streams = []
    for seconds in (1.0, 2.0):
        stream = made.open(model, HearingOptions(language="en"))
        stream.feed(synthetic_whisper.sound(3, seconds))
        stream.end()
        streams.append(stream)

    def fail(threads: int) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(streams[0].attempt, "encode", fail)
    assert made.step(streams, threads=1) == [None, None]
    assert streams[0].stage == "done"
    assert streams[0].error is not None
    assert heard(made, streams[1])[-1].is_final


def test_a_decoder_that_fails_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made, model, spy = recognizer()
    stream = made.open(model, HearingOptions(language="en"))
    stream.feed(synthetic_whisper.sound(3, 1.0))
    stream.end()
    made.step([stream], threads=1)

    def fail(asks: Sequence[Ask], threads: int) -> list[Answer]:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(spy, "run", fail)
    with pytest.raises(EngineError):
        made.step([stream], threads=1)


def told(
    seconds: float,
    sureness: Sequence[float],
    words: Sequence[str] = synthetic_whisper.WORDS,
    language: str = "en",
) -> Heard:
    """The result where the first attempt was this sure and the second that."""
    made, model, _ = recognizer(words)
    stream = made.open(model, HearingOptions(language=language))
    stream.feed(synthetic_whisper.sound(3, seconds))
    stream.end()
    seen: list[object] = []
    for _ in range(500):
        if stream.stage == "done":
            break
        attempt = stream.attempt
        if attempt not in seen:
            seen.append(attempt)
            sure = sureness[len(seen) - 1]
            attempt.decoding = Sure(attempt.decoding, sure)  # type: ignore[assignment]
        (found,) = made.step([stream], threads=1)
    assert len(seen) == len(sureness)
    assert found is not None
    return found


class Sure:
    """A `Decoding` that is as sure as it is told."""

    def __init__(self, decoding: object, avg_logprob: float) -> None:
        self._decoding, self.avg_logprob = decoding, avg_logprob

    def __getattr__(self, name: str) -> object:
        return getattr(self._decoding, name)


def test_an_unsure_result_is_heard_once_more_and_the_surer_one_kept() -> None:
    assert told(2.0, [-0.9, -0.4]).avg_logprob == -0.4
    assert told(2.0, [-0.9, -1.4]).avg_logprob == -0.9
    assert told(2.0, [-0.5]).avg_logprob == -0.5


@pytest.mark.parametrize(("language", "heard_twice"), [("en", False), ("de", True), ("zh", True)])
def test_other_languages_than_english_are_doubted_sooner(language: str, heard_twice: bool) -> None:
    sureness = [-0.6, -0.4] if heard_twice else [-0.6]
    assert told(2.0, sureness, language=language).avg_logprob == sureness[-1]
    assert told(2.0, [-0.45], language=language).avg_logprob == -0.45


@pytest.mark.parametrize(("language", "kept"), [("en", -0.9), ("de", -1.4)])
def test_of_two_doubtful_results_the_surer_one_counts_in_english_the_whole_window_elsewhere(
    language: str, kept: float
) -> None:
    assert told(2.0, [-0.9, -1.4], language=language).avg_logprob == kept
    assert told(2.0, [-0.9, -0.8], language=language).avg_logprob == -0.8


def test_what_may_be_heard_once_more_is_not_told_before_in_any_language() -> None:
    made, model, _ = recognizer()
    told, _ = beginnings(made, made.open(model, HearingOptions(language="de", as_it_comes=True)), (-0.1,))
    assert guards.settled([1, 2, 3], [-0.6] * 3, 0.0, "de") == 0
    assert guards.settled([1, 2, 3], [-0.6] * 3, 0.0, "en") == 3
    assert told


def test_of_two_wrong_results_the_one_with_the_whole_window_counts() -> None:
    assert told(2.0, [-0.1, -0.4], TWICE).avg_logprob == -0.4


class Turncoat(Spy):
    """A decoder that says something else in the whole window than in the short one."""

    def run(self, asks: Sequence[Ask], threads: int) -> list[Answer]:
        answers = super().run(asks, threads)
        for ask, answer in zip(asks, answers, strict=True):
            if ask.memory.cross.shape[3] == 1500:
                answer.logits[-1] = np.roll(answer.logits[-1], 1)
        return answers


def beginnings(made: WhisperRecognizer, stream: Hearing, sureness: Sequence[float]) -> tuple[list[Heard], Heard]:
    """What is told of a text before it is whole, and the whole, where its attempts are this sure."""
    stream.feed(synthetic_whisper.sound(3, 2.0))
    stream.end()
    found: list[Heard] = []
    seen: list[object] = []
    for _ in range(500):
        if stream.stage == "done":
            break
        if stream.attempt not in seen:
            seen.append(stream.attempt)
            decoding = Sure(stream.attempt.decoding, sureness[len(seen) - 1])
            stream.attempt.decoding = decoding  # type: ignore[assignment]
        found += [h for h in made.step([stream], threads=1) if h is not None]
    assert len(seen) == len(sureness)
    return found[:-1], found[-1]


def ids(heard: Heard) -> list[int]:
    return [token.id for token in heard.tokens]


@pytest.mark.parametrize("sureness", [(-0.1,), (-0.9, -0.1), (-0.9, -1.5)])
def test_what_was_told_of_a_beginning_is_never_taken_back(
    sureness: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second hearing would say something else, but it begins where the first has committed itself."""
    monkeypatch.setattr("vivavoce.engines.whisper.guards.UNSURE_LOGPROB", -0.7)
    made, model, spy = recognizer()
    Turncoat(model)
    told, whole = beginnings(made, made.open(model, HearingOptions(language="en", as_it_comes=True)), sureness)
    assert any(heard.tokens for heard in told)
    for before, after in zip(told, [*told[1:], whole], strict=True):
        assert ids(after)[: len(before.tokens)] == ids(before)
    assert whole.text.startswith("".join(token.piece.decode() for token in told[-1].tokens).strip())
    assert len(spy.windows) == len(sureness)


def test_who_does_not_ask_for_beginnings_gets_the_better_hearing() -> None:
    made, model, _ = recognizer()
    Turncoat(model)
    told, whole = beginnings(made, made.open(model, HearingOptions(language="en")), (-0.9, -0.1))
    assert not any(heard.tokens for heard in told)
    assert not whole.text.startswith("One")


def test_words_in_what_may_be_silence_are_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made, model, _ = recognizer((" Captions", " by", " Amara", ".", "org"))
    monkeypatch.setattr("vivavoce.engines.whisper.hearing.probability", lambda logits, token: 0.5)
    stream = made.open(model, HearingOptions(language="en", as_it_comes=True))
    told, whole = beginnings(made, stream, (-0.1,))
    assert not any(heard.tokens for heard in told)
    assert whole.text == ""
