"""A sentence that grew is cut again: the pieces say all of it, in order, and none is long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.text.language import is_wide
from vivavoce.text.normalize import normalize
from vivavoce.text.pieces import LONGEST, pieces_of

GROWING = [
    "www." + "7-" * 950,
    "77777777 " * 455,
    "9" * 4000,
    "½" * 600,
    "7" + "%" * 900,
    "1g " * 600,
    "a " * 900,
    "好" * 700,
    "www." + "a" * 1900,
]


def weight(text: str) -> int:
    return len(text) + 2 * sum(map(is_wide, text))


@pytest.mark.parametrize("written", GROWING, ids=lambda written: written[:8])
def test_no_piece_is_long_and_none_is_lost(written: str) -> None:
    spoken = normalize(written, "zh" if "好" in written else "en")
    pieces = pieces_of(spoken)
    assert len(pieces) > 1
    assert max(weight(piece.text) for piece in pieces) <= LONGEST + 3
    assert "".join("".join(piece.text.split()) for piece in pieces) == "".join(spoken.text.split())


def test_an_honest_sentence_is_left_alone() -> None:
    spoken = normalize("On May 5, 2024, it cost $3.50, and 1,234 people paid it, e.g. at 5 p.m. on Main St.")
    assert pieces_of(spoken) == [spoken]


def test_it_is_cut_at_commas_before_spaces() -> None:
    spoken = normalize("one two three, four five six seven eight nine ten eleven")
    assert [piece.text for piece in pieces_of(spoken, 24)] == [
        "one two three,",
        "four five six seven",
        "eight nine ten eleven",
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text("ab 7,.$%½好", max_size=120), st.integers(5, 60))
def test_the_maps_of_the_pieces_are_the_map(text: str, longest: int) -> None:
    spoken = normalize(text, "en")
    source_at = 0
    for piece in pieces_of(spoken, longest):
        assert piece.source == text
        at = 0
        for start, end, source_start, source_end in piece.spans:
            assert start == at < end
            assert source_start < source_end <= len(text)
            assert source_start >= source_at - 1, "only a replacement that is cut may be named twice"
            at, source_at = end, source_end
        assert at == len(piece.text)
