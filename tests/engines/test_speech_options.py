"""What may be wished for: ranges with their ends, and no engine that meets anything else."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from vivavoce.engines import speech_options as wish
from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.errors import InvalidRequest, UnknownLanguage

OUT: list[tuple[str, Any]] = [
    *[("speed", value) for value in (0.2, 4.01, 0, -1, math.nan, math.inf, 10**401)],
    *[("seed", value) for value in (-1, 2**63)],
    *[("temperature", value) for value in (-0.1, 5.1, math.nan)],
    *[("top_k", value) for value in (0, 1026)],
    *[("top_p", value) for value in (0, 0.0, 1.01, -1, math.nan)],
    *[("repetition_penalty", value) for value in (0, 10.5)],
]
IN: list[tuple[str, Any]] = [
    *[("speed", value) for value in (0.25, 4, 1.0)],
    *[("seed", value) for value in (0, 2**60, 2**63 - 1)],
    *[("temperature", value) for value in (0, 3, 5.0)],
    *[("top_k", value) for value in (1, 1025)],
    *[("top_p", value) for value in (1e-9, 1)],
    *[("repetition_penalty", value) for value in (0.3, 4, 10)],
]


@pytest.mark.parametrize(("name", "value"), OUT)
def test_a_number_out_of_range_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=f"{name} must be ") as refused:
        SpeechOptions(**{name: value})
    assert refused.value.param == name


@pytest.mark.parametrize(("name", "value"), IN)
def test_the_ends_of_a_range_belong_to_it(name: str, value: Any) -> None:
    assert getattr(SpeechOptions(**{name: value}), name) == value


def test_an_engine_never_meets_a_language_that_is_no_code() -> None:
    with pytest.raises(UnknownLanguage):
        SpeechOptions(language="English")


def test_options_are_taken_from_a_message() -> None:
    message = SimpleNamespace(language="ja", speed=None, seed=7, top_p=0.5, colour="red")
    assert SpeechOptions.of(message) == SpeechOptions(language="ja", seed=7, top_p=0.5)


def test_ranges_say_what_they_hold() -> None:
    assert str(wish.SPEED) == "from 0.25 to 4"
    assert str(wish.TOP_P) == "above 0 and at most 1"
