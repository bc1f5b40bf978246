"""Where the listener is, by the clock and by its own word."""

from __future__ import annotations

import pytest

from vivavoce.transports.pacing import Pacer


def test_a_silent_listener_plays_in_real_time() -> None:
    pacer = Pacer()
    pacer.send(3.0, now=100.0)
    assert pacer.ahead_s(100.0) == 3.0
    assert pacer.position_s(101.0) == 1.0
    assert pacer.ahead_s(110.0) == 0.0
    assert pacer.position_s(110.0) == 3.0


def test_a_late_chunk_plays_when_it_comes() -> None:
    pacer = Pacer()
    pacer.send(1.0, now=0.0)
    pacer.send(1.0, now=5.0)
    assert pacer.position_s(5.5) == pytest.approx(1.5)


def test_the_listener_is_believed() -> None:
    pacer = Pacer()
    pacer.send(4.0, now=0.0)
    pacer.report(0.5, now=2.0)  # it began late
    assert pacer.ahead_s(2.0) == pytest.approx(3.5)
    assert pacer.position_s(3.0) == pytest.approx(1.5)
    pacer.report(99.0, now=3.0)  # more than there is: it has heard all of it
    assert pacer.ahead_s(3.0) == 0.0


def test_what_was_cancelled_is_not_ahead() -> None:
    pacer = Pacer()
    pacer.send(4.0, now=0.0)
    pacer.cancel(now=1.0)
    pacer.report(1.0, now=1.1)  # sent before it knew
    assert pacer.ahead_s(1.1) == 0.0
    pacer.send(2.0, now=2.0)
    assert pacer.ahead_s(2.0) == 2.0
