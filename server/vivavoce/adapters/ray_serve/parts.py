"""What replicas are built of instead of the configured parts; tests give their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.speech import SpeechEngine
from vivavoce.recognition.detector_job import VoiceActivity


@dataclass(frozen=True, slots=True)
class Parts:
    """Makers, called in the replica; None: as configured.

    Attributes:
        engines: of a Mouth.
        recognizers: of an Ear.
        activity: finds speech at a Door.
    """

    engines: Callable[[], Sequence[SpeechEngine]] | None = None
    recognizers: Callable[[], Sequence[Recognizer]] | None = None
    activity: Callable[[], VoiceActivity] | None = None
