"""A text under construction: which token comes next, how sure the model was, and when it is over.

Pure: logits in, tokens out. Greedy, or drawn where a temperature is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivavoce.engines.whisper import guards
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.weights import Array

_NEVER = np.float32(-np.inf)


class TokenRules:
    """What may be written, for all texts of a model.

    Attributes:
        always: float32 [vocabulary], 0 or -inf, added to the logits.
        first: the same for the first token.
        marks: tokens of punctuation.
        closing: int64 [n], the tokens that leave a sentence finished: marks that close it, and the end.
        stops: int64 [n], full stops, question and exclamation marks and nothing else.
    """

    def __init__(self, vocabulary: Vocabulary, size: int) -> None:
        self.end = vocabulary.end
        self.always = np.zeros(size, np.float32)
        self.always[vocabulary.suppressed] = _NEVER
        self.always[vocabulary.times_from :] = _NEVER
        self.first = self.always.copy()
        self.first[vocabulary.suppressed_first] = _NEVER
        self.marks = vocabulary.marks
        self.closing = np.array(sorted({*vocabulary.closing_marks, vocabulary.end}), np.int64)
        self.stops = np.array(sorted(filter(vocabulary.is_single, vocabulary.closing_marks)), np.int64)


class Decoding:
    """The tokens of one text so far, and the rules by which the next is chosen.

    Args:
        rules: of the model.
        limit: tokens at most.
        temperature: 0 takes the likeliest.
        seed: of the drawing.
        written: tokens it begins with, and their logarithms of probability; they stay.
        repeated: tokens up to which it may run in a circle, as its speaker may: who repeats himself ends, the model
            that has lost its way does not.

    Attributes:
        tokens, logprobs: written so far, the end not included.
        is_over: no more tokens come.
        looped: it was stopped for running in a circle, of which one round was kept.
        closed: how probably nothing but a closing mark or the end follows the last word, 0..1.
        marked: how probably a full stop does, or a question or exclamation mark.
    """

    def __init__(
        self,
        rules: TokenRules,
        limit: int,
        temperature: float,
        seed: int,
        written: Sequence[tuple[int, float]] = (),
        repeated: int = 0,
    ) -> None:
        self._rules, self._limit, self._temperature = rules, limit, temperature
        self._repeated = repeated
        self._random = np.random.default_rng(seed) if temperature > 0 else None
        self._written = len(written)
        self.tokens: list[int] = [token for token, _ in written]
        self.logprobs: list[float] = [logprob for _, logprob in written]
        self._end_logprob = 0.0
        self.is_over = False
        self.looped = False
        self.closed = self.marked = 0.0

    def take(self, logits: Array) -> None:
        """Choose the next token from its logits, float32 [vocabulary].

        Args:
            logits: float32 [vocabulary].
        """
        allowed = logits + (self._rules.always if self.tokens else self._rules.first)
        token = int(allowed.argmax()) if self._random is None else self._drawn(allowed, self._random)
        total = _log_of_sum(allowed)
        logprob = float(allowed[token] - total)
        if token in self._rules.marks or token == self._rules.end:
            self._close(allowed, total)
        if token == self._rules.end:
            self._end_logprob, self.is_over = logprob, True
            return
        self.tokens.append(token)
        self.logprobs.append(logprob)
        again = guards.loop_start(self.tokens) if len(self.tokens) > self._repeated else None
        if again is not None:
            again = max(again, self._written)
            del self.tokens[again:], self.logprobs[again:]
            self.looped = self.is_over = True
        self.is_over = self.is_over or len(self.tokens) >= self._limit

    @property
    def avg_logprob(self) -> float:
        """Mean over all tokens and the end."""
        return (sum(self.logprobs) + self._end_logprob) / (len(self.logprobs) + 1)

    def _close(self, allowed: Array, total: float) -> None:
        """A word has ended: the marks behind one that has been written say nothing new."""
        if not self.tokens or self.tokens[-1] not in self._rules.marks:
            self.closed = float(np.exp(allowed[self._rules.closing] - total).sum(dtype=np.float64))
            self.marked = float(np.exp(allowed[self._rules.stops] - total).sum(dtype=np.float64))

    def _drawn(self, allowed: Array, random: np.random.Generator) -> int:
        shares = np.exp((allowed - allowed.max()).astype(np.float64) / self._temperature)
        return int(np.searchsorted(np.cumsum(shares), random.random() * shares.sum(), side="right"))


def probability(logits: Array, token: int) -> float:
    """Of one token among all."""
    return float(np.exp(logits[token] - _log_of_sum(logits)))


def likeliest(logits: Array, tokens: Sequence[int]) -> tuple[int, float]:
    """(which of the tokens, its probability among them)."""
    scores = logits[list(tokens)].astype(np.float64)
    shares = np.exp(scores - scores.max())
    best = int(shares.argmax())
    return best, float(shares[best] / shares.sum())


def _log_of_sum(logits: Array) -> float:
    most = logits.max()
    return float(most + np.log(np.exp(logits - most).sum(dtype=np.float64)))
