"""Draws the next semantic token from logits, outside the graph.

Genie's own graphs divide probabilities by normal noise where exponential noise belongs: a token that should be chosen
99 times in 100 is chosen 50 times. Here each stream has its own generator, so the same seed gives the same tokens
whoever else is being served. numpy only; knows nothing of models. Called by `model.py` once a token and stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.shape import VOCABULARY
from vivavoce.engines.speech import SpeechOptions

Logits = NDArray[np.float32]  # float32 [vocabulary]
_NOISE_MIN = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How to draw. The defaults are those of GPT-SoVITS.

    Attributes:
        temperature: above 0; below 1 sharpens. 0 takes the most likely token.
        top_k: candidates kept, at least 1.
        top_p: keep the most likely tokens that together reach this probability, 0..1.
        repetition_penalty: divides the logit of every token seen before (multiplies where it is negative).
    """

    temperature: float = 1.0
    top_k: int = 15
    top_p: float = 1.0
    repetition_penalty: float = 1.35

    def __post_init__(self) -> None:
        if not (0 <= self.temperature <= 100 and self.top_k >= 1 and 0 < self.top_p <= 1):
            raise ValueError(f"sampling options out of range: {self}")
        if self.repetition_penalty <= 0:
            raise ValueError(f"the repetition penalty must be above 0, not {self.repetition_penalty}")

    @classmethod
    def of(cls, options: SpeechOptions) -> SamplingOptions:
        """Those of a request, with the defaults where it says nothing."""
        default = cls()
        return cls(
            temperature=default.temperature if options.temperature is None else options.temperature,
            top_k=default.top_k if options.top_k is None else options.top_k,
            top_p=default.top_p if options.top_p is None else options.top_p,
            repetition_penalty=options.repetition_penalty or default.repetition_penalty,
        )


class Sampler:
    """Draws the semantic tokens of one stream, with a generator of its own.

    Args:
        options: how to draw.
        seed: of its generator.
        seen: tokens of the prompt, which count as repetitions.
        vocabulary: number of tokens.
    """

    def __init__(
        self, options: SamplingOptions, seed: int, seen: NDArray[np.int64], vocabulary: int = VOCABULARY
    ) -> None:
        self.options = options
        self._generator = np.random.default_rng(seed)
        self._seen = np.zeros(vocabulary, dtype=bool)
        self._seen[seen] = True

    def draw(self, logits: Logits, *, forbidden: int | None = None) -> tuple[int, int]:
        """The next token, and the most likely one.

        Args:
            logits: float32 [vocabulary]; not changed.
            forbidden: a token that may not come now.
        """
        scores = self.scores(logits, forbidden=forbidden)
        likeliest = int(scores.argmax())
        if self.options.temperature == 0:
            token = likeliest
        else:
            candidates, probabilities = self.candidates(scores)
            # argmax(p / Exp(1)) draws from p. Source: Efraimidis & Spirakis 2006, with one item drawn. One in 9 million
            # of numpy's draws is 0, by which a token of probability 0 would win.
            noise = self._generator.standard_exponential(len(candidates), dtype=np.float32)
            token = int(candidates[(probabilities / np.maximum(noise, _NOISE_MIN)).argmax()])
        self._seen[token] = True
        return token, likeliest

    def scores(self, logits: Logits, *, forbidden: int | None = None) -> Logits:
        """Logits after the repetition penalty, the forbidden token at minus infinity: float32 [vocabulary]."""
        penalty = np.float32(self.options.repetition_penalty)
        penalised = np.where(logits < 0, logits * penalty, logits / penalty)
        scores = np.where(self._seen, penalised, logits)
        if forbidden is not None:
            scores[forbidden] = -np.inf
        return scores

    def candidates(self, scores: Logits) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Tokens that may be drawn and their probabilities: int64 [n], float32 [n], n at most top_k.

        The order is that of GPT-SoVITS: top-p on the penalised scores, then temperature, then top-k.
        """
        options = self.options
        count = min(options.top_k, len(scores))
        kept = np.argpartition(scores, -count)[-count:]
        kept.sort()  # argpartition's order is its own business; the draw must not depend on it
        chosen = scores[kept]
        if options.top_p < 1:
            chosen = np.where(chosen >= _nucleus_floor(scores, options.top_p), chosen, -np.inf)
        powers = np.exp((chosen - chosen.max()) / np.float32(options.temperature))
        return kept, powers / powers.sum()


def _nucleus_floor(scores: Logits, top_p: float) -> np.float32:
    """The lowest score still inside the nucleus: tokens are added from the top until they reach `top_p`."""
    ordered = np.sort(scores)[::-1]
    probabilities = np.exp(ordered - ordered[0])
    before = (np.cumsum(probabilities) - probabilities) / probabilities.sum()
    inside = int((before < top_p).sum())
    return np.float32(ordered[max(0, inside - 1)])
