"""Which recognition models there are and which are in memory: names to loaded models, shared by all who are heard.

They share one memory budget with the voices. Called by `transcriber.py` and by the routes that list and launch models.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from vivavoce.engines.recognizer import Recognizer, RecognizerInfo, RecognizerModel
from vivavoce.errors import ModelUnavailable, VivaVoceError
from vivavoce.machine.health import Health
from vivavoce.machine.memory import Residents
from vivavoce.progress import Progress
from vivavoce.recognition.hearing_job import LoadedModel
from vivavoce.recognition.listener import ResolvedModel
from vivavoce.recognition.model_choice import Resolve, choose_model

logger = logging.getLogger(__name__)


class ModelLibrary:
    """The recognition models of all engines: listed, chosen, loaded and forgotten.

    Args:
        recognizers: in order of preference; the first that knows a model hears with it.
        residents: the memory budget.
        resolve: what a client's word means; raises UnknownModel.
        default: the model where none is named, in place of what `resolve` says.

    Attributes:
        health: of the models, by recognizer and id.
    """

    def __init__(
        self,
        recognizers: Sequence[Recognizer],
        residents: Residents[RecognizerModel],
        resolve: Resolve,
        default: str | None = None,
    ) -> None:
        self._recognizers = {recognizer.name: recognizer for recognizer in recognizers}
        self._residents = residents
        self._resolve = resolve
        self._default = default
        self.health = Health()

    def list(self) -> list[RecognizerInfo]:
        """Every model of every recognizer; the first recognizer wins where two share an id."""
        seen: dict[str, RecognizerInfo] = {}
        for recognizer in self._recognizers.values():
            for info in recognizer.models():
                seen.setdefault(info.id, self._with_failure(info))
        return [*seen.values()]

    def _with_failure(self, info: RecognizerInfo) -> RecognizerInfo:
        """What is known of a model, a load that failed lately included, and a model that does not work."""
        failed = self._residents.failure(("hears", info.engine, info.id))
        failure = failed or self.health.problem((info.engine, info.id))
        return info if failure is None else dataclasses.replace(info, problem=failure.message)

    def choose(self, name: str | None) -> ResolvedModel:
        """The model that a client's word means.

        Raises:
            UnknownModel: If there is none.
        """
        return choose_model(self.list(), name, self._resolve, self._default)

    def is_loaded(self, model_id: str) -> bool:
        """True when nobody would wait for it."""
        return any(self._residents.is_loaded(("hears", name, model_id)) for name in self._recognizers)

    @asynccontextmanager
    async def acquire(self, model: ResolvedModel, progress: Progress | None = None) -> AsyncIterator[LoadedModel]:
        """The model, loaded and kept in memory for the length of the block.

        Raises:
            ModelUnavailable: If it cannot be loaded.
        """
        info = model.info
        if info.problem is not None:
            raise ModelUnavailable(f"model '{info.id}' is not available: {info.problem}", param="model")
        recognizer = self._recognizers[info.engine]

        def load() -> RecognizerModel:
            try:
                return recognizer.load_model(info.id, progress)
            except VivaVoceError:
                raise
            except Exception as error:  # whatever a loader raises, the other models keep hearing
                logger.exception("model '%s' could not be loaded", info.id)
                raise ModelUnavailable(f"model '{info.id}' could not be loaded", param="model") from error

        async with self._residents.hold(("hears", info.engine, info.id), load, recognizer.unload_model) as loaded:
            yield LoadedModel(recognizer, loaded)

    def forget(self, model_id: str) -> None:
        """Let a model leave memory when nobody uses it any more."""
        for name in self._recognizers:
            self._residents.forget(("hears", name, model_id))
            self.health.forget((name, model_id))
