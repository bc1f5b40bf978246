"""What the soak calls a fault: slopes and leftovers, not noise."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import soak  # type: ignore[import-not-found]

Reading: Any = soak.Reading
judge, slope_mib_an_hour = soak.judge, soak.slope_mib_an_hour


def readings(seconds: int, mib_an_hour: float, noise_mib: float = 0.0) -> list[Any]:
    random_ = random.Random(1)
    return [
        Reading(float(at), 400 + mib_an_hour * at / 3600 + random_.uniform(-noise_mib, noise_mib), 20, 12, 9)
        for at in range(seconds)
    ]


QUIET = Reading(0.0, 400.0, 20, 12, 9)


def test_a_leak_is_found_in_half_an_hour() -> None:
    assert judge(QUIET, QUIET, readings(1800, 6.0)) != []
    assert judge(QUIET, QUIET, readings(1800, 4.0)) == []
    assert judge(QUIET, QUIET, readings(1800, 0.0, noise_mib=15)) == []


def test_a_minute_finds_what_leaks_fast() -> None:
    assert judge(QUIET, QUIET, readings(60, 7200.0)) != []
    assert judge(QUIET, QUIET, readings(60, 1000.0)) == []


def test_the_slope_is_that_of_the_line() -> None:
    assert abs(slope_mib_an_hour(readings(600, 120.0)) - 120.0) < 0.01
    assert slope_mib_an_hour([]) == 0.0


def test_what_is_left_behind_is_named() -> None:
    faults = judge(QUIET, Reading(9.0, 400.0, 40, 50, 9), readings(60, 0.0))
    assert faults == ["20 descriptors are left behind", "38 threads are left behind"]
