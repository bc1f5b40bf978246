"""Logits in, tokens out."""

from __future__ import annotations

import json

import numpy as np
import pytest

import synthetic_whisper
from vivavoce.engines.whisper.decoding import Decoding, TokenRules, likeliest, probability
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.weights import Array

FOLDER = synthetic_whisper.folder()
VOCABULARY = Vocabulary(FOLDER, json.loads((FOLDER / "config.json").read_text()), 448)
SIZE = VOCABULARY.times_from + 16
RULES = TokenRules(VOCABULARY, SIZE)


def logits(**scores: float) -> Array:
    """Token k (as `tk`) has this score, all others 0."""
    made = np.zeros(SIZE, np.float32)
    for name, score in scores.items():
        made[int(name[1:])] = score
    return made


def decoding(limit: int = 50, temperature: float = 0.0, seed: int = 0) -> Decoding:
    return Decoding(RULES, limit, temperature, seed)


def test_it_takes_the_likeliest_and_knows_how_likely_it_was() -> None:
    text = decoding()
    text.take(logits(t50=5.0))
    assert text.tokens == [50]
    allowed = np.isfinite(RULES.first).sum()
    assert text.logprobs[0] == pytest.approx(5.0 - np.log(np.exp(5.0) + allowed - 1), abs=1e-5)


def test_what_is_suppressed_is_never_written() -> None:
    first, later = VOCABULARY.suppressed_first[0], VOCABULARY.suppressed[0]
    text = decoding()
    text.take(logits(**{f"t{first}": 9.0, f"t{later}": 8.0, f"t{SIZE - 1}": 10.0, "t60": 1.0}))
    assert text.tokens == [60]
    text.take(logits(**{f"t{first}": 9.0, f"t{later}": 10.0}))
    assert text.tokens == [60, first]


def test_the_end_ends_it_and_counts_in_the_mean() -> None:
    text = decoding()
    text.take(logits(t60=20.0))
    assert not text.is_over
    text.take(logits(**{f"t{VOCABULARY.end}": 4.0}))
    assert text.is_over
    assert text.tokens == [60]
    assert text.avg_logprob < text.logprobs[0]


def token(text: str) -> int:
    return next(n for n in range(VOCABULARY.end) if VOCABULARY.piece(n) == text.encode())


def test_it_knows_how_probably_the_last_word_closes_the_sentence() -> None:
    word, other = f"t{token('a')}", f"t{token('b')}"
    stop, question, comma = (f"t{token(mark)}" for mark in ".?,")
    end = f"t{VOCABULARY.end}"
    text = decoding()
    text.take(logits(**{word: 20.0}))
    text.take(logits(**{stop: 10.0, question: 10.0, other: 10.0}))  # two of three ways to go on close it
    text.take(logits(**{end: 20.0}))
    assert text.closed == pytest.approx(2 / 3, abs=0.02)
    text = decoding()
    for step in ({word: 20.0}, {stop: 20.0}, {word: 20.0}, {comma: 10.0, stop: 10.0 - np.log(3)}, {end: 20.0}):
        text.take(logits(**step))
    assert text.closed == pytest.approx(
        1 / 4, abs=0.02
    )  # the earlier full stop says nothing, nor the end after a comma
    text = decoding()
    text.take(logits(**{word: 20.0}))
    text.take(logits(**{end: 10.01, other: 10.0}))  # many write no marks at all
    assert text.closed == pytest.approx(1 / 2, abs=0.02)
    assert text.marked < 0.01
    text = decoding()
    text.take(logits(**{word: 20.0}))
    text.take(logits(**{stop: 10.0, end: 10.0, other: 10.0}))
    assert text.marked == pytest.approx(1 / 3, abs=0.02)


def test_the_limit_ends_it() -> None:
    text = decoding(limit=3)
    for token in (50, 51, 52):
        assert not text.is_over
        text.take(logits(**{f"t{token}": 9.0}))
    assert text.is_over


def test_a_loop_is_stopped_and_one_round_kept() -> None:
    text = decoding()
    tokens = [40, *[50, 51, 52] * 20]
    while not text.is_over:
        text.take(logits(**{f"t{tokens[len(text.tokens)]}": 9.0}))
    assert text.looped
    assert text.tokens == [40, 50, 51, 52]
    assert len(text.logprobs) == 4


def test_a_loop_that_ends_while_it_may_have_been_said_is_kept() -> None:
    text = Decoding(RULES, 50, 0.0, 0, repeated=30)
    tokens = [50, 51, 52] * 8
    while not text.is_over:
        written = len(text.tokens)
        text.take(logits(**{f"t{tokens[written] if written < len(tokens) else VOCABULARY.end}": 9.0}))
    assert text.tokens == tokens
    assert not text.looped


def test_a_loop_that_goes_on_longer_is_stopped_and_one_round_kept() -> None:
    text = Decoding(RULES, 50, 0.0, 0, repeated=30)
    while not text.is_over:
        text.take(logits(**{f"t{50 + len(text.tokens) % 3}": 9.0}))
    assert text.looped
    assert text.tokens == [50, 51, 52]


def test_a_temperature_draws_by_the_seed() -> None:
    def drawn(seed: int) -> list[int]:
        text = decoding(temperature=1.0, seed=seed)
        for _ in range(12):
            text.take(logits(t60=6.0, t61=6.0, t62=6.0))
        return text.tokens

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert {60, 61, 62} <= set(drawn(1))


def test_probabilities() -> None:
    assert probability(logits(t5=100.0), 5) == pytest.approx(1.0)
    best, share = likeliest(logits(t5=2.0, t6=3.0), [5, 6])
    assert best == 1
    assert share == pytest.approx(1 / (1 + np.exp(-1.0)))
