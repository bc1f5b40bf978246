"""Word times from attention: found where it follows the text, refused where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from vivavoce.engines.genie.reading.alignment import phoneme_path, word_frames

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def softmax(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Array:
    exponential = np.exp(scores - scores.max(axis=-1, keepdims=True))
    attention: Array = (exponential / exponential.sum(axis=-1, keepdims=True)).astype(np.float32)
    return attention


def spoken(frames: int, phonemes: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which phoneme each frame is in: uneven lengths, each at least one frame."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.choice(np.arange(1, frames), phonemes - 1, replace=False))
    return np.searchsorted(cuts, np.arange(frames), side="right")


def following(
    truth: np.ndarray[tuple[int], np.dtype[np.int64]], phonemes: int, strength: float, seed: int = 0
) -> Array:
    """Attention [1, 4, F, P] with one head that looks, among noise, at what is spoken."""
    scores = np.random.default_rng(seed).standard_normal((1, 4, len(truth), phonemes))
    scores[0, 2, np.arange(len(truth)), truth] += strength
    return softmax(scores)


@pytest.mark.parametrize(("frames", "phonemes"), [(250, 60), (120, 30), (40, 8)])
@pytest.mark.parametrize("seed", range(3))
def test_a_path_is_found_among_noise(frames: int, phonemes: int, seed: int) -> None:
    truth = spoken(frames, phonemes, seed)
    path = phoneme_path(following(truth, phonemes, 5.0, seed), final=True)
    assert path is not None
    assert path[0] == 0
    assert path[-1] == phonemes - 1
    assert set(np.diff(path)) <= {0, 1}
    assert np.mean(np.abs(path - truth) <= 1) > 0.95


def test_half_a_sentence_ends_where_it_is() -> None:
    truth = spoken(200, 40, 1)
    path = phoneme_path(following(truth, 40, 5.0)[:, :, :100], final=False)
    assert path is not None
    assert abs(int(path[-1]) - int(truth[99])) <= 1


@pytest.mark.parametrize(("frames", "phonemes"), [(250, 60), (100, 30), (60, 40), (30, 10), (12, 8)])
def test_attention_that_does_not_follow_the_text_is_refused(frames: int, phonemes: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = softmax(rng.normal(0, 3, (4, frames, phonemes)))
        slow = softmax(np.repeat(rng.normal(0, 2, (4, frames // 8 + 1, phonemes)), 8, axis=1)[:, :frames])
        even = np.full((4, frames, phonemes), 1 / phonemes, np.float32)
        fixed = np.broadcast_to(softmax(rng.normal(0, 3, (4, 1, phonemes))), (4, frames, phonemes))
        for attention in (noise, slow, even, fixed):
            assert phoneme_path(np.ascontiguousarray(attention), final=False) is None


def test_attention_that_follows_the_text_backwards_is_refused() -> None:
    truth = spoken(200, 40, 1)[::-1].copy()
    assert phoneme_path(following(truth, 40, 5.0), final=True) is None


def test_too_little_is_refused() -> None:
    truth = spoken(9, 3, 0)
    assert phoneme_path(following(truth, 3, 9.0), final=True) is None
    assert phoneme_path(following(spoken(40, 8, 0), 50, 9.0), final=True) is None, "more phonemes than frames"
    assert phoneme_path(np.ones((1, 4, 40, 1), np.float32), final=True) is None


def test_words_take_the_frames_of_their_phonemes() -> None:
    path = np.array([0, 0, 1, 1, 1, 2, 3, 3, 4, 4])
    words = [(0, 2), (2, 3), (4, 5)]
    assert word_frames(path, words, final=True) == [(0, 5), (5, 6), (8, 10)]
    assert word_frames(path[:6], words, final=False) == [(0, 5), None, None]
    assert word_frames(path[:7], words, final=False) == [(0, 5), (5, 6), None]
