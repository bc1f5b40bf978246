"""What the settings of a conversation mean to its ear: whom to ask for words and how, and how patient to be.

Pure. Called by `turn_ear.py`.
"""

from __future__ import annotations

import dataclasses

from vivavoce.assistant.ear import Wishes
from vivavoce.protocols.realtime.session_config import SessionConfig, TurnDetection
from vivavoce.recognition.turn_events import TurnOptions


def wishes_of(config: SessionConfig, owner: str, transport: str) -> Wishes:
    """What the recognizer is told."""
    told = config.transcription
    if told is None:
        return Wishes(owner=owner, transport=transport)
    return Wishes(
        model=told.model,
        language=told.language,
        languages=told.languages or (),
        prompt=told.prompt or "",
        keywords=told.keywords or (),
        owner=owner,
        transport=transport,
    )


def turn_options(detection: TurnDetection | None, settle_s: float = 0.0) -> TurnOptions:
    """How patient the turn detector is, in the words of the protocol; where the client decides: as `server_vad`.

    Args:
        settle_s: so long after the first sound only words interrupt.
    """
    if detection is None:
        options = TurnOptions.server_vad()
    elif detection.type == "semantic_vad":
        options = TurnOptions.semantic_vad(detection.eagerness)
    else:
        options = TurnOptions.server_vad(
            threshold=min(max(detection.threshold, 0.16), 0.99),
            padding_s=detection.prefix_padding_ms / 1000,
            silence_s=detection.silence_duration_ms / 1000,
            idle_s=None if detection.idle_timeout_ms is None else detection.idle_timeout_ms / 1000,
        )
    return dataclasses.replace(options, settle_s=settle_s)
