"""A Ray cluster of several nodes on this machine, for tests: started, deployed to, and robbed of its replicas."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve
from ray.cluster_utils import Cluster
from ray.serve.handle import DeploymentHandle

from sleeping_engine import SleepingEngine
from vivavoce.adapters.ray_serve.application import application
from vivavoce.adapters.ray_serve.ray_calls import MOUTH
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechEngine

APP = "vivavoce"
STEP_S = 0.03  # the same in every test: other settings would start every replica anew
TESTS = Path(__file__).parent


def sleeping_engines() -> list[SpeechEngine]:
    """The engine of a replica, made in the replica."""
    return [SleepingEngine(STEP_S)]


class RayCluster:
    """A cluster that runs.

    Attributes:
        port: of the only proxy.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    @contextmanager
    def started(cls, nodes: int) -> Iterator[RayCluster]:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), *sys.path])
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "include_dashboard": False})
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=4)
        ray.init(address=cluster.address, logging_level=logging.WARNING, log_to_driver=False)
        port = free_port()
        serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
        try:
            yield cls(port)
        finally:
            serve.shutdown()
            ray.shutdown()
            cluster.shutdown()

    def deploy(self, mouths: int, *, doors: int = 1, **settings: Any) -> None:
        """Have so many replicas; those that are there stay where only their number changes."""
        given = {"admission_share": 0.0, "mouth_cores": 1, "mouth_listeners": 40, "log_level": "warning", **settings}
        config = Config(mouths=mouths, doors=doors, allowed_hosts=("*",), **given)
        serve.run(application(config, sleeping_engines, mouth_cpus=0), name=APP)
        wait_until(lambda: len(self.replicas(MOUTH)) == mouths and len(self.replicas("Door")) == doors)
        wait_until(lambda: httpx.get(f"{self.url}/readyz").status_code == 200)

    def mouths(self) -> DeploymentHandle:
        return serve.get_deployment_handle(MOUTH, APP)

    def replicas(self, name: str) -> list[str]:
        """Names of the actors that are replicas of a deployment."""
        actors = ray.util.list_named_actors(all_namespaces=True)
        return sorted(each["name"] for each in actors if f"::{APP}#{name}#" in each["name"])

    def kill(self, replica: str) -> None:
        """At once, as a machine would be lost."""
        ray.kill(ray.get_actor(replica, namespace="serve"), no_restart=True)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Block until something becomes true; AssertionError where it never does."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "the condition never came true"
        time.sleep(0.02)
