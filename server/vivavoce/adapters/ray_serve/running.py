"""Ray, started or joined, with the application on it until somebody interrupts. Called by `vivavoce cluster`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import ray
from ray import serve
from ray.serve.schema import LoggingConfig

from vivavoce.adapters.ray_serve.application import application, cores_of
from vivavoce.config import Config, available_cores
from vivavoce.errors import ConfigError

APPLICATION = "vivavoce"

# Told the address when clients may come.
Greeting = Callable[[str], None]


def run_application(config: Config, *, address: str | None, started_with: Greeting) -> None:
    """Serve until SIGINT or SIGTERM; running utterances finish first.

    Args:
        address: of the Ray to join; None: one is started here, and stopped in the end.

    Raises:
        ConfigError: If the settings cannot work, or Ray cannot be reached.
    """
    built = application(config)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    # A Ray of our own has nothing but these replicas to place, and they share the machine, however few cores it has.
    here = (
        None if address else {"include_dashboard": False, "num_cpus": max(available_cores(), cores_of(config.cluster))}
    )
    try:
        ray.init(address=address, log_to_driver=False, **(here or {}))
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"Ray cannot be reached at {address}: {error}") from error
    host, port = config.server.host, config.server.port
    try:
        quiet = LoggingConfig(enable_access_log=False)
        serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port}, logging_config=quiet)
        serve.run(built, name=APPLICATION)
        started_with(f"http://{host}:{port}")
        _until_told()
        serve.delete(APPLICATION)
    finally:
        if address is None:
            serve.shutdown()
        ray.shutdown()


def _until_told() -> None:
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    told.wait()
