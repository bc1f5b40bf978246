"""Settings become the transcriber: recognizers, models and the detectors of speech, on the machine that also speaks."""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.app.machine import Machine, build_machine
from vivavoce.config import Config
from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.silero import SileroDetector
from vivavoce.engines.turn_end import TurnEndJudge
from vivavoce.engines.whisper.own_speech import own_speech
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.metrics import Metrics
from vivavoce.models.catalogue import resolve
from vivavoce.models.shelf import ModelShelf
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.model_library import ModelLibrary
from vivavoce.recognition.transcriber import Transcriber


def open_shelf(config: Config) -> ModelShelf:
    """The recognition models of this machine."""
    return ModelShelf(config.voices.data_dir / "models", config.voices.cache_dir / "models")


def build_transcriber(
    config: Config,
    metrics: Metrics,
    machine: Machine | None = None,
    recognizers: Sequence[Recognizer] | None = None,
    activity: VoiceActivity | None = None,
) -> Transcriber:
    """The transcriber with its recognizers and models.

    Args:
        machine: shared with the synthesizer; None: its own.
        recognizers, activity: instead of the real ones (tests).
    """
    machine = machine or build_machine(config, metrics)
    return Transcriber(build_models(config, machine, recognizers), build_ears(machine, metrics, activity))


def build_models(config: Config, machine: Machine, recognizers: Sequence[Recognizer] | None = None) -> ModelLibrary:
    """The recognition models of this machine, by name."""
    if recognizers is None:
        cache = config.voices.cache_dir / "whisper"
        recognizers = [WhisperRecognizer(open_shelf(config), cache, own_speech, config.speed.worker_count())]
    return ModelLibrary(recognizers, machine.residents, resolve, config.listening.recognizer)


def build_ears(machine: Machine, metrics: Metrics, activity: VoiceActivity | None = None) -> Ears:
    """What finds speech on this machine, whoever then makes words of it."""
    found = activity
    find = (lambda: found) if found is not None else SileroDetector
    return Ears(machine.pool, machine.admissions, find, TurnEndJudge, metrics)
