"""A whisper model in memory: encoder, decoder, vocabulary and silent tail, shared by all that is heard with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Progress
from vivavoce.engines.whisper.decoder import Decoder
from vivavoce.engines.whisper.decoding import TokenRules
from vivavoce.engines.whisper.encoder import Encoder
from vivavoce.engines.whisper.graph_step import GraphStep
from vivavoce.engines.whisper.silent_tail import FORMAT, SilentTail, silent_tail
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.weights import Shape, Weights

BITS = 7  # of the weights of linear layers: the same on every processor, see `graphs.Builder`


class WhisperModel:
    """A `RecognizerModel`.

    Attributes:
        id: the name it was asked for by.
        languages: ISO 639-1 codes.
        translates: it learned to write English for other languages.
        memory_bytes: about what it holds.
    """

    def __init__(
        self, model_id: str, shape: Shape, vocabulary: Vocabulary, encoder: Encoder, decoder: Decoder, tail: SilentTail
    ) -> None:
        self.id = model_id
        self.shape, self.vocabulary = shape, vocabulary
        self.encoder, self.decoder, self.tail = encoder, decoder, tail
        self.rules = TokenRules(vocabulary, shape.vocabulary)
        self.languages = tuple(vocabulary.languages)
        self.translates = vocabulary.is_multilingual
        self.memory_bytes = encoder.memory_bytes + decoder.memory_bytes


def load(
    model_id: str,
    folder: Path,
    cache: Path,
    speech: Callable[[], Sequence[Samples]],
    threads: int,
    progress: Progress | None = None,
) -> WhisperModel:
    """A model from its folder.

    Args:
        model_id: its name.
        folder: weights in CTranslate2's form, with the tokenizer.
        cache: folder for what is made of a model once.
        speech: makes short sentences, for the silent tail.
        threads: of a step that has all cores.

    Raises:
        ModelUnavailable: If the folder holds no usable model.
    """
    tell = progress or (lambda what, fraction: None)
    tell("weights", 0.0)
    weights = Weights(folder)
    shape = weights.shape
    vocabulary = Vocabulary(folder, weights.config, shape.text_positions)
    tell("encoder", 0.2)
    encoder = Encoder(weights, BITS, threads)
    tell("decoder", 0.5)
    decoder = GraphStep(weights, BITS, alignment_heads(weights), threads)
    tell("silence", 0.8)
    tail = silent_tail(encoder, shape, speech, cache / f"tail-{weights.digest()}-{BITS}-{FORMAT}.npz", threads)
    tell("ready", 1.0)
    return WhisperModel(model_id, shape, vocabulary, encoder, decoder, tail)


def alignment_heads(weights: Weights) -> list[tuple[int, int]]:
    """(layer, head) of those that look where a word is said; without a list, all in the second half of the layers."""
    shape = weights.shape
    listed = weights.config.get("alignment_heads") or [
        (layer, head)
        for layer in range(shape.decoder_layers // 2, shape.decoder_layers)
        for head in range(shape.decoder_heads)
    ]
    return [(int(layer), int(head)) for layer, head in listed]
