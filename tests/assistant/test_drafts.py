"""Words told while somebody speaks: what two drafts agree on, and never anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.assistant.drafts import Drafts


def test_two_drafts_have_to_agree_and_the_last_word_waits() -> None:
    drafts = Drafts()
    assert drafts.feed("What") == ""
    assert drafts.feed("What time") == "What"
    assert drafts.feed("What time is") == " time"
    assert drafts.feed("What time was it") == ""
    assert drafts.finish("What time is it?") == " is it?"


def test_what_was_told_is_not_taken_back() -> None:
    drafts = Drafts()
    drafts.feed("I see a")
    assert drafts.feed("I see a ship") == "I see a"
    assert drafts.feed("Icy sheep over") == ""
    assert drafts.finish("Icy sheep.") == ""
    assert drafts.told == "I see a"


def test_scripts_without_blanks_are_told_by_characters() -> None:
    drafts = Drafts()
    drafts.feed("今天天")
    assert drafts.feed("今天天气很") == "今天天"
    assert drafts.finish("今天天气很好。") == "气很好。"


@pytest.mark.parametrize("texts", [["", ""], ["a"], ["a b c"] * 3])
def test_the_deltas_of_steady_drafts_are_the_text(texts: list[str]) -> None:
    drafts = Drafts()
    told = "".join(map(drafts.feed, texts)) + drafts.finish(texts[-1])
    assert told == texts[-1]


@given(st.lists(st.text("ab 今", max_size=12), max_size=6), st.text("ab 今", max_size=12))
def test_what_was_told_is_always_the_beginning_of_some_draft(texts: list[str], last: str) -> None:
    drafts = Drafts()
    told = "".join(map(drafts.feed, texts))
    assert any(text.startswith(told) for text in [*texts, ""])
    told += drafts.finish(last)
    assert told == drafts.told
