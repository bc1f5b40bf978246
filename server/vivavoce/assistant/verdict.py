"""Whether what was said sounds finished, as the ear's model judges it. Called by `turn_ear.py`."""

from __future__ import annotations

import logging

from vivavoce.assistant.ear import LentEar
from vivavoce.errors import VivaVoceError

logger = logging.getLogger(__name__)


async def verdict_on(ear: LentEar, stretch: range) -> float | None:
    """How finished it sounds, 0 to 1; None where it cannot be judged: then its silence ends the turn.

    Args:
        stretch: samples of the ear's sound.
    """
    try:
        return await ear.judge(stretch.start, stretch.stop)
    except VivaVoceError as error:
        logger.info("a turn could not be judged", extra={"code": error.code})
        return None
