"""Transcripts and their phrases: values in, values out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.recognizer import Heard, HeardToken, HeardWord
from vivavoce.recognition.listener import HeardSegment
from vivavoce.recognition.transcript import MOST_COLUMNS, MOST_S, Transcript, joined


def segment(texts: list[str], start_s: float = 0.0, word_s: float = 0.4, language: str = "en") -> HeardSegment:
    """Each text is a word of one token, back to back."""
    words = tuple(HeardWord(text, k * word_s, (k + 1) * word_s, 1.0, k, k + 1) for k, text in enumerate(texts))
    tokens = tuple(HeardToken(k, text.encode(), -0.1 * k) for k, text in enumerate(texts))
    duration_s = len(texts) * word_s
    heard = Heard("".join(texts).strip(), True, True, language, duration_s=duration_s, words=words, tokens=tokens)
    return HeardSegment(0, start_s, start_s + duration_s, heard)


def transcript(*segments: HeardSegment, duration_s: float = 1000.0) -> Transcript:
    return Transcript.of("transcribe", duration_s, segments)


def test_sentences_and_pauses_end_phrases() -> None:
    found = transcript(segment([" We", " are", " here", " now.", " And", " you", " too?"])).phrases()
    assert [phrase.text for phrase in found] == ["We are here now.", "And you too?"]
    assert found[1].start_s == 1.6
    assert [token.id for token in found[1].tokens] == [4, 5, 6]
    assert found[0].avg_logprob == pytest.approx(-0.15)


def test_a_short_answer_stays_with_what_follows() -> None:
    found = transcript(segment([" Yes.", " Of", " course."])).phrases()
    assert [phrase.text for phrase in found] == ["Yes. Of course."]


def test_a_long_sentence_is_cut_behind_a_clause() -> None:
    words = [" word"] * 12 + [" clause,"] + [" word"] * 12
    found = transcript(segment(words)).phrases()
    assert found[0].text.endswith("clause,")


def test_what_has_no_word_times_is_one_phrase() -> None:
    heard = Heard("All of it.", True, True, "en", duration_s=2.0)
    (phrase,) = transcript(HeardSegment(0, 3.0, 5.0, heard)).phrases()
    assert (phrase.text, phrase.start_s, phrase.end_s) == ("All of it.", 3.0, 5.0)


def test_segments_that_overlap_a_little_are_put_in_order() -> None:
    found = transcript(segment([" One."], 0.0, 2.0), segment([" Two."], 1.8, 2.0), duration_s=3.5).phrases()
    assert [(phrase.start_s, phrase.end_s) for phrase in found] == [(0.0, 2.0), (2.0, 3.5)]


def test_the_language_is_that_of_most_of_it() -> None:
    assert transcript(segment([" a"]), segment([" b", " c"], language="pt")).spoken_language == "pt"
    assert transcript().spoken_language == "en"


def test_scripts_without_blanks_are_joined_without() -> None:
    assert joined(["今日は", "晴れ。", "明日も"]) == "今日は晴れ。明日も"
    assert joined(["안녕하세요.", "네"]) == "안녕하세요. 네"
    assert joined(["One.", "", "Two."]) == "One. Two."


@given(
    st.lists(
        st.lists(st.sampled_from([" word", " a.", "，", "今日", " clause,", " ", " Supercalifragilistic"]), min_size=1),
        max_size=4,
    ),
    st.floats(0.05, 3.0),
)
def test_nothing_is_lost_and_nothing_goes_back(texts: list[list[str]], word_s: float) -> None:
    segments, start_s = [], 0.0
    for words in texts:
        segments.append(segment(words, start_s, word_s))
        start_s += len(words) * word_s
    whole = transcript(*segments)
    phrases = whole.phrases()
    said = "".join("".join(each.heard.text.split()) for each in whole.segments)
    assert "".join("".join(phrase.text.split()) for phrase in phrases) == said
    before_s = 0.0
    for phrase in phrases:
        assert before_s <= phrase.start_s <= phrase.end_s
        before_s = phrase.end_s
        if len(phrase.words) > 1:
            assert phrase.end_s - phrase.start_s <= MOST_S + 1e-6
            assert len(phrase.text) <= MOST_COLUMNS
