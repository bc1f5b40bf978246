"""Sessions that listen, ready to be carried: limits and models are published, the listener hears.

Called by the live routes; the carriers get what `prepare` returns and know no session.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.captions.live_captions import LiveCaptions
from vivavoce.config import LiveSettings
from vivavoce.decoding.service import DecodingService
from vivavoce.metrics import Metrics
from vivavoce.protocols.captions.messages import Limits
from vivavoce.protocols.captions.session import CaptionSession
from vivavoce.recognition.listener import Listener
from vivavoce.speaking.sink import Carrier


@dataclass(frozen=True, slots=True)
class CaptionStream:
    """Makes one session for each connection."""

    listener: Listener
    decoding: DecodingService
    limits: Limits
    metrics: Metrics

    async def prepare(self, owner: str) -> Callable[[Carrier], LiveCaptions]:
        """What a carrier calls once it can say what it offers.

        Args:
            owner: whose connection it is, for admission.
        """
        known = await asyncio.to_thread(self.listener.models)  # it may look at the disk
        models = [info.id for info in known if info.problem is None]

        def carry(carrier: Carrier) -> LiveCaptions:
            session = CaptionSession(f"sess_{secrets.token_hex(12)}", self.limits, models)
            return LiveCaptions(self.listener, self.decoding, session, carrier.name, owner=owner, metrics=self.metrics)

        return carry


def limits_of(settings: LiveSettings) -> Limits:
    """The limits of a session that the settings decide; the others are the protocol's own."""
    return Limits(
        stall_timeout_ms=round(settings.stall_timeout_s * 1000),
        idle_timeout_ms=round(settings.idle_timeout_s * 1000),
    )
