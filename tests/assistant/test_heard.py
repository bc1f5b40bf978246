"""From a place in the sound to the words that were heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.assistant.heard import SpokenText, cut_at_word
from vivavoce.text.normalize import normalize
from vivavoce.text.timing import estimate_words
from vivavoce.words import WordTiming


def spoken(*sentences: str) -> tuple[SpokenText, list[WordTiming]]:
    """A text whose sentences take a second each, as an engine times them."""
    whole, told = SpokenText(), []
    at = 0
    for number, sentence in enumerate(sentences):
        words = [
            WordTiming(w.text, w.start_s + number, w.end_s + number, w.source_start + at, w.source_end + at)
            for w in estimate_words(normalize(sentence), 1.0)
        ]
        half = len(words) // 2
        whole.add(sentence, words[:half], number + 0.5)
        whole.add("", words[half:], number + 1.0)
        told += words
        at += len(sentence)
    return whole, told


def test_a_word_was_heard_when_half_of_it_was() -> None:
    text, words = spoken("The museum opens at nine. ", "It closes at five.")
    for word in words:
        middle_s = (word.start_s + word.end_s) / 2
        assert text.heard(middle_s + 1e-6) == text.text[: word.source_end]
        assert len(text.heard(middle_s - 1e-6)) < word.source_end
    assert text.heard(0.0) == ""
    assert text.heard(1e9) == "The museum opens at nine. It closes at five."


def test_chinese_is_cut_at_a_character() -> None:
    text, words = spoken("今天天气很好，适合散步。")
    heard = {text.heard(at / 100) for at in range(100)}
    assert len(heard) == len(words) + 1
    assert "今天天" in heard


def test_without_word_times_the_characters_share_the_time() -> None:
    text = SpokenText()
    text.add("One two three four.", (), 2.0)
    assert text.heard(1.0) == "One two"
    assert text.heard(2.0) == "One two three four."


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("One two three", 8, "One two"),
        ("One two three", 7, "One two"),
        ("One two three", 2, ""),
        ("One two", 99, "One two"),
        ("One two", -1, ""),
        ("今天天气很好，适合散步。", 3, "今天天"),
        ("今天天气很好，适合散步。", 6, "今天天气很好，"[:5]),
        ("我用Python写", 5, "我用"),
        ("안녕하세요 여러분", 7, "안녕하세요"),
        ("it's", 3, ""),
    ],
)
def test_texts_are_cut_at_words(text: str, length: int, cut: str) -> None:
    assert cut_at_word(text, length) == cut


@given(st.text(), st.integers(-3, 40))
def test_a_cut_is_a_beginning_that_fits(text: str, length: int) -> None:
    cut = cut_at_word(text, length)
    assert text.startswith(cut)
    assert len(cut) <= max(length, 0)


@given(st.lists(st.floats(0, 5), max_size=30))
def test_more_sound_is_never_fewer_words(places: list[float]) -> None:
    text, _ = spoken("Yes, well, it costs 20 euros. ", "今天天气很好。", "That is all")
    lengths = [len(text.heard(place)) for place in sorted(places)]
    assert lengths == sorted(lengths)
