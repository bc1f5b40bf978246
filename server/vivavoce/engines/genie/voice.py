"""A Genie voice in memory: its models and its references, shared read-only by all its streams.

Made by `voice_loader.py`; knows nothing of sentences.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vivavoce.engines.genie.reading.phonemes import Phonemes
from vivavoce.engines.genie.reference import Reference, ReferenceReader
from vivavoce.engines.genie.semantic.model import SemanticModel, SemanticPrompt
from vivavoce.engines.genie.sound.chunking import Pace
from vivavoce.engines.genie.sound.vits_model import VitsModel
from vivavoce.engines.genie.sound.vocoder import Vocoder
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import UnknownVoice

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class SpokenReference:
    """A reference and the phonemes of what it says."""

    reference: Reference
    phonemes: Phonemes

    def prompt(self, sentence: Phonemes) -> SemanticPrompt:
        """What the sentence is spoken from, in this tone."""
        return SemanticPrompt(
            phonemes=np.concatenate([self.phonemes.ids, sentence.ids], axis=1),
            bert=np.concatenate([self.phonemes.bert, sentence.bert]),
            tokens=self.reference.prompt_tokens,
            reference_phonemes=self.phonemes.ids.shape[1],
        )


@dataclass(slots=True, eq=False)
class GenieVoice:
    """A voice in memory: its models, its references and how it speaks by default.

    Attributes:
        id: of its pack.
        language: ISO 639-1 code it was made for.
        semantic: phonemes to semantic tokens.
        vits: semantic tokens to latent.
        vocoder: latent to sound.
        references: style -> reference; the first is the default.
        reader: makes further ones.
        weights_bytes: of all graphs that run, mapped.
        open_sentences: not closed yet.
        pace: how long its work has taken lately; replaced, never changed.
    """

    id: str
    language: str
    semantic: SemanticModel
    vits: VitsModel
    vocoder: Vocoder
    references: Mapping[str, SpokenReference]
    reader: ReferenceReader
    weights_bytes: int
    open_sentences: int = 0
    pace: Pace = field(default_factory=Pace)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def memory_bytes(self) -> int:
        """Weights and the cache of keys and values in use."""
        return self.weights_bytes + self.semantic.memory_bytes

    def reference(self, options: SpeechOptions) -> SpokenReference:
        """The one of a recording, or the one asked for by name, or by a word of the instructions, or the default.

        Raises:
            UnknownVoice: If a reference is named that the voice does not have.
        """
        if isinstance(options.like, SpokenReference):
            return options.like
        by_name = {name.casefold(): reference for name, reference in self.references.items()}
        if options.reference is not None:
            if options.reference.casefold() not in by_name:
                known = [f"{self.id}/{name}" for name in self.references]
                raise UnknownVoice(f"{self.id}/{options.reference}", known)
            return by_name[options.reference.casefold()]
        asked = (options.instructions or "").casefold()
        return next(
            (reference for name, reference in by_name.items() if name in asked), next(iter(self.references.values()))
        )
