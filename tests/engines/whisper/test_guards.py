"""What looks wrong in a text, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.whisper.guards import is_nothing, is_wrong, loop_start, most_tokens, says_it_twice, settled


@pytest.mark.parametrize(
    "text",
    [
        "The child almost hurt the small dog. The child almost hurt the small dog.",
        "The child almost hurt the small dog. The child almost hurt",
        "Where is the key? Where is the key",
        "你好世界今天天气很好你好世界今天天气很好",
        "今日はいい天気です。今日はいい天気です。",
        "Olá, tudo bem? Ola tudo bem",
    ],
)
def test_a_text_said_twice(text: str) -> None:
    assert says_it_twice(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        "No, no, no.",
        "Bye bye.",
        "One two three four five six.",
        "To be, or not to be, that is the question.",
        "The more he had, the more he wanted.",
        "你好你好",
        "ちょっと待って、ちょっと",
    ],
)
def test_a_text_that_only_uses_a_word_again(text: str) -> None:
    assert not says_it_twice(text)


@pytest.mark.parametrize(
    ("tokens", "start"),
    [
        ([9, 8, *[1] * 14], None),
        ([9, 8, *[1] * 15], 3),
        ([1, 2, 3] * 4, None),
        ([7, *[1, 2, 3] * 5], 4),
        ([*range(7)] * 3, 7),
        ([*range(7)] * 2, None),
        ([1, 2, 3, 4] * 5 + [9], None),
        ([], None),
    ],
)
def test_a_loop_is_found_while_it_runs(tokens: list[int], start: int | None) -> None:
    assert loop_start(tokens) == start


def test_more_than_can_be_said_is_wrong() -> None:
    spoken = "Around the rugged rocks the ragged rascal ran a race."
    assert not is_wrong(spoken, 2.5)
    assert is_wrong(spoken + " Then it all went quiet.", 1.0)
    assert is_wrong("Where is the key? Where is the key?", 5.0)
    assert most_tokens(1.0) >= 40  # a second of Hindi
    assert most_tokens(0.0) > 0


def test_words_in_silence() -> None:
    assert is_nothing("Beautiful weather", -1.2, 0.7)
    assert not is_nothing("Beautiful weather", -1.2, 0.3)
    assert not is_nothing("Beautiful weather", -0.3, 0.9)
    assert is_nothing("ご視聴ありがとうございました。", -0.2, 0.4)
    assert is_nothing("Редактор субтитров А.Иванов Корректор А.Петрова", -0.5, 0.7)  # of many voices at once
    assert is_nothing("Untertitel der Amara.org-Community", -0.2, 0.4)


@pytest.mark.parametrize("text", ["...", "!", "♪♪", " - ", ""])
def test_marks_without_words_are_nothing(text: str) -> None:
    assert is_nothing(text, -0.1, 0.0)


@pytest.mark.parametrize("text", ["Thank you.", " Thanks for watching!", "Music.", "Bye."])
def test_what_is_often_invented_may_have_been_said(text: str) -> None:
    assert not is_nothing(text, -0.2, 0.1)
    assert not is_nothing(text, -0.3, 0.6)  # softly
    assert is_nothing(text, -0.8, 0.4)
    assert is_nothing(text, -0.5, 0.9)


@pytest.mark.parametrize(
    ("tokens", "count"),
    [
        ([], 0),
        ([1, 2, 3], 3),
        ([1, 2, 3, 1], 3),  # a second round may begin
        ([1, 2, 3, 1, 2], 3),
        ([1, 2, 3, 1, 2, 9], 6),  # it was none
        ([6, 6, 6, 6], 1),
        ([1, 2, 1, 3, 1, 2], 4),
    ],
)
def test_what_may_be_a_repeat_is_held_back(tokens: list[int], count: int) -> None:
    assert settled(tokens, [-0.1] * len(tokens), 0.0) == count


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_a_loop_is_never_cut_within_what_was_told(tokens: list[int]) -> None:
    told = 0
    for count in range(1, len(tokens) + 1):
        again = loop_start(tokens[:count])
        if again is not None:
            assert told <= again
            return
        told = max(told, settled(tokens[:count], [-0.1] * count, 0.0))


def test_nothing_is_told_while_the_model_is_unsure_or_hears_silence() -> None:
    assert settled([1, 2, 3], [-0.9] * 3, 0.0) == 0
    assert settled([1, 2, 3], [-0.1] * 3, 0.4) == 0
