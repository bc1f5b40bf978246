"""Settings become the generator: engines, voices and workers, without any web.

Called by `server.py`, and by the commands that speak without a server.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.config import Config
from vivavoce.engines.registry import open_engines
from vivavoce.engines.speech import SpeechEngine
from vivavoce.machine.admission import Admission
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.memory import Residents
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.synthesis.synthesizer import Synthesizer, SynthesizerLimits
from vivavoce.synthesis.voice_choice import VoiceNames
from vivavoce.synthesis.voice_library import VoiceLibrary

MAX_WAITING = 64  # requests in the queue for a place


def build_synthesizer(config: Config, metrics: Metrics, engines: Sequence[SpeechEngine] | None = None) -> Synthesizer:
    """The generator with its engines, voices and workers; no web."""
    opened = open_engines(config.voices) if engines is None else engines
    engine_names = (*config.voices.engines, *(engine.name for engine in opened))
    voices = VoiceLibrary(
        opened,
        default=config.voices.voice,
        residents=Residents(config.voices.voice_memory_mib << 20),
        metrics=metrics,
        names=VoiceNames(config.voices.aliases(), tuple(dict.fromkeys(engine_names))),
    )
    pool = WorkerPool(
        workers=config.speed.worker_count(),
        step_timeout_s=config.speed.step_timeout_s,
        metrics=metrics,
    )
    admission = Admission(
        cores=config.speed.worker_count(),
        max_streams=config.limits.max_streams,
        max_streams_per_owner=config.limits.max_streams_per_key,
        first_audio_target_s=config.speed.first_audio_target_s,
        share=config.speed.admission_share,
    )
    limits = SynthesizerLimits(
        max_text=config.limits.max_text,
        max_buffered_text=config.live.max_buffered_text,
    )
    admissions = Admissions(admission, wait_s=config.speed.queue_wait_s, max_waiting=MAX_WAITING, metrics=metrics)
    return Synthesizer(voices, pool, admission, admissions, metrics, limits)
