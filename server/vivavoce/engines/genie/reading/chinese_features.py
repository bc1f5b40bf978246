"""Features of Chinese characters for the voice: what a language model makes of the sentence (RoBERTa, optional).

Voices were trained with them for Chinese only; without the model they get zeros, as Genie gives them. Called by
`phonemes.py`.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.genie_modules import library
from vivavoce.engines.genie.reading.reading import Reading
from vivavoce.engines.genie.shape import BERT_WIDTH
from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import Signature, open_session

_log = logging.getLogger(__name__)
_SIGNATURE = Signature(inputs=("input_ids", "attention_mask", "repeats"), outputs=())


class ChineseFeatures:
    """The model, loaded at once; any number of threads may call it.

    Raises:
        VoiceUnavailable: If the files are there but cannot be used.
    """

    def __init__(self, data: GenieData, threads: int = 1) -> None:
        try:
            self._tokenizer: Any = library("tokenizers").Tokenizer.from_file(str(data.roberta_tokenizer))
        except VoiceUnavailable:
            raise
        except Exception as damage:  # the binding raises bare Exception
            raise VoiceUnavailable(f"'{data.roberta_tokenizer}' cannot be read: {damage}") from damage
        self._session = open_session(data.roberta, threads=threads, signature=_SIGNATURE)

    def of(self, reading: Reading) -> NDArray[np.float32] | None:
        """float32 [symbols, 1024]; None where the model cuts the text otherwise than one token a character."""
        spoken = [(char, count) for char, count in zip(reading.clean, reading.counts, strict=True) if count]
        encoded = self._tokenizer.encode("".join(char for char, _ in spoken))
        if len(encoded.ids) != len(spoken) + 2:  # one at each end
            _log.debug("no text features: %d tokens for %d characters", len(encoded.ids) - 2, len(spoken))
            return None
        features = self._session.run(
            None,
            {
                "input_ids": np.array([encoded.ids], np.int64),
                "attention_mask": np.array([encoded.attention_mask], np.int64),
                "repeats": np.array([count for _, count in spoken], np.int64),
            },
        )[0]
        return features.astype(np.float32) if features.shape == (len(reading.symbols), BERT_WIDTH) else None
