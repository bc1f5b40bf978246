"""What a client of the native stream wishes for, in the words of the synthesizer. Called by `live_session.py`."""

from __future__ import annotations

import asyncio

from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.protocols.native.client_messages import SessionConfig
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker, SpeechRequest


async def speech_request(
    config: SessionConfig, speaker: Speaker, carrier: Carrier, *, owner: str, ahead_s: float
) -> SpeechRequest:
    """What a session's configuration asks of the speaker; the voice is chosen here, once.

    Raises:
        UnknownVoice, UnknownModel: If `voice` or `model` means nothing here.
    """
    return SpeechRequest(
        voice=await asyncio.to_thread(speaker.choose, config.voice, config.model),  # it may look at the disk
        options=SpeechOptions.of(config),
        sample_rate=carrier.sample_rate or config.sample_rate,
        ahead_s=ahead_s,
        paced=config.pace != "burst",
        owner=owner,
        transport=carrier.name,
    )
