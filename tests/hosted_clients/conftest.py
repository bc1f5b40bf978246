"""Fixtures for the tests with other people's clients and servers: they run in an environment of their own, `make
test-hosted-clients`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from inference_stand_in import InferenceStandIn

collect_ignore_glob = [] if importlib.util.find_spec("xinference_client") else ["test_*.py"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[InferenceStandIn]:
    """A stand-in of Hugging Face's servers that the server under test calls instead of the open internet."""
    with InferenceStandIn() as hub:
        monkeypatch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        yield hub
