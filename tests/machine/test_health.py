"""When a model counts as broken, and when it is tried again, on a clock of the test's own."""

from __future__ import annotations

from vivavoce.errors import EngineCrashed, EngineTimeout
from vivavoce.machine.health import LAST_AGAIN_S, SUSPECT_AFTER, Health


def test_failures_alone_break_nothing_but_are_looked_into() -> None:
    health = Health()
    for _ in range(SUSPECT_AFTER - 1):
        health.failed("a", 1.0)
    assert health.due(1.0) == []
    health.failed("a", 1.0)
    assert health.due(1.0) == ["a"]
    assert health.due(1.0) == [], "one trial at a time"
    assert health.problem("a") is None
    health.tried("a", None, 2.0)
    assert health.problem("a") is None


def test_only_failures_one_after_the_other_count() -> None:
    health = Health()
    for _ in range(10):
        health.failed("a", 1.0)
        health.worked("a")
    assert health.due(1.0) == []


def test_a_broken_one_is_tried_less_and_less_often_and_heals() -> None:
    health, now_s, pauses = Health(), 0.0, []
    health.suspect("a", now_s)
    for _ in range(9):
        assert health.due(now_s) == ["a"]
        health.tried("a", EngineCrashed("the engine failed"), now_s)
        assert health.problem("a") is not None
        began_s = now_s
        while now_s < began_s + 2 * LAST_AGAIN_S and not health.due(now_s):
            now_s += 0.5
        pauses.append(now_s - began_s)
        health.suspect("a", now_s)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, LAST_AGAIN_S)
    health.tried("a", None, now_s)
    assert health.problem("a") is None
    assert health.due(now_s + 1000) == []


def test_one_that_hangs_is_not_tried_soon() -> None:
    health = Health()
    health.tried("a", EngineTimeout("the engine did not answer"), 0.0)
    assert health.due(LAST_AGAIN_S - 1) == []
    assert health.due(LAST_AGAIN_S) == ["a"]
