"""Words keep out of the pauses, and reach to them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import HeardWord
from vivavoce.engines.whisper.pauses import Pause, pauses_of, settle


def sound(*parts: tuple[float, float], noise: float = 0.0) -> Samples:
    """(seconds, loudness) one after the other."""
    random = np.random.default_rng(3)
    pieces = [loudness * random.standard_normal(round(seconds * 16_000)) for seconds, loudness in parts]
    joined = np.concatenate(pieces)
    return (joined + noise * random.standard_normal(len(joined))).astype(np.float32)


def words(*timed: tuple[str, float, float]) -> list[HeardWord]:
    return [HeardWord(text, a, b, 1.0, k, k + 1) for k, (text, a, b) in enumerate(timed)]


def times(found: tuple[HeardWord, ...]) -> list[tuple[float, float]]:
    return [(round(word.start_s, 2), round(word.end_s, 2)) for word in found]


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_pauses_are_found_at_any_loudness(scale: float) -> None:
    parts = [(0.3, 0.0), (1.0, 0.2), (0.4, 1e-4), (0.5, 0.1), (0.05, 0.0), (0.5, 0.2), (0.2, 0.0)]
    found = pauses_of(sound(*[(seconds, scale * loudness) for seconds, loudness in parts]))
    assert np.array(found) == pytest.approx(np.array([[0, 0.3], [1.3, 1.7], [2.75, 2.95]]), abs=0.011)


def test_pauses_are_found_under_some_noise_and_not_guessed_under_much() -> None:
    parts = [(1.0, 0.2), (0.4, 0.0), (1.0, 0.2)]
    assert np.array(pauses_of(sound(*parts, noise=0.01))) == pytest.approx(np.array([[1.0, 1.4]]), abs=0.021)
    assert pauses_of(sound(*parts, noise=0.2)) == []


def test_a_room_that_is_not_quite_steady_is_a_pause() -> None:
    room = [(0.05, 0.004), (0.01, 0.012)] * 5  # as recordings begin, with some louder frames
    found = pauses_of(sound(*room, (1.0, 0.1), *room, (0.5, 0.2), (0.06, 0.002)))
    assert np.array(found[:2]) == pytest.approx(np.array([[0, 0.3], [1.3, 1.6]]), abs=0.021)


@pytest.mark.parametrize("length", [0, 1, 159, 160, 4000])
def test_short_or_silent_sound(length: int) -> None:
    assert pauses_of(np.zeros(length, np.float32)) == []


def test_the_first_and_the_last_word_stay_within_the_speech() -> None:
    found = settle(words((" a", 0.0, 0.8), (" b", 0.8, 2.0)), [(0.0, 0.5), (1.4, 2.0)], 2.0)
    assert times(found) == [(0.5, 0.8), (0.8, 1.4)]


def test_a_pause_goes_to_the_nearest_border() -> None:
    spoken = words((" a", 0.0, 0.5), (" b", 0.5, 1.0), (" c", 1.0, 1.5))
    assert times(settle(spoken, [(0.85, 1.1)], 1.5)) == [(0, 0.5), (0.5, 0.85), (1.1, 1.5)]


def test_punctuation_draws_a_pause() -> None:
    spoken = words((" a.", 0.0, 0.5), (" b", 0.5, 0.95), (" c", 0.95, 1.5))
    pause: Pause = (0.6, 0.9)
    assert times(settle(spoken, [pause], 1.5)) == [(0, 0.6), (0.9, 0.95), (0.95, 1.5)]


def test_a_border_takes_one_pause_and_far_ones_are_left() -> None:
    spoken = words((" a", 0.0, 2.0), (" b", 2.0, 4.0))
    found = settle(spoken, [(0.5, 0.9), (1.9, 2.2), (3.2, 3.4)], 4.0)
    assert times(found) == [(0, 1.9), (2.2, 4.0)]


def test_words_stay_in_order_whatever_the_pauses() -> None:
    random = np.random.default_rng(5)
    for _ in range(200):
        edges = np.sort(random.uniform(0, 5, 8))
        spoken = words(*[(" x.", float(a), float(b)) for a, b in pairwise(edges)])
        cuts = np.sort(random.uniform(0, 5, 6)).reshape(3, 2)
        found = settle(spoken, [(float(a), float(b)) for a, b in cuts], 5.0)
        starts = [word.start_s for word in found]
        assert starts == sorted(starts)
        assert all(word.start_s <= word.end_s for word in found)


def test_no_words_need_no_pauses() -> None:
    assert settle([], [(0.0, 1.0)], 1.0) == ()
