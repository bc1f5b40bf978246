"""What waits for FastRTC to ask for it: events first, sound when it is due, nothing after a clear."""

from __future__ import annotations

import asyncio

import numpy as np

from vivavoce.adapters.fastrtc.outgoing import FRAME, MAX_EVENTS, Outgoing
from vivavoce.transports.webrtc.playout import FADE_SAMPLES, SAMPLE_RATE


def made() -> tuple[Outgoing, list[str]]:
    cleared: list[str] = []
    return Outgoing(lambda: cleared.append("cleared")), cleared


async def test_events_come_before_sound_and_in_order() -> None:
    outgoing, _ = made()
    outgoing.write(np.full(FRAME, 0.5, np.float32))
    await outgoing.tell({"type": "first"})
    await outgoing.tell("the end")
    assert await outgoing.next() == {"type": "first"}
    assert await outgoing.next() == "the end"
    frame = await outgoing.next()
    assert isinstance(frame, np.ndarray)
    assert np.array_equal(frame, np.full(FRAME, 0.5, np.float32))


async def test_a_clear_leaves_a_fade_and_empties_what_fastrtc_holds() -> None:
    outgoing, cleared = made()
    outgoing.write(np.full(SAMPLE_RATE, 0.5, np.float32))
    await outgoing.next()
    outgoing.clear()
    assert cleared == ["cleared"]
    fade = await outgoing.next()
    assert isinstance(fade, np.ndarray)
    assert np.all(fade[FADE_SAMPLES:] == 0)
    assert np.all(np.diff(fade[:FADE_SAMPLES]) <= 0)
    assert outgoing.playout.is_silent


async def test_whoever_waits_is_woken_by_sound_by_an_event_and_for_nothing() -> None:
    def write(outgoing: Outgoing) -> None:
        outgoing.write(np.zeros(FRAME, np.float32))

    async def tell(outgoing: Outgoing) -> None:
        await outgoing.tell({"type": "event"})

    for wake in (write, tell, Outgoing.wake):
        outgoing, _ = made()
        waiting = asyncio.ensure_future(outgoing.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        if (told := wake(outgoing)) is not None:
            await told
        async with asyncio.timeout(5):
            await waiting


async def test_a_page_that_takes_no_events_makes_the_conversation_wait() -> None:
    outgoing, _ = made()
    for number in range(MAX_EVENTS):
        await outgoing.tell({"number": number})
    waiting = asyncio.ensure_future(outgoing.tell({"number": MAX_EVENTS}))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await outgoing.next() == {"number": 0}
    async with asyncio.timeout(5):
        await waiting
