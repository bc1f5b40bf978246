"""Draws follow the softmax, which Genie's own sampler does not; options do what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vivavoce.engines.genie.semantic.sampling import Sampler, SamplingOptions
from vivavoce.engines.speech import SpeechOptions

NOTHING = np.zeros(0, np.int64)
PLAIN = SamplingOptions(temperature=1.0, top_k=1025, top_p=1.0, repetition_penalty=1.0)
DRAWS = 6000


def draws(options: SamplingOptions, logits: NDArray[np.float32], count: int = DRAWS) -> NDArray[np.int64]:
    """How often each token comes."""
    sampler = Sampler(options, seed=1, seen=NOTHING, vocabulary=len(logits))
    found = np.zeros(len(logits), np.int64)
    for _ in range(count):
        found[sampler.draw(logits)[0]] += 1
    return found


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum())


def chi_square(found: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    """Pearson's statistic over the tokens that can come."""
    possible = expected > 0
    counts = expected[possible] * found.sum()
    assert counts.min() >= 5, "too few draws for a chi-square test"
    return float((((found[possible] - counts) ** 2) / counts).sum())


LOGITS = np.log(np.array([0.45, 0.2, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.006, 0.004], np.float32))
CRITICAL = 27.88  # chi-square, 9 degrees of freedom, p = 0.001


def test_draws_follow_the_softmax() -> None:
    found = draws(PLAIN, LOGITS)
    assert chi_square(found, softmax(LOGITS)) < CRITICAL


def test_normal_noise_would_be_noticed() -> None:
    """The mistake of Genie's graphs: argmax(p / N(0, 1)) fails the same test by far."""
    noise = np.random.default_rng(1).standard_normal((DRAWS, len(LOGITS)))
    found = np.bincount((softmax(LOGITS) / noise).argmax(axis=1), minlength=len(LOGITS))
    assert chi_square(found, softmax(LOGITS)) > 10 * CRITICAL


def test_temperature_sharpens() -> None:
    options = SamplingOptions(temperature=1.5, top_k=1025, repetition_penalty=1.0)
    assert chi_square(draws(options, LOGITS), softmax(LOGITS / np.float32(1.5))) < CRITICAL


def test_top_k_keeps_the_likeliest() -> None:
    found = draws(SamplingOptions(top_k=3, repetition_penalty=1.0), LOGITS)
    assert found[3:].sum() == 0
    assert chi_square(found[:3], softmax(LOGITS[:3])) < 13.8  # 2 degrees of freedom, p = 0.001


def test_top_p_keeps_the_nucleus() -> None:
    found = draws(SamplingOptions(top_k=1025, top_p=0.7, repetition_penalty=1.0), LOGITS, 500)
    assert set(np.flatnonzero(found)) == {0, 1, 2}  # 0.45 + 0.2 do not reach 0.7, 0.1 more does


def test_temperature_zero_takes_the_likeliest() -> None:
    assert draws(SamplingOptions(temperature=0), LOGITS, 3)[0] == 0 or LOGITS.argmax() == 0
    logits = np.array([0.0, 3.0, 1.0], np.float32)
    assert Sampler(SamplingOptions(temperature=0), 0, NOTHING, 3).draw(logits) == (1, 1)


def test_a_forbidden_token_never_comes() -> None:
    logits = np.array([9.0, 0.0, 0.0], np.float32)
    sampler = Sampler(PLAIN, 3, NOTHING, 3)
    assert all(sampler.draw(logits, forbidden=0)[0] != 0 for _ in range(200))
    assert logits[0] == 9.0, "the caller's logits were changed"


def test_noise_of_zero_draws_no_impossible_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in 9 million of numpy's single-precision exponentials is exactly 0."""

    class Zeros:
        def standard_exponential(self, size: int, dtype: type) -> NDArray[np.float32]:
            return np.zeros(size, dtype)

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Zeros())
    sampler = Sampler(PLAIN, 0, NOTHING, 4)
    assert sampler.draw(np.array([9.0, 1.0, 2.0, 0.0], np.float32), forbidden=0)[0] == 2


def test_repetition_penalty_is_that_of_gpt_sovits() -> None:
    """Source of the rule: CTRL (Keskar et al. 2019), as GPT-SoVITS applies it to prompt and generated tokens."""
    sampler = Sampler(SamplingOptions(repetition_penalty=2.0), 0, np.array([0, 1, 1]), 4)
    scores = sampler.scores(np.array([4.0, -4.0, 4.0, -4.0], np.float32))
    np.testing.assert_array_equal(scores, [2.0, -8.0, 4.0, -4.0])


def test_what_was_drawn_counts_as_seen() -> None:
    sampler = Sampler(SamplingOptions(repetition_penalty=2.0, top_k=1), 0, NOTHING, 2)
    logits = np.array([3.0, 2.0], np.float32)
    assert [sampler.draw(logits)[0] for _ in range(2)] == [0, 1]  # 3 becomes 1.5


@given(seed=st.integers(0, 2**63), other=st.integers(0, 2**63))
def test_the_same_seed_draws_the_same(seed: int, other: int) -> None:
    logits = np.zeros(1025, np.float32)
    streams = [Sampler(PLAIN, s, NOTHING) for s in (seed, seed, other)]
    first, second, third = ([stream.draw(logits)[0] for _ in range(8)] for stream in streams)
    assert first == second
    assert (first == third) == (seed == other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"repetition_penalty": 0.0},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"range|above"):
        SamplingOptions(**wrong)  # type: ignore[arg-type]  # the values are the test


def test_a_request_that_says_nothing_gets_the_defaults() -> None:
    assert SamplingOptions.of(SpeechOptions()) == SamplingOptions()
    asked = SpeechOptions(temperature=0.0, top_k=3, top_p=0.5, repetition_penalty=1.1)
    assert SamplingOptions.of(asked) == SamplingOptions(0.0, 3, 0.5, 1.1)
