"""Where aiortc's packets are taken from before its own jitter buffer gets them.

That buffer (aiortc 1.16, https://github.com/aiortc/aiortc/issues/543) waits for a lost packet until fifteen more have
come and stays that late for the rest of the call. aiortc has no door for another one, so its place is taken: this works
with the version that is named here, and where it does not fit the track is read as before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import aiortc
from aiortc import RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame

logger = logging.getLogger(__name__)

KNOWN: Final = "1.16."
_PLACE: Final = "_RTCRtpReceiver__jitter_buffer"

Take = Callable[[int, bytes], None]  # a packet's 16-bit sequence number, and its payload


def tap(receiver: RTCRtpReceiver, take: Take) -> bool:
    """Give the receiver's packets to `take`, on the event loop; its track stays silent from then on.

    Returns:
        False where this aiortc is not the one that is known: nothing was changed.
    """
    if not aiortc.__version__.startswith(KNOWN) or not isinstance(getattr(receiver, _PLACE, None), JitterBuffer):
        logger.warning("aiortc %s is not known here: lost packets will delay what is heard", aiortc.__version__)
        return False
    setattr(receiver, _PLACE, _Tap(take))
    return True


class _Tap:
    """Stands where aiortc's jitter buffer stood."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def add(self, packet: Any) -> tuple[bool, JitterFrame | None]:
        """No frame is ever whole, so aiortc decodes nothing."""
        if packet._data:
            self._take(packet.sequence_number, bytes(packet._data))
        return False, None
