"""What a server is built around: whoever speaks and whoever listens. On one machine, the two share its cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vivavoce.app.generator import build_synthesizer
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.app.translation import local_translators
from vivavoce.config import Config
from vivavoce.draining import Draining
from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.speech import SpeechEngine
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.routes.operations import Everywhere
from vivavoce.synthesis.speaker import VoiceKeeper
from vivavoce.translation.translator import Translator


@dataclass(frozen=True, slots=True)
class Services:
    """The speaker, the listener and what else the routes need, one of each.

    Attributes:
        speaker: ended after the listener.
        admissions: of the machine that both compute on; None: they do not compute here.
        ears: of this machine, for models elsewhere; None where it has none.
        translators: of this machine.
        everywhere: the numbers of all processes that the server is made of; None: it is this one.
    """

    speaker: VoiceKeeper
    listener: ModelKeeper
    admissions: Admissions | None = None
    ears: Ears | None = None
    translators: tuple[Translator, ...] = ()
    everywhere: Everywhere | None = None


ServicesBuilder = Callable[[Config, Metrics], Services]


def services_of_this_machine(
    config: Config,
    metrics: Metrics,
    engines: Sequence[SpeechEngine] | None = None,
    recognizers: Sequence[Recognizer] | None = None,
    activity: VoiceActivity | None = None,
    draining: Draining | None = None,
    *,
    share_of_one: float = 1.0,
) -> Services:
    """The synthesizer and the transcriber, on one pool of workers.

    Args:
        engines, recognizers, activity: instead of the configured ones (tests).
        share_of_one: of what is bounded that one owner may have.
    """
    machine = build_machine(config, metrics, draining, share_of_one=share_of_one)
    transcriber = build_transcriber(config, metrics, machine, recognizers, activity)
    synthesizer = build_synthesizer(config, metrics, engines, machine)
    translators = local_translators(machine)
    return Services(synthesizer, transcriber, machine.admissions, transcriber.ears, translators)
