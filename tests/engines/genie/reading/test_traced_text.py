"""Every character knows its origin through any chain of rewriting."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engines.genie.reading.traced_text import TracedText


def test_replaced_characters_come_from_what_they_replaced() -> None:
    traced = TracedText.of("pay $5 now").sub(re.compile(r"\$(\d)"), r"\1 dollars")

    assert traced.text == "pay 5 dollars now"
    assert traced.origin(4, 13) == (4, 6)
    assert traced.origin(14, 17) == (7, 10)


def test_removed_characters_leave_a_gap() -> None:
    traced = TracedText.of("a(b)c").map(lambda char: "" if char in "()" else char)

    assert traced.text == "abc"
    assert traced.origins == ((0, 1), (2, 3), (4, 5))


def test_somebody_elses_rewriting_keeps_equal_stretches() -> None:
    traced = TracedText.of("共12個。").rewritten("共十二個。")

    assert traced.origins == ((0, 1), (1, 3), (1, 3), (3, 4), (4, 5))


def test_somebody_elses_map() -> None:
    traced = TracedText.of("my 10 cats")[3:].respelled("ten cats", [(0, 3, 0, 2), (3, 8, 2, 7)])

    assert traced.origin(0, 3) == (3, 5)
    assert traced.origin(4, 8) == (6, 10)
    assert traced.origin(4, 5) == (6, 7)


def test_a_slice_keeps_its_places() -> None:
    assert TracedText.of("hello world")[6:].origin(0, 5) == (6, 11)


@given(text=st.text(max_size=40), other=st.text(max_size=40), pattern=st.sampled_from(["a*", "[a-m]", r"\d+", "^", ""]))
def test_origins_stay_inside_the_text(text: str, other: str, pattern: str) -> None:
    traced = TracedText.of(text).sub(re.compile(pattern), "xy").map(lambda char: char * 2)

    for result in (traced, traced.rewritten(other)):
        assert len(result.origins) == len(result)
        assert all(0 <= start <= end <= len(text) for start, end in result.origins)
