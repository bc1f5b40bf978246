"""A Ray cluster of several nodes on this machine, for tests: started, deployed to, and robbed of its replicas."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve
from ray.cluster_utils import Cluster
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig

from loudness import Loudness
from sleeping_engine import SleepingEngine
from sleeping_recognizer import SleepingRecognizer
from vivavoce.adapters.ray_serve.application import application
from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.adapters.ray_serve.ray_calls import DOOR, EAR, MOUTH
from vivavoce.config import Config
from vivavoce.engines.recognizer import Recognizer
from vivavoce.engines.speech import SpeechEngine

APP = "vivavoce"
STEP_S = 0.03  # the same in every test: other settings would start every replica anew
TESTS = Path(__file__).parent


def sleeping_engines() -> list[SpeechEngine]:
    """The engine of a replica, made in the replica."""
    return [SleepingEngine(STEP_S)]


def sleeping_recognizers() -> list[Recognizer]:
    """Likewise, for words."""
    return [SleepingRecognizer()]


SLEEPING = Parts(sleeping_engines, sleeping_recognizers, Loudness)

ENVIRONMENT = {
    # One proxy serves all nodes here, and else it would send clients to the Doors of its own node only.
    "RAY_SERVE_PROXY_PREFER_LOCAL_NODE_ROUTING": "0",
    # A machine that is short of memory is slow; Ray would end replicas at random, as on a machine of its own.
    "RAY_memory_monitor_refresh_ms": "0",
    # Seconds until a node must have started: a busy machine takes its time.
    "RAY_gcs_server_port_wait_time_s": "120",
}


@contextmanager
def _nodes(count: int) -> Iterator[Cluster]:
    """Nodes of Ray. Some of its waits for its own processes cannot be made longer: it is tried twice.

    All replicas are placed anywhere, for they book no cores: a node with one core holds fewer idle workers ready.
    """
    # The default ports of the first node's agent would be those of another Ray on this machine.
    first = {"num_cpus": 1, "include_dashboard": False, "dashboard_agent_listen_port": None}
    for last in (False, True):
        cluster = Cluster()
        try:
            cluster.add_node(**first)
            for _ in range(count - 1):
                cluster.add_node(wait=False, num_cpus=1)
            cluster.wait_for_nodes(timeout=120)
            break
        except Exception:
            cluster.shutdown()
            if last:
                raise
    try:
        yield cluster
    finally:
        cluster.shutdown()


class RayCluster:
    """A cluster that runs.

    Attributes:
        port: of the only proxy.
    """

    def __init__(self, port: int, settings: dict[str, Any]) -> None:
        self.port = port
        self._settings = settings
        self._deployed: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    @contextmanager
    def started(cls, nodes: int, **settings: Any) -> Iterator[RayCluster]:
        """A cluster until the block ends. Nothing of it outlives this process, however it ends.

        Args:
            settings: of every deployment.
        """
        with ExitStack() as stack:
            folder = tempfile.mkdtemp(prefix="vv-", dir="/tmp")  # sockets lie in it: their paths have little room
            mark = f"CLUSTER_UNDER_TEST={folder}"
            reaper = [sys.executable, str(TESTS / "ray_reaper.py"), folder, mark]
            left = subprocess.Popen(reaper, stdin=subprocess.PIPE, start_new_session=True)
            stack.callback(left.wait)
            stack.callback(lambda: left.stdin and left.stdin.close())
            os.environ.update(ENVIRONMENT)
            os.environ["CLUSTER_UNDER_TEST"] = folder
            os.environ["RAY_TMPDIR"] = folder
            os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), *sys.path])
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of a hundred processes compiles all modules
            cluster = stack.enter_context(_nodes(nodes))
            ray.init(address=cluster.address, logging_level=logging.WARNING, log_to_driver=False)
            stack.callback(ray.shutdown)
            port = free_port()
            quiet = LoggingConfig(enable_access_log=False)
            http = {"host": "127.0.0.1", "port": port}
            serve.start(proxy_location="HeadOnly", http_options=http, logging_config=quiet)
            stack.callback(serve.shutdown)
            yield cls(port, settings)

    def deploy(
        self, mouths: int = 1, *, doors: int = 1, ears: int = 1, parts: Parts = SLEEPING, **settings: Any
    ) -> None:
        """Have so many replicas; those that are there stay where only their number changes."""
        given = {
            "admission_share": 0.0,
            "mouth_cores": 1,
            "ear_cores": 1,
            "mouth_listeners": 40,
            "ear_listeners": 40,
            "log_level": "warning",
            **self._settings,
            **settings,
        }
        wanted = {MOUTH: mouths, DOOR: doors, EAR: ears}
        if self._deployed != {**given, **wanted, "parts": parts}:
            config = Config(mouths=mouths, doors=doors, ears=ears, allowed_hosts=("*",), **given)
            serve.run(application(config, parts, replica_cpus=0), name=APP)
            self._deployed = {**given, **wanted, "parts": parts}
        wait_until(lambda: all(self.has(name, count) for name, count in wanted.items()))
        wait_until(lambda: httpx.get(f"{self.url}/readyz").status_code == 200)

    def handle(self, name: str) -> DeploymentHandle:
        return serve.get_deployment_handle(name, APP)

    def has(self, name: str, count: int) -> bool:
        """So many replicas of a deployment take calls, and none comes, goes or is lost."""
        states = serve.status().applications[APP].deployments[name].replica_states
        return dict(states) == {"RUNNING": count} and len(self.replicas(name)) == count

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


def wait_until(condition: Callable[[], bool], timeout_s: float = 180.0) -> None:
    """Block until something becomes true; AssertionError where it never does."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "the condition never came true"
        time.sleep(0.1)  # each look is work for the controller, which starts replicas
