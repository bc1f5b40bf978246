"""A whisper model in memory: encoder, decoder, vocabulary and silent tail, shared by all that is heard with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import onnxruntime as ort

from vivavoce.audio.chunk import Samples
from vivavoce.engines.prepared import prepared, processor, sweep
from vivavoce.engines.whisper.decoder import Decoder
from vivavoce.engines.whisper.decoding import TokenRules
from vivavoce.engines.whisper.encoder import Encoder
from vivavoce.engines.whisper.graph_step import GraphStep
from vivavoce.engines.whisper.silent_tail import SilentTail
from vivavoce.engines.whisper.vocabulary import Vocabulary
from vivavoce.engines.whisper.weights import Shape, Weights
from vivavoce.progress import Progress

FORMAT = 2  # raise it when `building.py` makes something else


class WhisperModel:
    """A `RecognizerModel`.

    Attributes:
        id: the name it was asked for by.
        languages: ISO 639-1 codes.
        translates: it learned to write English for other languages.
        memory_bytes: about what it holds.
    """

    def __init__(
        self,
        model_id: str,
        shape: Shape,
        vocabulary: Vocabulary,
        encoder: Encoder,
        decoder: Decoder,
        tail: SilentTail,
        memory_bytes: int,
    ) -> None:
        self.id = model_id
        self.shape, self.vocabulary = shape, vocabulary
        self.encoder, self.decoder, self.tail = encoder, decoder, tail
        self.rules = TokenRules(vocabulary, shape.vocabulary)
        self.languages = tuple(vocabulary.languages)
        self.translates = vocabulary.is_multilingual
        self.memory_bytes = memory_bytes


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
    tell("prepared form", 0.2)
    sweep(cache)
    parts = _prepared(weights, cache, speech, threads)
    tell("prepared form", 0.9)
    encoder = Encoder(parts, shape.encoder_layers, threads)
    decoder = GraphStep(parts, shape, threads)
    tail = SilentTail(parts, encoder, shape.audio_positions)
    memory_bytes = sum(path.stat().st_size for path in parts.iterdir())  # mapped, and in use after the first words
    tell("ready", 1.0)
    return WhisperModel(model_id, shape, vocabulary, encoder, decoder, tail, memory_bytes)


def _prepared(weights: Weights, cache: Path, speech: Callable[[], Sequence[Samples]], threads: int) -> Path:
    """The model's folder in the cache, made where it is missing: a few seconds."""
    parts = [str(FORMAT), ort.__version__, processor(), weights.digest()]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def build(to: Path) -> None:
        from vivavoce.engines.whisper.building import build_model  # brings `onnx`, which nothing else here needs

        build_model(weights, alignment_heads(weights), speech, threads, to)

    return prepared(cache, f"whisper-{key}", build)


def alignment_heads(weights: Weights) -> list[tuple[int, int]]:
    """(layer, head) of those that look where a word is said; without a list, all in the second half of the layers."""
    shape = weights.shape
    listed = weights.config.get("alignment_heads") or [
        (layer, head)
        for layer in range(shape.decoder_layers // 2, shape.decoder_layers)
        for head in range(shape.decoder_heads)
    ]
    return [(int(layer), int(head)) for layer, head in listed]
