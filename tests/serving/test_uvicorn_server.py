"""How the process is set up to serve."""

from __future__ import annotations

import sys

import pytest

from fake_engine import FakeEngine
from live_server import live_server


@pytest.fixture
def pythons_own_switching() -> None:
    sys.setswitchinterval(0.005)


@pytest.mark.usefixtures("pythons_own_switching")
def test_threads_hand_the_interpreter_on_soon() -> None:
    with live_server([FakeEngine()]):
        assert sys.getswitchinterval() <= 0.001
