"""How long a silence has to last before a turn is over: briefly where everything says so, long where little does.

Four witnesses are asked: how the voice sounded (a model of intonation, and whether it was broken off), how surely the
recognizer writes a full stop behind the last word, whether that word is one that sentences do not end with, and whether
the sentence is open. Each adds to the odds, as in a logistic regression. The weights follow 371 breaks and 582 ends by
a dozen synthetic voices, in English; that of an open sentence is set. The silences are those that keep the mean wait
short while at most 3 in 100 of 333 pauses of 0.3 to 1.5 s are cut. `benchmarks/turn_taking.py` judges them over other
sentences and voices. Pure. Called by the turn detector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from vivavoce.recognition.open_clauses import is_open
from vivavoce.recognition.trailing_words import breaks_off

# What the words add to the log odds:
_OF_CLOSING: Final = 1.4  # for each of the log odds that the recognizer closes the sentence
_MARKED: Final = -0.2  # where that is with a mark
_ASKED: Final = -2.3  # recognizers are quicker with a question mark than with a full stop
_UNMARKED: Final = -2.5  # where the end of the text counts like a mark
_FEW: Final = 4  # words: recognizers often put no mark behind so few, whole as they may be
_SURELY_MARKED: Final = ("en",)  # whole sentences of other languages often get none from recognizers of this size
_WITHOUT_MARKS: Final = frozenset({"zh", "yue", "ja", "ko", "th", "lo", "my", "km"})  # or often so
_UNTOLD_CLOSED: Final = 2.4  # of recognizers that do not tell: a text that ends with a full stop
_UNTOLD_OPEN: Final = 1.1  # and one that does not; many languages are often written without
_NO_WORDS: Final = 1.6  # nobody knows the words
_UNFINISHED: Final = -2.0  # by its last word, or an open sentence
_MOST_OF_UNFINISHED: Final = 0.9  # whatever else speaks for an end
_MOST_OF_VERDICT: Final = 0.7  # a voice that sounds finished says less than one that does not
_SUREST: Final = 0.995  # either way: what is more certain is not better calibrated
_CLOSING_MARKS: Final = (".", "?", "!", "。", "？", "！")
_ASKING_MARKS: Final = ("?", "？")

SURE: Final = 2.7  # log odds from which on the shortest silence is enough
# (log odds, seconds of silence) below that, between two of them in proportion; pauses of hesitation last 0.3 to 1.5 s
_SILENCES: Final = ((2.7, 1.4), (1.8, 1.6), (-1.5, 1.6), (-3.0, 2.5))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a soft end.

    Attributes:
        finished: 0..1, how it sounds; None: unknown.
        words: of the turn up to there; None: unknown.
        language: ISO 639-1 code of the words.
        closed: 0..1, how surely the recognizer ends the sentence there; None: it does not tell.
        marked: 0..1, how surely it does so with a full stop, or a question or exclamation mark; None: it does not tell.
    """

    finished: float | None = None
    words: str | None = None
    language: str = ""
    closed: float | None = None
    marked: float | None = None


def sureness(evidence: Evidence) -> float:
    """Log odds that the turn is over, before its silence is counted."""
    odds = _of_words(evidence)
    if evidence.finished is not None:
        odds += min(_log_odds(evidence.finished), _MOST_OF_VERDICT)
    if evidence.words and _is_unfinished(evidence.words, evidence.language):
        odds = min(odds + _UNFINISHED, _MOST_OF_UNFINISHED)
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


def _of_words(evidence: Evidence) -> float:
    if not evidence.words:
        return _NO_WORDS
    ending = evidence.words.rstrip("\"')」”")
    if evidence.closed is None:
        return _UNTOLD_CLOSED if ending.endswith(_CLOSING_MARKS) else _UNTOLD_OPEN
    unmarked = _UNMARKED + _OF_CLOSING * _log_odds(evidence.closed)
    if evidence.marked is None or evidence.language in _WITHOUT_MARKS:
        return unmarked
    asked = _ASKED if ending.endswith(_ASKING_MARKS) else 0.0
    marked = _MARKED + asked + _OF_CLOSING * _log_odds(evidence.marked)
    surely_marked = evidence.language in _SURELY_MARKED and len(ending.split()) > _FEW
    return marked if surely_marked else max(marked, unmarked)


def _log_odds(share: float) -> float:
    share = min(max(share, 1 - _SUREST), _SUREST)
    return math.log(share / (1 - share))
