"""What is counted and logged of an utterance that is over: never a word of it. Called by `synthesizer.py`."""

from __future__ import annotations

import logging
import time

from vivavoce.metrics import Metrics
from vivavoce.synthesis.utterance import Utterance

logger = logging.getLogger(__name__)


def note_end(utterance: Utterance, metrics: Metrics) -> None:
    """Write the log line and the metrics of an utterance that ended, however it did."""
    request, spent, engine = utterance.request, utterance.spent, utterance.voice.info.engine
    metrics.active_streams.labels(request.transport).dec()
    metrics.input_characters.inc(utterance.written)
    if utterance.first_chunk_s is not None:
        metrics.ttfa.labels(request.transport, engine).observe(utterance.first_chunk_s)
    if spent.sound_s > 0:
        for stage, core_s in [*spent.stages.items(), ("all", spent.core_s)]:
            metrics.engine_rtf.labels(engine, stage).observe(core_s / spent.sound_s)
    logger.info(
        "utterance ended",
        extra={
            "transport": request.transport,
            "voice": utterance.voice.info.id,
            "characters": utterance.written,
            "audio_s": round(spent.sound_s, 3),
            "core_s": round(spent.core_s, 3),
            "first_chunk_ms": None if utterance.first_chunk_s is None else round(utterance.first_chunk_s * 1e3),
            "underruns": utterance.underruns,
            "wall_s": round(time.monotonic() - utterance.begun_s, 3),
            "outcome": utterance.outcome,
        },
    )
