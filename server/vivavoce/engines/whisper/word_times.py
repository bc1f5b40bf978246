"""When each word was said: the decoder looks at the sound of the word it writes, and a few heads do so most clearly.

Pure. `align` finds the path of the tokens through the sound (dynamic time warping over where those heads looked),
`words_of` puts tokens together to words. Source of the method: openai/whisper, timing.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.recognizer import HeardToken, HeardWord
from vivavoce.engines.whisper.weights import Array

POSITION_S = 0.02  # of sound, an encoder position
_MEDIAN = 7  # positions
_LONGEST_WORD_S = 2.0
# The decoder looks at a word before it begins: half of 198 words of the embedded voice by 0.11 s or more, half of 64
# words of a recorded reader by 0.06 s. With this, 2 and 1 of them begin more than 0.2 s off, without it 26 and 6.
AHEAD_S = 0.08
_WRITE_WITHOUT_BLANKS = frozenset(["zh", "ja", "th", "lo", "my", "yue"])


def align(scores: Sequence[Array]) -> NDArray[np.float64]:
    """Seconds at which each token begins, and the last one ends.

    Args:
        scores: for each token and for the end of the text, float32 [heads, positions], before softmax.

    Returns:
        float64 [tokens + 1], rising.
    """
    looks = np.stack(scores, axis=1).astype(np.float64)  # [heads, tokens + 1, positions]
    looks = np.exp(looks - looks.max(-1, keepdims=True))
    looks /= looks.sum(-1, keepdims=True)
    spread = looks.std(1, keepdims=True)
    looks = (looks - looks.mean(1, keepdims=True)) / np.maximum(spread, 1e-12)
    tokens_at, positions_at = _path(-_median(looks).mean(0))
    first = np.flatnonzero(np.diff(tokens_at, prepend=-1))
    return np.asarray(positions_at[first] * POSITION_S, np.float64)


def words_of(
    tokens: Sequence[HeardToken], times: NDArray[np.float64], language: str, end_s: float
) -> tuple[HeardWord, ...]:
    """Words with their times.

    Args:
        tokens: of the whole text.
        times: of `align`.
        language: decides whether blanks part words.
        end_s: of the sound.
    """
    bounds = word_bounds([token.piece for token in tokens], language)
    words = []
    for first, last in pairwise(bounds):
        text = b"".join(token.piece for token in tokens[first:last]).decode(errors="replace")
        start_s, stop_s = (min(_heard_s(times[place]), end_s) for place in (first, last))
        probability = float(np.exp([token.logprob for token in tokens[first:last]]).mean())
        stop_s = min(stop_s, start_s + _LONGEST_WORD_S)
        words.append(HeardWord(text, start_s, max(start_s, stop_s), min(probability, 1.0), first, last))
    return tuple(words)


def _heard_s(looked_s: float) -> float:
    """When a token is heard that was looked at; the first one begins where the sound does."""
    return float(looked_s) + AHEAD_S if looked_s > 0 else 0.0


def word_bounds(pieces: Sequence[bytes], language: str) -> list[int]:
    """Where words begin, as numbers of tokens, and the number of all of them."""
    bounds: list[int] = []
    begin, held = 0, b""
    for place, piece in enumerate(pieces):
        begin = begin if held else place
        held += piece
        if not _is_whole(held) and place < len(pieces) - 1:
            continue  # a character goes on in the next token
        if not bounds or _begins_word(held.decode(errors="replace"), language):
            bounds.append(begin)
        held = b""
    return [*bounds, len(pieces)] if pieces else []


def _is_whole(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def _begins_word(text: str, language: str) -> bool:
    if text.startswith(" "):
        return True
    if language not in _WRITE_WITHOUT_BLANKS:
        return False
    return bool(text) and not all(unicodedata.category(c).startswith("P") for c in text)


def _median(looks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over neighbouring positions."""
    half = _MEDIAN // 2
    if looks.shape[-1] <= half:
        return looks
    padded = np.pad(looks, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN, axis=-1)
    return np.asarray(np.median(windows, axis=-1))


def _path(cost: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cheapest way from the first cell to the last, right, down or both: (rows, columns).

    Cells of one diagonal do not need each other, so they are computed at once.
    """
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    came = np.zeros((rows + 1, columns + 1), np.int8)  # 0 both, 1 down, 2 right
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        before = np.stack([total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]])
        came[i, j] = before.argmin(0)
        total[i, j] = cost[i - 1, j - 1] + before.min(0)
    came[0, :], came[:, 0] = 2, 1
    place, path = (rows, columns), []
    while place != (0, 0):
        i, j = place
        path.append((i - 1, j - 1))
        step = came[i, j]
        place = (i - (step != 2), j - (step != 1))
    found = np.array(path[::-1])
    found = found[(found >= 0).all(1)]
    return found[:, 0], found[:, 1]
