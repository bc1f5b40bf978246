"""Settings become the generator: engines, voices and workers, without any web.

Called by `services.py`, and by the commands that speak without a server.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.app.machine import Machine, build_machine
from vivavoce.config import Config
from vivavoce.engines.registry import open_engines
from vivavoce.engines.speech import SpeechEngine
from vivavoce.metrics import Metrics
from vivavoce.synthesis.synthesizer import Synthesizer, SynthesizerLimits
from vivavoce.synthesis.voice_choice import VoiceNames
from vivavoce.synthesis.voice_library import VoiceLibrary


def build_synthesizer(
    config: Config,
    metrics: Metrics,
    engines: Sequence[SpeechEngine] | None = None,
    machine: Machine | None = None,
) -> Synthesizer:
    """The generator with its engines, voices and workers; no web.

    Args:
        engines: instead of the configured ones (tests).
        machine: shared with whatever else computes; None: its own.
    """
    machine = machine or build_machine(config, metrics)
    opened = open_engines(config.voices) if engines is None else engines
    engine_names = (*config.voices.engines, *(engine.name for engine in opened))
    voices = VoiceLibrary(
        opened,
        default=config.voices.voice,
        residents=machine.residents,
        metrics=metrics,
        names=VoiceNames(config.voices.aliases(), tuple(dict.fromkeys(engine_names))),
    )
    limits = SynthesizerLimits(
        max_text=config.limits.max_text,
        max_buffered_text=config.live.max_buffered_text,
        rest_s=config.live.stall_rest_s,
    )
    return Synthesizer(voices, machine.pool, machine.admission, machine.admissions, metrics, limits)
