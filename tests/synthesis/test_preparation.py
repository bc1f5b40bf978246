"""What is found out about a text before anything of it is spoken, with the embedded voice's own letters."""

from __future__ import annotations

import pytest

from vivavoce.engines.embedded import EmbeddedEngine
from vivavoce.engines.speech import SpeechOptions, Voice
from vivavoce.errors import EmptyInput, SpokenTextTooLong, UnspeakableText
from vivavoce.synthesis.preparation import PreparedText, prepare_sentence, prepare_text
from vivavoce.synthesis.speaker import Unspoken
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.text.normalize import SpokenText
from vivavoce.text.pieces import LONGEST
from vivavoce.text.sentences import Sentence

LIMIT = 3 * 4096


@pytest.fixture(scope="module")
def loaded() -> LoadedVoice:
    engine = EmbeddedEngine()
    info = engine.voices()[0]
    return LoadedVoice(engine, engine.load_voice(info.id), info)


def prepare(loaded: LoadedVoice, text: str, longest: int = LIMIT) -> PreparedText:
    return prepare_text(text, loaded, SpeechOptions(), longest)


def test_a_foreign_letter_costs_nobody_the_rest(loaded: LoadedVoice) -> None:
    prepared = prepare(loaded, "Here is the plan for you. The word α means alpha in Greek. And this is the end of it.")
    assert [sentence.spoken for sentence in prepared.sentences] == [True, True, True]
    assert prepared.unspoken == ()


def test_a_foreign_sentence_is_left_out_and_named(loaded: LoadedVoice) -> None:
    text = "This is the first one.\n今天天气很好，我们去公园吧。\nAnd here is the last, with 東京 in it."
    prepared = prepare(loaded, text)
    assert [sentence.spoken for sentence in prepared.sentences] == [True, False, True]
    assert prepared.unspoken == (
        Unspoken("今天天气很好，我们去公园吧。", text.index("今")),
        Unspoken("東京", text.index("東")),
    )
    assert all(text[part.start : part.start + len(part.text)] == part.text for part in prepared.unspoken)


@pytest.mark.parametrize("text", ["今天天气很好。", "Привет, как дела? Всё хорошо.", "こんにちは。🎉 !!"])
def test_a_text_of_another_language_is_refused_as_ever(loaded: LoadedVoice, text: str) -> None:
    with pytest.raises(UnspeakableText, match="it speaks: English"):
        prepare(loaded, text)


def test_nothing_to_say_is_refused(loaded: LoadedVoice) -> None:
    with pytest.raises(EmptyInput):
        prepare(loaded, "... !!! \n```\ncode\n```\n")


def test_what_grows_is_refused_by_its_spoken_length(loaded: LoadedVoice) -> None:
    with pytest.raises(SpokenTextTooLong):
        prepare(loaded, "77777777 " * 455)
    assert prepare(loaded, "In 1999 it cost $3.50. " * 170)


def test_of_what_grows_no_more_is_read_than_it_takes_to_know_that(loaded: LoadedVoice) -> None:
    read: list[str] = []

    class Watched(EmbeddedEngine):
        def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
            read.append(sentence.source)
            return super().check(sentence, voice, options)

    watched = LoadedVoice(Watched(), loaded.voice, loaded.info)
    with pytest.raises(SpokenTextTooLong) as refused:
        prepare_text("77777777 " * 455, watched, SpeechOptions(), 1000)
    assert 0 < len("".join(read)) < 455 * len("77777777 ") / 4
    assert refused.value.length > 1000 * 4  # it tells how long the whole would be


@pytest.mark.parametrize("text", ["www." + "7-" * 950, "77777777 " * 22, "1234567.89 " * 18, "½" * 200])
def test_an_engine_never_gets_much_at_once(loaded: LoadedVoice, text: str) -> None:
    prepared = prepare_sentence(Sentence(text, 0, 0, "sentence"), loaded, SpeechOptions())
    assert len(prepared.pieces) > 1
    assert all(len(piece.text) <= LONGEST for piece in prepared.pieces)
    assert all(len(string) <= 600 for piece in prepared.pieces for string in _phonemes(loaded, piece.text))


def _phonemes(loaded: LoadedVoice, text: str) -> list[str]:
    voice = loaded.voice
    phonemes: list[str] = voice.model.phonemize(text)  # type: ignore[attr-defined]  # an EmbeddedVoice
    return phonemes
