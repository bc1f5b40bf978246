"""Phonemes to semantic tokens, one step at a time, many streams in one pass over the weights.

`SemanticModel` is a voice's text-to-semantic half: two models and a cache of keys and values with a row for every
stream. `SemanticState` is one sentence: its row, its tokens, its sampler. Streams join (`prefill`) and leave (`close`)
while others run; a step advances any of them together, and with them those that are `eager`: a pass reads all weights
however many rows it has, so a row more costs a tenth of a pass of its own. What a row computes does not depend on its
neighbours, not in the last bit: the kernels sum each row in the same order however many rows there are.

Knows nothing of sound, voices on disk or scheduling; called by `engine.py`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.semantic.collapse import collapse_start
from vivavoce.engines.genie.semantic.graph_step import GraphStep
from vivavoce.engines.genie.semantic.inputs import cache_names, prefill_mask
from vivavoce.engines.genie.semantic.kernel_step import KernelStep, step_kernel
from vivavoce.engines.genie.semantic.key_value_cache import KeyValueCache
from vivavoce.engines.genie.semantic.sampling import Sampler, SamplingOptions
from vivavoce.engines.genie.shape import END_OF_SPEECH, MAX_POSITIONS, MIN_TOKENS, TOKENS_PER_SECOND, VOCABULARY
from vivavoce.errors import GenerationFailed
from vivavoce.onnx_session import open_wide

logger = logging.getLogger(__name__)

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Positions = Literal["trained", "genie"]

MAX_TOKENS = 1500  # a minute
ROWS = 8
MAX_PLACES = 3072  # of a row: phonemes, prompt and generated tokens


@dataclass(frozen=True, slots=True, eq=False)
class SemanticPrompt:
    """What a sentence is spoken from.

    Attributes:
        phonemes: int64 [1, X], the reference's and then the sentence's.
        bert: float32 [X, 1024].
        tokens: int64 [1, P], semantic tokens of the reference clip; P may be 0.
        reference_phonemes: how many of the phonemes are the reference's.
    """

    phonemes: Ids
    bert: Array
    tokens: Ids
    reference_phonemes: int

    @property
    def token_limit(self) -> int:
        """Tokens after which the sentence ends whatever the model says.

        Twice what the text takes at the reference's pace (2 to 5 tokens a phoneme), and two seconds.
        """
        spoken = self.tokens.shape[1] / max(1, self.reference_phonemes)
        pace = min(max(spoken, 2.0), 5.0) if self.reference_phonemes else 3.0
        target = int(self.phonemes.shape[1]) - self.reference_phonemes
        return min(MAX_TOKENS, 2 * TOKENS_PER_SECOND + round(2 * pace * target))


@dataclass(slots=True, eq=False)
class SemanticState:
    """One sentence on its way.

    Attributes:
        prompt: what it is spoken from.
        sampler: draws its tokens.
        limit: tokens after which it ends.
        eager: it takes part in every pass, also while its owner does something else; see `between_passes`.
        tokens: what was said so far, end of speech not included.
        ended: why no more will come; None while it goes on.
        committed: tokens that have become sound and can no longer be taken back; told by the caller.
        retried: True once a collapse was taken back.
        row: its row of the cache; None before prefill and after the end.
        length: places of its row that are filled.
    """

    prompt: SemanticPrompt
    sampler: Sampler
    limit: int
    eager: bool = False
    tokens: list[int] = field(default_factory=list)
    ended: Literal["spoken", "limit", "collapse", "closed"] | None = None
    committed: int = 0
    retried: bool = False
    row: int | None = None
    length: int = 0


class SemanticModel:
    """The text-to-semantic half of one voice. Calls are serialised: the cache belongs to all its streams.

    Args:
        prefill: the prefill graph.
        step: the step graph.
        kernel: a file of `kernel_step.pack_weights`, which takes the graph's place where it can run; None: the graph.
        threads: the most that a call is given.
        positions: "trained" counts from 0, "genie" from 1 as Genie's graphs do.
        rows: sentences at once.

    Attributes:
        cache: keys and values of all its streams.
        decode_step: computes a pass: the kernel where it can run, else the graph.
        first_position: of the first phoneme and the first token, 0 or 1.
    """

    def __init__(
        self,
        prefill: Path,
        step: Path,
        kernel: Path | None = None,
        *,
        threads: int = 2,
        positions: Positions = "trained",
        rows: int = ROWS,
    ) -> None:
        self._prefill = open_wide(prefill, threads=threads, arena=False)
        self.first_position = 0 if positions == "trained" else 1
        self.cache = KeyValueCache(rows, MAX_PLACES)
        native = step_kernel() if kernel is not None else None
        self.decode_step: GraphStep | KernelStep
        if kernel is not None and native is not None:
            self.decode_step = KernelStep(native, kernel, self.cache, threads)
        else:
            self.decode_step = GraphStep(open_wide(step, threads=threads), self.cache)
        self._eager: list[SemanticState] = []  # those that hold a row
        self._lock = threading.Lock()

    @property
    def memory_bytes(self) -> int:
        """Of the cache; the weights are files, mapped."""
        return self.cache.memory_bytes

    @property
    def open_rows(self) -> int:
        """Streams that hold a row."""
        return len(self.cache.holders)

    def begin(
        self, prompt: SemanticPrompt, options: SamplingOptions, seed: int, *, eager: bool = False
    ) -> SemanticState:
        """A sentence that has computed nothing yet."""
        return SemanticState(prompt, Sampler(options, seed, prompt.tokens[0], VOCABULARY), prompt.token_limit, eager)

    def prefill(self, state: SemanticState, *, threads: int = 1) -> None:
        """Read the prompt and draw the first token.

        Raises:
            Overloaded: If every row is taken.
            GenerationFailed: If prompt and sentence are longer than the model's positions.
        """
        logits, caches = self.read(state.prompt, threads=threads)
        with self._lock:
            self.cache.take(state, caches)
            if state.eager:
                self._eager.append(state)
            self._accept(state, logits)

    def read(self, prompt: SemanticPrompt, *, threads: int = 1) -> tuple[Array, list[Array]]:
        """Logits float32 [1025] of the first token; keys and values, 48 x float32 [1, 16, X + P, 32]."""
        phonemes, tokens = prompt.phonemes.shape[1], prompt.tokens.shape[1]
        if max(phonemes, tokens + prompt.token_limit) + 1 > MAX_POSITIONS:
            raise GenerationFailed(f"a sentence of {phonemes} phonemes is longer than the model can hold")
        feed = {
            "phonemes": prompt.phonemes,
            "bert": prompt.bert,
            "prompts": prompt.tokens,
            "phoneme_positions": np.arange(phonemes, dtype=np.int64) + self.first_position,
            "prompt_positions": np.arange(tokens, dtype=np.int64) + self.first_position,
            "mask": prefill_mask(phonemes, tokens),
        }
        logits, *caches = self._prefill.run(["logits", *cache_names("")], feed, threads=threads)
        return logits[0], caches

    def step(self, states: Sequence[SemanticState], *, threads: int = 1) -> None:
        """Draw one more token for each, and for the eager ones; a state that ends gives its row back.

        Args:
            states: different, prefilled, not more than there are rows. One that has ended, in a pass that another
                state's owner asked for, stays as it is.
            threads: to compute with.
        """
        with self._lock:
            going = [state for state in states if state.ended is None]
            if not going:
                return
            going += [state for state in self._eager if state not in going]
            rows = self.forward(going, threads=threads)
            for state in going:
                state.length += 1  # all of them before any may end: a row that moves must know what it holds
            for state, logits in zip(going, rows, strict=True):
                self._accept(state, logits)

    def between_passes(self) -> AbstractContextManager[object]:
        """No pass runs inside: what an eager state says holds, and `committed` may be told."""
        return self._lock

    def forward(self, states: Sequence[SemanticState], *, threads: int = 1) -> Array:
        """Logits float32 [n, 1025] of the states' next tokens; draws nothing, moves no state. For `step` and tests."""
        tokens = [state.tokens[-1] for state in states]
        positions = [state.prompt.tokens.shape[1] + len(state.tokens) - 1 + self.first_position for state in states]
        return self.decode_step.run(states, tokens, positions, threads=threads)

    def close(self, state: SemanticState) -> None:
        """Give the row back; the tokens stay. May be called at any time and again."""
        with self._lock:
            self._end(state, state.ended or "closed")

    def _accept(self, state: SemanticState, logits: Array) -> None:
        """Draw from the logits and decide whether the sentence goes on."""
        guarded = len(state.tokens) < MIN_TOKENS
        token, likeliest = state.sampler.draw(logits, forbidden=END_OF_SPEECH if guarded else None)
        if END_OF_SPEECH in (token, likeliest):
            return self._end(state, "spoken")
        state.tokens.append(token)
        if (start := collapse_start(state.tokens)) is not None:
            return self._recover(state, start)
        if len(state.tokens) >= state.limit:
            logger.warning("a sentence was cut after %d tokens: the voice did not end it", len(state.tokens))
            self._end(state, "limit")
        return None

    def _recover(self, state: SemanticState, start: int) -> None:
        """Take a repeating run back, as far as it was not heard, and try once more; the second time, end there."""
        keep = max(start + 1, state.committed, 1)
        state.length -= len(state.tokens) - keep
        del state.tokens[keep:]
        if state.retried:
            logger.warning("a sentence was cut after %d tokens: the voice repeats itself", keep)
            return self._end(state, "collapse")
        state.retried = True
        return None

    def _end(self, state: SemanticState, why: Literal["spoken", "limit", "collapse", "closed"]) -> None:
        state.ended = why
        if state.row is not None:
            self.cache.give_back(state)
            if state.eager:
                self._eager.remove(state)
