"""Settings become the generator: engines, voices and workers, without any web.

Called by `server.py`, and by the commands that speak without a server.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.config import Config
from vivavoce.engines.registry import open_engines
from vivavoce.engines.speech import SpeechEngine
from vivavoce.metrics import Metrics
from vivavoce.synthesis.admission import Admission
from vivavoce.synthesis.synthesizer import Synthesizer, SynthesizerLimits
from vivavoce.synthesis.voice_library import VoiceLibrary
from vivavoce.synthesis.worker import WorkerPool


def build_synthesizer(config: Config, metrics: Metrics, engines: Sequence[SpeechEngine] | None = None) -> Synthesizer:
    """The generator with its engines, voices and workers; no web."""
    voices = VoiceLibrary(
        open_engines(config) if engines is None else engines,
        default=config.voice,
        memory_bytes=config.voice_memory_mib << 20,
        metrics=metrics,
    )
    pool = WorkerPool(
        workers=config.worker_count(),
        first_audio_target_s=config.first_audio_target_s,
        step_timeout_s=config.step_timeout_s,
        metrics=metrics,
    )
    admission = Admission(
        cores=config.worker_count(),
        max_streams=config.max_streams,
        max_streams_per_owner=config.max_streams_per_key,
        first_audio_target_s=config.first_audio_target_s,
        share=config.admission_share,
    )
    limits = SynthesizerLimits(
        max_text=config.max_text, max_buffered_text=config.max_buffered_text, queue_wait_s=config.queue_wait_s
    )
    return Synthesizer(voices, pool, admission, metrics, limits)
