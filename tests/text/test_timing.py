"""Word times, measured or estimated: as written, in order, inside the audio, and near to what a recognizer hears."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.text.timing import estimate_words, place_words

TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            ["Hello ", "world, ", "$3.50 ", "5 p.m. ", "你好，", "はい。", "안녕 ", "“", "”", "**x** ", "😀", "... "]
        ),
        max_size=20,
    ).map("".join),
)


def words(written: str, duration_s: float = 3.0) -> list[str]:
    return [word.text for word in estimate_words(normalize(written), duration_s)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Mr. Lee paid $3.50, at 5 p.m.", ["Mr.", "Lee", "paid", "$3.50,", "at", "5 p.m."]),
        ("**Hello**, [my world](http://x.y)!", ["Hello,", "my", "world!"]),
        ("“It's” (really) fine.", ["“It's”", "(really)", "fine."]),
        ("well-known, e.g. that", ["well-known,", "e.g.", "that"]),
        ('He said "go" now', ["He", "said", '"go"', "now"]),
        ("你好，世界。", ["你", "好，", "世", "界。"]),
        ("“走吧！”他说", ["“走", "吧！”", "他", "说"]),
        ("我用Python写", ["我", "用", "Python", "写"]),
        ("花了$12.5。", ["花", "了", "$12.5。"]),
        ("はい、東京", ["は", "い、", "東", "京"]),
        ("안녕 세상, 좋아요.", ["안녕", "세상,", "좋아요."]),
        ("- item one", ["item", "one"]),
        ("go 😀 now", ["go", "now"]),
        ("...", []),
        ("", []),
    ],
)
def test_words_are_those_written(written: str, expected: list[str]) -> None:
    assert words(written) == expected


@settings(max_examples=400, deadline=None, derandomize=True)
@given(TEXTS, st.floats(0, 30), st.floats(0, 1), st.floats(0, 1))
def test_times_rise_inside_the_audio(text: str, duration_s: float, lead_s: float, tail_s: float) -> None:
    spoken = normalize(text)
    timings = estimate_words(spoken, duration_s, lead_s=lead_s, tail_s=tail_s)
    assert bool(timings) == bool(spoken.text)
    at_s, place = 0.0, 0
    for word in timings:
        assert at_s <= word.start_s <= word.end_s <= duration_s
        assert place <= word.source_start < word.source_end <= len(text)
        assert word.estimated
        assert word.text
        at_s, place = word.end_s, word.source_end


def test_silence_at_the_ends_is_left_out() -> None:
    timings = estimate_words(normalize("One two three"), 3.0, lead_s=0.5, tail_s=0.7)
    assert (timings[0].start_s, timings[-1].end_s) == pytest.approx((0.5, 2.3))


def test_longer_words_and_numbers_take_longer() -> None:
    short, long, price = estimate_words(normalize("go internationally $3.50"), 3.0)
    assert short.end_s - short.start_s < long.end_s - long.start_s < price.end_s - price.start_s


def test_a_mark_is_a_pause() -> None:
    together = estimate_words(normalize("one two"), 2.0)
    apart = estimate_words(normalize("one, two"), 2.0)
    stopped = estimate_words(normalize("one... two"), 2.0)
    gaps = [after.start_s - before.end_s for before, after in (together, apart, stopped)]
    assert gaps[0] == pytest.approx(0)
    assert 0 < gaps[1] < gaps[2]


def test_the_last_mark_takes_no_time() -> None:
    assert estimate_words(normalize("one two."), 2.0)[-1].end_s == pytest.approx(2.0)


def test_text_that_no_rule_rewrote_needs_no_spans() -> None:
    assert estimate_words(SpokenText("", "", "en"), 1.0) == ()


def test_written_words_take_the_times_of_spoken_ones() -> None:
    spoken = normalize("Well-known at 5 p.m. for $3.", "en")
    tokens = spoken.text.split()
    sounds = [(float(at), at + 0.5) for at in range(len(tokens))]
    words = place_words(spoken, sounds, float(len(tokens)))
    assert [word.text for word in words] == ["Well-known", "at", "5 p.m.", "for", "$3."]
    assert [word.start_s for word in words] == [
        tokens.index(each) for each in ("Well-known", "at", "five", "for", "three")
    ]
    assert words[0].end_s == 0.5
    assert words[2].end_s == tokens.index("for") - 0.5
    assert not any(word.estimated for word in words)


def test_words_that_share_one_spoken_word_follow_each_other() -> None:
    spoken = SpokenText("ab cd", "abcd", "en", ((0, 2, 0, 2), (2, 4, 3, 5)))
    words = place_words(spoken, [(1.0, 2.0)], 2.0)
    assert [(word.start_s, word.end_s) for word in words] in ([(1.0, 2.0)], [(1.0, 1.5), (1.5, 2.0)])


def test_a_front_end_with_other_words_leaves_an_estimate() -> None:
    spoken = normalize("Five words are in it.", "en")
    words = place_words(spoken, [(0.0, 1.0)] * 4, 2.0)
    assert words == estimate_words(spoken, 2.0)
    assert all(word.estimated for word in words)


@given(
    st.text("abc ,.-'\"5$é", min_size=1, max_size=40),
    st.lists(st.tuples(st.floats(-1, 9), st.floats(-1, 9)), max_size=12),
)
def test_whatever_the_times_are_words_stay_in_order_and_inside(text: str, sounds: list[tuple[float, float]]) -> None:
    words = place_words(normalize(text, "en"), sounds, 5.0)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= 5.0 for time in times)
