"""Loops are told from pauses."""

from __future__ import annotations

import random

import pytest

from vivavoce.engines.genie.semantic.collapse import (
    CROWD,
    LONGEST_RUN,
    PERIODIC_RUN,
    RUN_OF_A_SHORT_TEXT,
    collapse_start,
)

SPEECH = random.Random(0).choices(range(1024), k=400)


def first_alarm(tokens: list[int]) -> tuple[int, int] | None:
    """Number of tokens at the first alarm, and where it says the repetition began."""
    for count in range(1, len(tokens) + 1):
        if (start := collapse_start(tokens[:count])) is not None:
            return count, start
    return None


def test_speech_raises_no_alarm() -> None:
    assert first_alarm(SPEECH) is None


def test_a_pause_raises_no_alarm() -> None:
    assert first_alarm(SPEECH[:200] + [486] * 30 + SPEECH[200:]) is None


def test_a_short_text_that_hums_is_stopped_early() -> None:
    assert first_alarm(SPEECH[:40] + [486] * 100) == (40 + RUN_OF_A_SHORT_TEXT, 40)


def test_a_long_text_may_pause_longer() -> None:
    assert first_alarm(SPEECH[:390] + [486] * 100) == (390 + LONGEST_RUN, 390)


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_a_pattern_is_noticed(period: int) -> None:
    pattern = [1001 + i for i in range(period)]
    found = first_alarm(SPEECH[:300] + pattern * 60)
    assert found is not None
    assert (found[0] - 300, found[1]) == (PERIODIC_RUN, 300)


def test_a_crowd_of_one_token_is_noticed() -> None:
    mixed = [token for other in SPEECH[:200] for token in (486, 486, other)]
    found = first_alarm(SPEECH[300:] + mixed)
    assert found is not None
    count, start = found
    assert start == 100
    assert 0.55 <= mixed[: count - 100].count(486) / count <= 0.56
    assert first_alarm(mixed[: CROWD - 1]) is None, "too few tokens to tell"
