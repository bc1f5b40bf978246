"""A Ray cluster of three nodes on this machine, and the application on it, with engines that sleep.

These tests run in an environment of their own, `make test-cluster`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ray_cluster import RayCluster

collect_ignore_glob = [] if importlib.util.find_spec("ray") else ["test_*.py"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[RayCluster]:  # needs Ray
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray_cluster import RayCluster
    from realtime_clients.chat_server import chat_server

    with chat_server() as chat, RayCluster.started(nodes=3, chat_url=chat.url, chat_model="tiny") as running:
        yield running
