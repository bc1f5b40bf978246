"""Settings become a Ray Serve application: `vivavoce cluster` runs it, and so do Serve's own tools.

    serve run vivavoce.adapters.ray_serve.application:build mouths=4 mouths_max=16
    serve build vivavoce.adapters.ray_serve.application:app -o serve.yaml

Settings come from the environment (`VIVAVOCE_MOUTHS=4`) and from `vivavoce.toml`, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.serve import Application

from vivavoce import settings
from vivavoce.adapters.ray_serve.door import DoorReplica
from vivavoce.adapters.ray_serve.mouth_replica import EnginesMaker, MouthReplica
from vivavoce.adapters.ray_serve.ray_calls import MOUTH
from vivavoce.config import FIELDS, ClusterSettings, Config
from vivavoce.errors import ConfigError
from vivavoce.metrics import Metrics
from vivavoce.serving.access import Access

DOOR = "Door"
SPARE = 4  # calls beyond the listeners that a Mouth carries: lists, texts being looked at, what waits for its place
LOOK_AFTER_S = 2.0  # how soon a replica that has fallen ill is replaced


def build(arguments: Mapping[str, str]) -> Application:
    """For `serve run`: every argument is a setting, written as in the environment.

    Where Serve listens is not known here: it counts as beyond loopback, and needs keys, unless `host` says otherwise.

    Raises:
        ConfigError: If a setting is unknown or cannot work.
    """
    for name in arguments:
        if name not in FIELDS:
            raise ConfigError(f"unknown setting '{name}'; see docs/settings.md")
    flags = {name: settings.parse(name, text, source=name) for name, text in arguments.items()}
    return application(settings.load(flags={"host": "0.0.0.0", **flags}))


def application(config: Config, engines: EnginesMaker | None = None, *, mouth_cpus: float | None = None) -> Application:
    """Doors over Mouths. A server that would be open to everybody is refused here, not in its replicas.

    Args:
        engines: instead of the configured ones (tests).
        mouth_cpus: what Ray books for a Mouth, where that is not the cores it computes with (tests).
    """
    Access.from_settings(config.access, config.server.host, Metrics())
    cluster, drain_s = config.cluster, config.limits.drain_timeout_s
    config = config.changed(doors=1, mouths=1, mouths_max=0)  # a replica is not started anew where only these change
    mouth = serve.deployment(MouthReplica).options(
        name=MOUTH,
        max_ongoing_requests=2 * cluster.mouth_listeners + SPARE,
        max_queued_requests=4 * cluster.mouth_listeners,  # of each Door
        health_check_period_s=LOOK_AFTER_S,
        graceful_shutdown_timeout_s=drain_s,
        ray_actor_options={"num_cpus": cluster.mouth_cores if mouth_cpus is None else mouth_cpus},
        **_scaling(cluster),
    )
    door = serve.deployment(DoorReplica).options(
        name=DOOR,
        num_replicas=cluster.doors,
        max_ongoing_requests=config.live.max_sockets,
        health_check_period_s=LOOK_AFTER_S,
        graceful_shutdown_timeout_s=drain_s,
        ray_actor_options={"num_cpus": 0 if mouth_cpus is not None else 1},
    )
    built: Application = door.bind(config, mouth.bind(config, engines))
    return built


def _scaling(cluster: ClusterSettings) -> dict[str, Any]:
    """How many Mouths: a fixed number, or by the sentences on their way."""
    if cluster.most_mouths() == cluster.mouths:
        return {"num_replicas": cluster.mouths}
    return {
        "autoscaling_config": {
            "min_replicas": cluster.mouths,
            "max_replicas": cluster.most_mouths(),
            "target_ongoing_requests": max(1, round(0.7 * cluster.mouth_listeners)),  # there is room when it is asked
            "upscale_delay_s": 5,
            "downscale_delay_s": 120,
        }
    }


def __getattr__(name: str) -> Application:
    """`serve build` takes an application, not a function: it is built when it is asked for."""
    if name == "app":
        return build({})
    raise AttributeError(name)
