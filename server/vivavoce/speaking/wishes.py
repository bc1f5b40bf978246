"""What a client of the native stream wishes for, in the words of the synthesizer. Called by `live_session.py`."""

from __future__ import annotations

from vivavoce.engines.speech import SpeechOptions
from vivavoce.protocols.native.messages import SessionConfig
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.voice_library import VoiceLibrary


def speech_request(
    config: SessionConfig,
    voices: VoiceLibrary,
    *,
    owner: str,
    transport: str,
    ahead_s: float,
    sample_rate: int | None,
) -> SpeechRequest:
    """What a session's configuration asks of the synthesizer; a `model` that names a voice speaks, as over HTTP.

    Args:
        sample_rate: Hz, where the carrier decides it.
    """
    model = config.model if config.model is not None and voices.knows(config.model) else None
    options = SpeechOptions(
        language=config.language or "auto",
        speed=config.speed or 1.0,
        seed=config.seed,
        temperature=config.temperature,
        top_k=config.top_k,
        top_p=config.top_p,
        repetition_penalty=config.repetition_penalty,
        instructions=config.instructions,
    )
    return SpeechRequest(
        voice=config.voice or model or "default",
        options=options,
        sample_rate=sample_rate or config.sample_rate,
        ahead_s=ahead_s,
        paced=config.pace != "burst",
        owner=owner,
        transport=transport,
    )
