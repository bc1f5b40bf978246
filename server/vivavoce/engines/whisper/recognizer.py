"""Whisper behind the `Recognizer` border: which models there are, and one step of what is being heard with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import SAMPLE_RATE
from vivavoce.engines.recognizer import Heard, HearingOptions, HearingStream, RecognizerInfo, RecognizerModel
from vivavoce.engines.whisper.hearing import MAX_SEGMENT_S, Hearing
from vivavoce.engines.whisper.loaded_model import WhisperModel, load
from vivavoce.errors import EngineError, InvalidRequest, UnknownModel, UnsupportedLanguage
from vivavoce.progress import Progress

logger = logging.getLogger(__name__)


class ModelFolders(Protocol):
    """Where models lie: whoever pulls and converts them keeps it."""

    def models(self) -> list[RecognizerInfo]:
        """What there is, or could be; cheap."""
        ...

    def folder(self, model_id: str, progress: Progress | None = None) -> Path:
        """A folder in CTranslate2's form.

        Raises:
            UnknownModel, ModelUnavailable: As `Recognizer.load_model`.
        """
        ...


class WhisperRecognizer:
    """A `Recognizer`.

    Args:
        folders: of the models.
        cache: for what is made of a model once, a few megabytes each.
        speech: makes short spoken sentences, float32 [n] of 16 kHz; asked once for each model, see `silent_tail`.
        threads: of a step that has all cores.
    """

    name = "whisper"
    sample_rate = SAMPLE_RATE
    max_segment_s = MAX_SEGMENT_S
    max_batch = 8

    def __init__(
        self, folders: ModelFolders, cache: Path, speech: Callable[[], Sequence[Samples]], threads: int
    ) -> None:
        self._folders, self._cache, self._speech, self._threads = folders, cache, speech, threads

    def models(self) -> list[RecognizerInfo]:
        return self._folders.models()

    def load_model(self, model_id: str, progress: Progress | None = None) -> WhisperModel:
        if model_id not in (known := [model.id for model in self.models()]):
            raise UnknownModel(model_id, known)
        folder = self._folders.folder(model_id, progress)
        return load(model_id, folder, self._cache, self._speech, self._threads, progress)

    def unload_model(self, model: RecognizerModel) -> None:
        """Nothing to do: its sessions die with its last reference."""

    def check(self, model: RecognizerModel, options: HearingOptions) -> None:
        unknown = {options.language, *options.languages} - {None, *model.languages}
        if unknown:
            names = ", ".join(sorted(name[:16] for name in unknown if name))
            raise UnsupportedLanguage(f"model '{model.id}' does not understand: {names}")
        if options.task == "translate" and not model.translates:
            raise UnsupportedLanguage(f"model '{model.id}' does not translate", param="model")
        if not 0 <= options.temperature <= 1:
            raise InvalidRequest("the temperature must be between 0 and 1", param="temperature")

    def open(self, model: RecognizerModel, options: HearingOptions) -> Hearing:
        assert isinstance(model, WhisperModel)
        self.check(model, options)
        return Hearing(model, options)

    def step(self, streams: Sequence[HearingStream], *, threads: int) -> list[Heard | None]:
        hearings = [stream for stream in streams if isinstance(stream, Hearing)]
        if hearings and hearings[0].stage == "encode":
            for hearing in hearings:
                _encode(hearing, threads)
            return [None] * len(hearings)
        return list(_decode(hearings, threads))


def _encode(hearing: Hearing, threads: int) -> None:
    """A step of the encoder; where it fails, the others go on."""
    try:
        hearing.attempt.encode(threads)
    except Exception as error:  # the runtime raises several unrelated classes
        logger.exception("a window could not be encoded")
        hearing.failed(EngineError(f"the sound could not be encoded: {type(error).__name__}"))


def _decode(hearings: Sequence[Hearing], threads: int) -> list[Heard]:
    """A token for each, in one pass over the weights of their model."""
    attempts = [hearing.attempt for hearing in hearings]
    asking = [(attempt, ask) for attempt in attempts if attempt.result is None and (ask := attempt.ask()) is not None]
    if asking:
        try:
            answers = hearings[0].model.decoder.run([ask for _, ask in asking], threads)
        except Exception as error:  # the runtime raises several unrelated classes
            raise EngineError(f"the words could not be decoded: {error}") from error
        for (attempt, _), answer in zip(asking, answers, strict=True):
            attempt.answered(answer)
    return [hearing.told() for hearing in hearings]
