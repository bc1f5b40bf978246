"""How long a silence has to last before a turn is over: briefly where everything says so, long where little does.

Four witnesses are asked: how the voice sounded (a model of intonation, and how far it had faded), how surely the
recognizer writes a full stop behind the last word, whether that word is one that sentences do not end with, and whether
the sentence is open. Each adds to the odds, as in a logistic regression. The weight of the full stop was fitted to 118
pauses and 178 ends of two synthetic voices, those of intonation and of the words were set near what fits best. The
silences are those that keep the mean wait shortest while at most 2.5 in 100 of 165 pauses of 0.3 to 1.5 s are cut.
`benchmarks/turn_taking.py` judges them over other sentences and voices. Pure. Called by the turn detector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from vivavoce.recognition.open_clauses import is_open
from vivavoce.recognition.trailing_words import breaks_off

_BASE: Final = -3.8
_OF_CLOSED: Final = 1.4  # of its log odds
_OF_VERDICT: Final = 0.2  # likewise
_UNFINISHED: Final = -3.0  # by its last word, or an open sentence
_UNTOLD_CLOSED: Final = 0.978  # of recognizers that do not tell: a text that ends with a full stop
_UNTOLD_OPEN: Final = 0.95  # and one that does not; many languages are often written without
_NO_WORDS_CLOSED: Final = 0.965  # nobody knows the words
_SUREST: Final = 0.995  # either way: what is more certain is not better calibrated
_CLOSING_MARKS: Final = (".", "?", "!", "。", "？", "！")

SURE: Final = 1.9  # log odds from which on the shortest silence is enough
# (log odds, seconds of silence) below that, between two of them in proportion; pauses of hesitation last 0.3 to 1.5 s
_SILENCES: Final = ((1.9, 0.9), (1.0, 1.6), (-1.5, 1.6), (-3.0, 2.5))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a soft end.

    Attributes:
        finished: 0..1, how it sounds; None: unknown.
        words: of the turn up to there; None: unknown.
        language: ISO 639-1 code of the words.
        closed: 0..1, how surely the recognizer ends the sentence there; None: it does not tell.
    """

    finished: float | None = None
    words: str | None = None
    language: str = ""
    closed: float | None = None


def sureness(evidence: Evidence) -> float:
    """Log odds that the turn is over, before its silence is counted."""
    odds = _BASE + _OF_CLOSED * _log_odds(_closed(evidence))
    if evidence.finished is not None:
        odds += _OF_VERDICT * _log_odds(evidence.finished)
    if evidence.words and _is_unfinished(evidence.words, evidence.language):
        odds += _UNFINISHED
    return odds


def patience_s(odds: float, shortest_s: float) -> float:
    """Seconds of silence that end a turn.

    Args:
        odds: log odds that it is over.
        shortest_s: where that is sure.
    """
    if odds >= SURE:
        return shortest_s
    for (high, short_s), (low, long_s) in pairwise(_SILENCES):
        if odds >= low:
            return max(shortest_s, short_s + (long_s - short_s) * (high - odds) / (high - low))
    return max(shortest_s, _SILENCES[-1][1])


def _is_unfinished(words: str, language: str) -> bool:
    return breaks_off(words, language) or is_open(words, language)


def _closed(evidence: Evidence) -> float:
    if not evidence.words:
        return _NO_WORDS_CLOSED
    if evidence.closed is not None:
        return evidence.closed
    return _UNTOLD_CLOSED if evidence.words.rstrip("\"')」”").endswith(_CLOSING_MARKS) else _UNTOLD_OPEN


def _log_odds(share: float) -> float:
    share = min(max(share, 1 - _SUREST), _SUREST)
    return math.log(share / (1 - share))
