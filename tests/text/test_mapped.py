"""A text under rewriting keeps the places of what it was."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.text.mapped import MappedText


def test_replacements_stand_for_what_they_replaced() -> None:
    text = MappedText.of("I paid $5 to him")
    text = text.sub(re.compile(r"\$5"), "five dollars")
    assert text.text == "I paid five dollars to him"
    assert (7, 19, 7, 9) in text.spans()


def test_a_second_replacement_keeps_the_first_places() -> None:
    text = MappedText.of("a 12 b")
    text = text.sub(re.compile("12"), "dozen eggs")
    text = text.sub(re.compile("dozen"), "twelve")
    text = text.sub(re.compile("b"), "c")
    assert [(text.text[a:b], c, d) for a, b, c, d in text.spans()] == [
        ("a", 0, 1), (" ", 1, 2), ("twelve eggs", 2, 4), (" ", 4, 5), ("c", 5, 6)
    ]  # fmt: skip


def test_none_leaves_a_match_alone() -> None:
    text = MappedText.of("a b a")
    text = text.sub(re.compile("a"), lambda found: None if found.start() == 0 else "x")
    assert text.text == "a b x"


def test_keep_and_remove_leave_places_as_they_were() -> None:
    text = MappedText.of("[ab](cd) e")
    text = text.keep(re.compile(r"\[(\w+)\]\(\w+\)"))
    assert (text.text, text.spans()) == ("ab e", ((0, 2, 1, 3), (2, 3, 8, 9), (3, 4, 9, 10)))
    text = text.remove([(0, 1)])
    assert text.spans()[0] == (0, 1, 2, 3)


def test_rules_that_met_share_one_span() -> None:
    text = MappedText.of("abc")
    text = text.sub(re.compile("ab"), "xy")
    text = text.sub(re.compile("yc"), "zz")
    assert (text.text, text.spans()) == ("xzz", ((0, 3, 0, 3),))


def test_strip_and_map() -> None:
    text = MappedText.of("  ab ")
    text = text.map(lambda char: "" if char == "a" else char * 2)
    text = text.strip()
    assert (text.text, text.spans()) == ("bb", ((0, 2, 3, 4),))


def test_replaced_characters_come_from_what_they_replaced() -> None:
    traced = MappedText.of("pay $5 now").sub(re.compile(r"\$(\d)"), r"\1 dollars")

    assert traced.text == "pay 5 dollars now"
    assert traced.origin(4, 13) == (4, 6)
    assert traced.origin(14, 17) == (7, 10)


def test_removed_characters_leave_a_gap() -> None:
    traced = MappedText.of("a(b)c").map(lambda char: "" if char in "()" else char)

    assert traced.text == "abc"
    assert traced.origins == ((0, 1), (2, 3), (4, 5))


def test_somebody_elses_rewriting_keeps_equal_stretches() -> None:
    traced = MappedText.of("共12個。").rewritten("共十二個。")

    assert traced.origins == ((0, 1), (1, 3), (1, 3), (3, 4), (4, 5))


def test_somebody_elses_map() -> None:
    traced = MappedText.of("my 10 cats")[3:].respelled("ten cats", [(0, 3, 0, 2), (3, 8, 2, 7)])

    assert traced.origin(0, 3) == (3, 5)
    assert traced.origin(4, 8) == (6, 10)
    assert traced.origin(4, 5) == (6, 7)


def test_a_slice_keeps_its_places() -> None:
    assert MappedText.of("hello world")[6:].origin(0, 5) == (6, 11)


@given(text=st.text(max_size=40), other=st.text(max_size=40), pattern=st.sampled_from(["a*", "[a-m]", r"\d+", "^", ""]))
def test_origins_stay_inside_the_text(text: str, other: str, pattern: str) -> None:
    traced = MappedText.of(text).sub(re.compile(pattern), "xy").map(lambda char: char * 2)

    for result in (traced, traced.rewritten(other)):
        assert len(result.origins) == len(result)
        assert all(0 <= start <= end <= len(text) for start, end in result.origins)
