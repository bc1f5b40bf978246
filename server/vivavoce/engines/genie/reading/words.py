"""Places the written words of a sentence in its sound: measured where the attention tells, else estimated.

Follows one sentence while it is being made and gives each word out once, as soon as its time is known. Pure; fed by
`sentence.py` after every commit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.reading.alignment import phoneme_path, word_frames
from vivavoce.engines.genie.shape import FRAME_S
from vivavoce.text.mapped import MappedText
from vivavoce.text.normalize import SpokenText
from vivavoce.text.timing import estimate_words
from vivavoce.words import WordTiming


@dataclass(slots=True)
class SentenceWords:
    """The words of one sentence.

    Attributes:
        sentence: as it is spoken.
        phoneme_words: (first phoneme, end phoneme, text start, text end) of each spoken word, in order.
        speed: of the voice; attention frames pass that much faster.
    """

    sentence: SpokenText
    phoneme_words: Sequence[tuple[int, int, int, int]]
    speed: float
    _written: list[WordTiming] = field(init=False)
    _phonemes: list[tuple[int, int] | None] = field(init=False)
    _told: int = 0
    _told_until_s: float = 0.0

    def __post_init__(self) -> None:
        self._written = list(estimate_words(self.sentence, 1.0))
        self._phonemes = [self._phonemes_of(word) for word in self._written]

    def known(self, attention: NDArray[np.float32] | None, sounding_s: float) -> tuple[WordTiming, ...]:
        """Words not given out yet whose times are measured and lie before `sounding_s`."""
        path = None if attention is None else phoneme_path(attention, final=False)
        return () if path is None else self._measured(path, sounding_s, final=False)

    def rest(self, attention: NDArray[np.float32] | None, duration_s: float) -> tuple[WordTiming, ...]:
        """All words not given out yet; the sentence is whole and lasts `duration_s`."""
        path = None if attention is None else phoneme_path(attention, final=True)
        measured = () if path is None else self._measured(path, duration_s, final=True)
        if self._told == len(self._written):
            return measured
        estimated = estimate_words(self.sentence, duration_s)[self._told :]
        self._told = len(self._written)
        floor_s = self._told_until_s
        return measured + tuple(
            dataclasses.replace(word, start_s=max(word.start_s, floor_s), end_s=max(word.end_s, floor_s))
            for word in estimated
        )

    def _measured(self, path: NDArray[np.int64], until_s: float, *, final: bool) -> tuple[WordTiming, ...]:
        found: list[WordTiming] = []
        for word, phonemes in zip(self._written[self._told :], self._phonemes[self._told :], strict=True):
            frames = None if phonemes is None else word_frames(path, [phonemes], final=final)[0]
            if frames is None:
                break
            start_s, end_s = (frame * FRAME_S / self.speed for frame in frames)
            if end_s > until_s + 1e-9:
                break
            start_s = max(start_s, self._told_until_s)
            self._told_until_s = max(end_s, start_s)
            found.append(dataclasses.replace(word, start_s=start_s, end_s=self._told_until_s, estimated=False))
        self._told += len(found)
        return tuple(found)

    def _phonemes_of(self, word: WordTiming) -> tuple[int, int] | None:
        """First and end phoneme of a written word; None where it has no sound of its own."""
        origins = MappedText.of(self.sentence.source).respelled(self.sentence.text, self.sentence.spans)
        first, last = None, 0
        for start, end, text_start, text_end in self.phoneme_words:
            if text_end <= text_start or text_end > len(origins):
                continue
            source_start, source_end = origins.origin(text_start, text_end)
            if source_start < word.source_end and source_end > word.source_start:
                first = start if first is None else first
                last = end
        return None if first is None else (first, last)
