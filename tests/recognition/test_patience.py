"""How long a silence has to be: what each witness adds, and that more evidence never means more waiting."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.recognition.patience import SURE, Evidence, patience_s, sureness

WHOLE = Evidence(0.97, "I would like to change my booking.", "en", 0.98, 0.9)
SHARES = st.floats(0.0, 1.0)
EVIDENCE = st.builds(
    Evidence,
    st.none() | SHARES,
    st.none() | st.sampled_from(["", "Yes.", "Send it to my", "早上好", "I need milk,", "no marks"]),
    st.sampled_from(["", "en", "zh", "xx"]),
    st.none() | SHARES,
    st.none() | SHARES,
)


def waits_s(evidence: Evidence) -> float:
    return patience_s(sureness(evidence), 0.2)


def test_where_everything_agrees_the_shortest_silence_is_enough() -> None:
    assert waits_s(WHOLE) == 0.2
    assert waits_s(dataclasses.replace(WHOLE, marked=None)) == 0.2
    assert waits_s(dataclasses.replace(WHOLE, closed=None)) == 0.2  # a recognizer that writes marks and tells no more


@pytest.mark.parametrize(
    "doubt",
    [
        {"marked": 0.7},
        {"closed": 0.9, "marked": None},
        {"finished": 0.05},
        {"words": "I would like to change the"},
        {"words": "I would like to change my booking,"},
        {"words": "When the kettle boils."},
        {"words": None},
    ],
)
def test_each_witness_alone_can_make_it_wait(doubt: dict[str, object]) -> None:
    assert waits_s(dataclasses.replace(WHOLE, **doubt)) > 0.8  # type: ignore[arg-type]


def test_a_question_mark_is_trusted_less_than_a_full_stop() -> None:
    asked = dataclasses.replace(WHOLE, words="Do you want to go for a walk?", marked=0.94)
    assert waits_s(dataclasses.replace(asked, words="We want to go for a walk.")) == 0.2 < waits_s(asked)


def test_few_words_need_no_mark() -> None:
    assert waits_s(Evidence(0.6, "Yes, please", "en", 0.98, 0.5)) == 0.2
    assert waits_s(Evidence(0.6, "Yes, I would like some more", "en", 0.98, 0.5)) > 0.8


@pytest.mark.parametrize("language", ["zh", "ja", "ko"])
def test_languages_without_marks_need_none(language: str) -> None:
    assert waits_s(Evidence(0.6, "我 想 明 天 去 北 京", language, 0.98, 0.2)) == 0.2


def test_who_breaks_off_gets_seconds() -> None:
    assert waits_s(Evidence(0.05, "Send a letter to the", "en", 0.5)) > 2.0


@given(EVIDENCE, SHARES, SHARES)
def test_more_evidence_never_means_more_waiting(evidence: Evidence, one: float, other: float) -> None:
    low, high = sorted((one, other))
    for field in ("finished", "closed", "marked"):
        less, more = (dataclasses.replace(evidence, **{field: share}) for share in (low, high))  # type: ignore[arg-type]
        assert waits_s(more) <= waits_s(less)


@given(st.floats(-10, 10), st.floats(0.0, 1.0))
def test_patience_is_bounded_and_falls(odds: float, shortest_s: float) -> None:
    assert shortest_s <= patience_s(odds, shortest_s) <= max(shortest_s, 3.0)
    assert patience_s(odds + 0.1, shortest_s) <= patience_s(odds, shortest_s)
    assert patience_s(SURE, shortest_s) == shortest_s
