"""Tokens find their place in the sound, and words their tokens."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.engines.recognizer import HeardToken
from vivavoce.engines.whisper.weights import Array
from vivavoce.engines.whisper.word_times import AHEAD_S, POSITION_S, align, word_bounds, words_of


def looking(places: list[int], positions: int, heads: int = 3) -> list[Array]:
    """Scores of tokens that each look at one place, blurred, with noise."""
    random = np.random.default_rng(0)
    grid = np.arange(positions)
    clear = [8 * np.exp(-((grid - place) ** 2) / 40.0) for place in places]
    return [(row + 0.3 * random.standard_normal((heads, positions))).astype(np.float32) for row in clear]


def test_tokens_begin_between_where_they_and_those_before_look() -> None:
    places = [10, 40, 60, 110, 145]
    times = align(looking(places, 150))
    assert len(times) == len(places)
    assert (np.diff(times) >= 0).all()
    assert times[0] == 0
    for before, after, time in zip(places, places[1:], times[1:], strict=False):
        assert before * POSITION_S <= time <= after * POSITION_S


@pytest.mark.parametrize("positions", [1, 2, 3, 7, 8])
def test_sound_shorter_than_its_tokens(positions: int) -> None:
    times = align(looking([0] * 12, positions))
    assert len(times) == 12
    assert (np.diff(times) >= 0).all()
    assert times[-1] <= positions * POSITION_S


def test_a_single_end_has_a_time() -> None:
    assert align(looking([3], 20)).tolist() == [0.0]


@pytest.mark.parametrize(
    ("pieces", "language", "bounds"),
    [
        ([" The", " qu", "ick", " fox", "."], "en", [0, 1, 3, 5]),
        (["The", " fox"], "en", [0, 1, 2]),
        ([" Quell", "'", "uomo"], "it", [0, 3]),
        (["你好", "世", "界", "。"], "zh", [0, 1, 2, 4]),
        (["こん", "にちは", "、", "皆"], "ja", [0, 1, 3, 4]),
        ([], "en", []),
    ],
)
def test_where_words_begin(pieces: list[str], language: str, bounds: list[int]) -> None:
    assert word_bounds([piece.encode() for piece in pieces], language) == bounds


def test_a_character_of_several_tokens_is_not_torn() -> None:
    emoji = "🦊".encode()
    assert word_bounds([b" a", b" " + emoji[:2], emoji[2:], b" b"], "en") == [0, 1, 3, 4]
    han = "狐".encode()
    assert word_bounds(["的".encode(), han[:1], han[1:]], "zh") == [0, 1, 3]
    assert word_bounds([b"\xe7"], "zh") == [0, 1]


def test_words_carry_text_times_and_probability() -> None:
    tokens = [
        HeardToken(k, piece, np.log(p)) for k, (piece, p) in enumerate([(b" Hi", 0.5), (b" fo", 0.9), (b"x", 0.7)])
    ]
    first, second = words_of(tokens, np.array([0.0, 0.4, 0.6, 9.0]), "en", 3.0)
    assert (first.text, first.start_s) == (" Hi", 0.0)
    assert first.end_s == second.start_s == pytest.approx(0.4 + AHEAD_S)  # the decoder looks ahead
    assert first.probability == pytest.approx(0.5)
    assert (second.text, second.first_token, second.last_token) == (" fox", 1, 3)
    assert second.probability == pytest.approx(0.8)
    assert second.end_s == pytest.approx(2.4 + AHEAD_S)  # no word lasts longer than 2 s
