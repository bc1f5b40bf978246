"""A chunk cut into pieces is the same sound, with each word in the piece it begins in."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.chunk import AudioChunk
from vivavoce.speaking.sink import pieces
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.text.sentences import Sentence
from vivavoce.words import WordTiming

RATE = 1000


def chunk(length: int, starts: list[float], start_s: float = 2.0) -> SpokenChunk:
    words = tuple(WordTiming(str(k), start, start + 0.1, k, k + 1) for k, start in enumerate(sorted(starts)))
    samples = np.arange(length, dtype=np.float32)
    return SpokenChunk(AudioChunk(samples, RATE, words), Sentence("Hi.", 0, 0, "sentence"), start_s, True, True)


@settings(deadline=None)
@given(st.integers(0, 5000), st.lists(st.floats(1.0, 9.0), max_size=6))
def test_the_pieces_join_to_the_chunk(length: int, starts: list[float]) -> None:
    whole = chunk(length, starts)
    parts = list(pieces(whole, 0.4))
    assert np.array_equal(np.concatenate([part.audio.samples for part in parts]), whole.audio.samples)
    assert [word for part in parts for word in part.audio.words] == list(whole.audio.words)
    assert all(len(part.audio.samples) <= 400 for part in parts)
    assert [part.begins_sentence for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [part.ends_sentence for part in parts] == [False] * (len(parts) - 1) + [True]


def test_a_word_is_in_the_piece_it_begins_in() -> None:
    parts = list(pieces(chunk(1000, [1.5, 2.0, 2.39, 2.4, 2.95, 3.2]), 0.4))
    assert [[word.start_s for word in part.audio.words] for part in parts] == [[1.5, 2.0, 2.39], [2.4], [2.95, 3.2]]
    assert [part.start_s for part in parts] == [2.0, 2.4, 2.8]
