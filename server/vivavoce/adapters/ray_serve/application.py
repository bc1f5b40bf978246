"""Settings become a Ray Serve application: `vivavoce cluster` runs it, and so do Serve's own tools.

    serve run vivavoce.adapters.ray_serve.application:build mouths=4 mouths_max=16
    serve build vivavoce.adapters.ray_serve.application:app -o serve.yaml

Settings come from the environment (`VIVAVOCE_MOUTHS=4`) and from `vivavoce.toml`, as everywhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ray import serve
from ray.serve import Application
from ray.serve.schema import LoggingConfig

from vivavoce import __version__, settings
from vivavoce.adapters.ray_serve.door import DoorReplica
from vivavoce.adapters.ray_serve.ear_replica import EarReplica
from vivavoce.adapters.ray_serve.mouth_replica import MouthReplica
from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.adapters.ray_serve.ray_calls import DOOR, EAR, MOUTH
from vivavoce.config import FIELDS, ClusterSettings, Config
from vivavoce.errors import ConfigError
from vivavoce.metrics import Metrics
from vivavoce.recognition.hearing import SEGMENTS_OF_A_FILE
from vivavoce.serving.access import Access

AS_CONFIGURED = Parts()
DOOR_CORES = 1
SPARE = (
    4  # calls beyond those of the people that a replica serves: lists, texts being looked at, what waits for its place
)
LOOK_WHETHER_DONE_S = 0.5  # how soon a replica that is to go is seen to have nothing left to do
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


def application(config: Config, parts: Parts = AS_CONFIGURED, *, replica_cpus: float | None = None) -> Application:
    """Doors over Mouths and Ears. A server that would be open to everybody is refused here, not in its replicas.

    Args:
        parts: instead of the configured ones (tests).
        replica_cpus: what Ray books for each replica, where that is not the cores it computes with (tests).
    """
    Access.from_settings(config.access, config.server.host, Metrics())
    cluster, limits = config.cluster, config.limits
    listeners = cluster.mouth_listeners
    mouths = Copies(cluster.mouths, cluster.mouths_max, 2 * listeners, round(0.7 * listeners))
    # All calls of those who have a place there, which is one call, two while it is taken anew: what Serve held back
    # would wait without a deadline.
    heard = (2 + SEGMENTS_OF_A_FILE) * limits.max_streams
    ears = Copies(cluster.ears, cluster.ears_max, heard, round(0.7 * cluster.ear_listeners))
    # A replica is not started anew where only these change; and what computes needs no secrets.
    config = config.changed(doors=1, mouths=1, mouths_max=0, ears=min(1, cluster.ears), ears_max=0)
    bare = config.changed(api_keys=(), chat_key=None, hosted_tokens=(), ice_servers=())

    def deployed(kind: type, name: str, settings: Config, cores: float, **options: Any) -> serve.Deployment:
        deployment = serve.deployment(kind).options(
            name=name,
            health_check_period_s=LOOK_AFTER_S,
            graceful_shutdown_timeout_s=limits.drain_timeout_s,
            graceful_shutdown_wait_loop_s=LOOK_WHETHER_DONE_S,
            ray_actor_options={"num_cpus": cores if replica_cpus is None else replica_cpus},
            logging_config=LoggingConfig(enable_access_log=False),  # a line for every sentence, on its way
            **options,
        )
        return _kept(deployment, settings, parts)

    mouth = deployed(MouthReplica, MOUTH, bare, cluster.mouth_cores, **mouths.options())
    ear = deployed(EarReplica, EAR, bare, cluster.ear_cores, **ears.options())
    door = deployed(
        DoorReplica, DOOR, config, DOOR_CORES, num_replicas=cluster.doors, max_ongoing_requests=config.live.max_sockets
    )
    hears = ear.bind(bare, parts) if cluster.ears else None
    built: Application = door.bind(config, mouth.bind(bare, parts), hears, parts)
    return built


def _kept(deployment: serve.Deployment, config: Config, parts: Parts) -> serve.Deployment:
    """The same, whose replicas stay where nothing changes but their number.

    Serve gives a deployment that a program makes a new version each time, and starts every replica anew: the only Mouth
    would leave before another is there. What it takes a version from is no public option, and where it is none at all,
    that is what happens.
    """
    told = "\n".join([__version__, repr(config.values()), repr(parts)])
    with contextlib.suppress(TypeError, ValueError):
        kept: serve.Deployment = deployment.options(version=sha256(told.encode()).hexdigest(), _internal=True)
        return kept
    return deployment


def cores_of(cluster: ClusterSettings) -> float:
    """What Ray books for all replicas, at least."""
    return DOOR_CORES * cluster.doors + cluster.mouth_cores * cluster.mouths + cluster.ear_cores * cluster.ears


@dataclass(frozen=True, slots=True)
class Copies:
    """How many replicas, and what each takes on.

    Attributes:
        least, most: of them; fewer at most than at least means never more.
        calls: on their way to one of them.
        busy: calls on their way to each before there is one more; they end, so there is room when it is asked for.
    """

    least: int
    most: int
    calls: int
    busy: int

    def options(self) -> dict[str, Any]:
        """For Serve: a fixed number, or by the calls on their way."""
        bounds = {
            "max_ongoing_requests": self.calls + SPARE,
            "max_queued_requests": 2 * self.calls,  # of each Door
        }
        if self.most <= self.least:
            return {**bounds, "num_replicas": self.least}
        return {
            **bounds,
            "autoscaling_config": {
                "min_replicas": self.least,
                "max_replicas": self.most,
                "target_ongoing_requests": max(1, self.busy),
                "upscale_delay_s": 5,
                "downscale_delay_s": 120,
            },
        }


def __getattr__(name: str) -> Application:
    """`serve build` takes an application, not a function: it is built when it is asked for."""
    if name == "app":
        return build({})
    raise AttributeError(name)
