"""Sessions of the native stream, ready to be carried: limits and voices are published, the generator speaks.

Called by the live routes; the carriers get what `prepare` returns and know no session.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vivavoce.audio.encoders import FORMATS, TELEPHONE
from vivavoce.config import LiveSettings
from vivavoce.engines.speech import VoiceInfo
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.server_messages import Limits, VoiceSummary
from vivavoce.protocols.native.session import Session
from vivavoce.speaking.live_session import LiveSession
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker


@dataclass(frozen=True, slots=True)
class NativeStream:
    """Makes one session for each connection.

    Attributes:
        ahead_s: seconds of audio computed ahead of the listener.
    """

    speaker: Speaker
    limits: Limits
    ahead_s: float
    metrics: Metrics

    async def prepare(self, owner: str) -> Callable[[Carrier], LiveSession]:
        """What a carrier calls once it can say what it offers.

        Args:
            owner: whose connection it is, for admission.
        """
        voices = voice_summaries(await asyncio.to_thread(self.speaker.voices))

        def carry(carrier: Carrier) -> LiveSession:
            session = Session(f"sess_{secrets.token_hex(12)}", self.limits, voices)
            return LiveSession(self.speaker, session, carrier, owner=owner, metrics=self.metrics, ahead_s=self.ahead_s)

        return carry


def limits_of(settings: LiveSettings) -> Limits:
    """The limits of a session that the settings decide; the others are the protocol's own."""
    return Limits(
        max_buffered_chars=settings.max_buffered_text,
        stall_timeout_ms=round(settings.stall_timeout_s * 1000),
        idle_timeout_ms=round(settings.idle_timeout_s * 1000),
        formats=(*FORMATS, *TELEPHONE),
    )


def voice_summaries(voices: Iterable[VoiceInfo]) -> tuple[VoiceSummary, ...]:
    """The voices that can speak, as a session publishes them."""
    return tuple(
        VoiceSummary(
            id=info.id,
            name=info.name,
            languages=info.languages,
            engine=info.engine,
            sample_rate=info.sample_rate,
            references=info.references,
        )
        for info in voices
        if info.problem is None
    )
