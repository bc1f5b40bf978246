"""Every setting of the server, as one frozen value; the only reader of environment, TOML and flags.

A setting is written once, as a field with its sentence: the flags of `vivavoce serve`, the `VIVAVOCE_*` variables, the
keys of the TOML file and `docs/settings.md` all come from it. Later wins: default, file, environment, flag.
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from vivavoce.errors import ConfigError

ENV_PREFIX = "VIVAVOCE_"


def setting(default: Any, help: str, *, secret: bool = False, group: str = "server") -> Any:
    """A field of the Config with its sentence; lists default to an empty tuple."""
    return field(default=default, metadata={"help": help, "secret": secret, "group": group})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. Names are the TOML keys; `VIVAVOCE_NAME` and `--name` say the same."""

    # -- where it listens
    host: str = setting("127.0.0.1", "Address to listen on; anything but loopback needs keys or --allow-anonymous.")
    port: int = setting(7860, "TCP port; 0 takes a free one.")
    allowed_hosts: tuple[str, ...] = setting(
        (), "Host headers answered besides loopback names and the listening address; `*` answers all.", group="access"
    )
    allowed_origins: tuple[str, ...] = setting(
        (), "Origins of web pages that may call, besides the server's own; `*` allows all.", group="access"
    )
    cors: bool = setting(False, "Send CORS headers to the allowed origins.", group="access")
    api_keys: tuple[str, ...] = setting((), "API keys, at least 16 characters each.", secret=True, group="access")
    api_keys_file: Path | None = setting(
        None, "File with one SHA-256 hex digest of an API key a line (`printf %s KEY | sha256sum`).", group="access"
    )
    allow_anonymous: bool = setting(False, "Serve beyond loopback without any key.", group="access")

    # -- voices
    voices: tuple[Path, ...] = setting(
        (), "Folders with voice packs, besides ./voices and the data folder.", group="voices"
    )
    voice: str | None = setting(
        None, "Voice that answers where none is named; default: the first available.", group="voices"
    )
    engines: tuple[str, ...] = setting(("genie", "embedded"), "Speech engines, in order of preference.", group="voices")
    preload: bool = setting(True, "Load the voices of ./voices and the default voice at start.", group="voices")
    voice_memory_mib: int = setting(6144, "Memory for loaded voices; idle ones leave when it is full.", group="voices")
    data_dir: Path = setting(
        Path(platformdirs.user_data_dir("vivavoce")), "Folder of downloaded voices and of GenieData.", group="voices"
    )
    cache_dir: Path = setting(
        Path(platformdirs.user_cache_dir("vivavoce")), "Folder of compiled voices; safe to delete.", group="voices"
    )
    genie_positions: typing.Literal["trained", "genie"] = setting(
        "trained", "Count positions from 0 as the models were trained, or from 1 as Genie's graphs do.", group="voices"
    )
    genie_weights: typing.Literal["fp32", "int8"] = setting(
        "fp32",
        "Precision of the semantic decoder's weights; int8 takes less memory and is slightly less exact.",
        group="voices",
    )
    genie_threads: int = setting(0, "Threads of one Genie step; 0: all cores.", group="voices")

    # -- limits
    max_text: int = setting(4096, "Characters of one request.", group="limits")
    max_buffered_text: int = setting(8000, "Characters a live session may have waiting to be spoken.", group="limits")
    max_body_kib: int = setting(64, "Size of a JSON body.", group="limits")
    max_upload_mib: int = setting(25, "Size of an uploaded clip.", group="limits")
    max_streams: int = setting(64, "Utterances at once, however fast the machine.", group="limits")
    max_streams_per_key: int = setting(32, "Utterances at once of one API key.", group="limits")
    max_sockets: int = setting(2000, "Open live connections; idle ones cost next to nothing.", group="limits")
    idle_timeout_s: float = setting(
        120.0, "A live connection without a message is closed after this long.", group="limits"
    )
    stall_timeout_s: float = setting(30.0, "A client that stops reading is dropped after this long.", group="limits")
    body_timeout_s: float = setting(60.0, "A request body must have arrived after this long.", group="limits")
    drain_timeout_s: float = setting(
        30.0, "At shutdown, running utterances may take this long to finish.", group="limits"
    )

    # -- speed
    workers: int = setting(0, "Threads that compute speech; 0: one a core.", group="speed")
    first_audio_target_s: float = setting(
        0.3, "First sound of a request is scheduled for this long after it.", group="speed"
    )
    queue_wait_s: float = setting(
        1.0, "A request waits this long for room before it is refused with 503.", group="speed"
    )
    ahead_s: float = setting(5.0, "Seconds of audio computed ahead of what the client has read.", group="speed")
    step_timeout_s: float = setting(10.0, "An engine step that takes longer is given up.", group="speed")
    admission_share: float = setting(
        0.85,
        "Share of the cores that admitted streams may need at first; it adapts. 0 admits without measuring.",
        group="speed",
    )

    # -- WebRTC
    ice_servers: tuple[str, ...] = setting(
        (),
        "STUN and TURN addresses, e.g. stun:stun.example.org or turn:user:secret@turn.example.org.",
        group="webrtc",
        secret=True,
    )
    ice_private: bool = setting(
        False, "Accept private client addresses in offers also when listening beyond loopback.", group="webrtc"
    )
    max_calls: int = setting(20, "WebRTC calls at once, pending offers included.", group="webrtc")
    fastrtc: bool = setting(False, "FastRTC's routes under /fastrtc; needs `vivavoce[fastrtc]`.", group="webrtc")

    # -- logs
    log_level: typing.Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least severe line logged.", group="logs"
    )
    log_format: typing.Literal["auto", "json", "text"] = setting(
        "auto", "json: one object a line; auto: text on a terminal, json elsewhere.", group="logs"
    )

    def voice_dirs(self) -> tuple[Path, ...]:
        """Folders searched for voice packs: ./voices, the configured ones, the data folder's."""
        return (Path("voices"), *self.voices, self.data_dir / "voices")

    def worker_count(self) -> int:
        """Threads that compute speech."""
        return self.workers or available_cores()


def available_cores(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores this process may use: of its affinity, and of its container's quota where there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no such limit
        return cores


def load(
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """The Config of defaults, file, environment and flags; later wins.

    Args:
        file: TOML; None: `vivavoce.toml` in the working folder, if there.
        environment: variables; None: the process's own.
        flags: name -> value of the command line's flags; None values are not set.

    Raises:
        ConfigError: If a file cannot be read, a name is unknown or a value has the wrong type.
    """
    values: dict[str, Any] = {}
    values.update(_from_file(file))
    for name, text in (os.environ if environment is None else environment).items():
        key = name.removeprefix(ENV_PREFIX).lower()
        if name.startswith(ENV_PREFIX) and key in FIELDS and text != "":
            values[key] = parse(key, text, source=name)
    values.update({key: value for key, value in (flags or {}).items() if value is not None})
    config = Config(**values)
    _check(config)
    return config


def parse(name: str, text: str, *, source: str) -> Any:
    """A setting's value from text; lists are separated by commas (folders by the system's path separator too).

    Raises:
        ConfigError: If it does not read as the setting's type.
    """
    kind, is_list = _kind(name)
    if is_list:
        parts = text.replace(os.pathsep, ",") if kind is Path else text
        return tuple(_scalar(kind, part.strip(), source) for part in parts.split(",") if part.strip())
    return _scalar(kind, text.strip(), source)


def choices(name: str) -> tuple[str, ...] | None:
    """The words a setting may be, or None where it is free."""
    kind, _ = _kind(name)
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Literal else None


def is_flag(name: str) -> bool:
    """True for settings that are on or off."""
    return _kind(name)[0] is bool


def _from_file(file: Path | None) -> dict[str, Any]:
    path = file or Path("vivavoce.toml")
    if file is None and not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in FIELDS:
            raise ConfigError(f"unknown setting '{name}' in {path}; see docs/settings.md")
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        values[name] = parse(name, text, source=f"{path}: {name}")
    return values


def _kind(name: str) -> tuple[Any, bool]:
    """(type of one value, whether the setting is a list of them)."""
    kind = _HINTS[name]
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    return kind, False


def _scalar(kind: Any, text: str, source: str) -> Any:
    try:
        if kind is bool:
            return {
                "1": True,
                "true": True,
                "yes": True,
                "on": True,
                "0": False,
                "false": False,
                "no": False,
                "off": False,
            }[text.lower()]
        if typing.get_origin(kind) is typing.Literal:
            if text not in typing.get_args(kind):
                raise ValueError
            return text
        return kind(text) if kind is not Path else Path(text).expanduser()
    except (ValueError, KeyError):
        wanted = " or ".join(typing.get_args(kind)) if typing.get_origin(kind) else kind.__name__
        raise ConfigError(f"{source}: '{text}' is not {wanted}") from None


def _check(config: Config) -> None:
    """Refuse values that cannot work.

    Raises:
        ConfigError: If one is out of range.
    """
    if not 0 <= config.port <= 65535:
        raise ConfigError(f"port {config.port} is not between 0 and 65535")
    for name, value in dataclasses.asdict(config).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{name} must be a finite number")  # NaN would slip through every comparison below
    for name in (
        "max_text",
        "max_buffered_text",
        "max_body_kib",
        "max_upload_mib",
        "max_streams",
        "max_streams_per_key",
        "voice_memory_mib",
        "ahead_s",
        "step_timeout_s",
        "stall_timeout_s",
        "idle_timeout_s",
        "body_timeout_s",
    ):
        if getattr(config, name) <= 0:
            raise ConfigError(f"{name} must be greater than 0")
    for name in (
        "workers",
        "queue_wait_s",
        "first_audio_target_s",
        "admission_share",
        "genie_threads",
        "drain_timeout_s",
        "max_sockets",
        "max_calls",
    ):
        if getattr(config, name) < 0:
            raise ConfigError(f"{name} must not be negative")
    if any(len(key) < 16 for key in config.api_keys):
        raise ConfigError("an API key must have at least 16 characters")


FIELDS: dict[str, dataclasses.Field[Any]] = {f.name: f for f in dataclasses.fields(Config)}
_HINTS = typing.get_type_hints(Config)
