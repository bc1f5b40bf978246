"""Where settings come from: the only reader of environment, TOML and flags.

Later wins: default, file, environment, flag. What nobody would notice is an error: a name that is no setting, and keys
that were asked for and are none. What they are is `config.py`'s matter. Called by the command line.
"""

from __future__ import annotations

import os
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vivavoce.config import FIELDS, SECTIONS, Config, unknown_setting
from vivavoce.errors import ConfigError

ENV_PREFIX = "VIVAVOCE_"
KEYS = ("api_keys", "api_keys_file")  # without one of these everybody may call
NOT_SETTINGS = ("VIVAVOCE_URL", "VIVAVOCE_TEST_CACHE", "VIVAVOCE_CHROMIUM")  # of the examples' clients and the tests
_OF_KUBERNETES = re.compile(r"VIVAVOCE_(.*_)?(SERVICE_(HOST|PORT).*|PORT_\d+_.*)")  # told to pods beside a Service

_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


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
        ConfigError: If a file cannot be read, a name is unknown or a value has the wrong type or cannot work.
    """
    values: dict[str, Any] = {}
    values.update(_from_file(file))
    values.update(_from_environment(os.environ if environment is None else environment))
    values.update({key: value for key, value in (flags or {}).items() if value is not None})
    return Config(**values)


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


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    names = {ENV_PREFIX + key.upper(): key for key in FIELDS}
    for name, text in environment.items():
        if not _is_ours(name) or name in NOT_SETTINGS or _OF_KUBERNETES.fullmatch(name):
            continue
        if name not in names:
            raise ConfigError(unknown_setting(name, names, " in the environment"))
        key = names[name]
        if text != "":
            values[key] = parse(key, text, source=name)
        _check_wish(key, values.get(key), name)
    return values


def _is_ours(name: str) -> bool:
    """Whether a variable was meant for this server: by its prefix, or because it speaks of keys under a like one."""
    letters = "".join(filter(str.isalpha, name.upper()))
    return name.upper().startswith(ENV_PREFIX) or (letters.startswith(ENV_PREFIX[:-1]) and "KEY" in letters)


def _check_wish(key: str, value: Any, source: str) -> None:
    """Refuse keys that were asked for and are none: the server would open to everybody."""
    if key in KEYS and not value:
        raise ConfigError(f"{source} is set and holds no API key; unset it, or give one")


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
            raise ConfigError(unknown_setting(name, FIELDS, f" in {path}"))
        if name in KEYS and not (isinstance(value, str) or _is_list_of_texts(value)):
            raise ConfigError(f"{path}: {name} is no text and no list of texts")
        text = _as_text(value)
        if name not in KEYS or text.strip():
            values[name] = parse(name, text, source=f"{path}: {name}")
        _check_wish(name, values.get(name), f"{path}: {name}")
    return values


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _as_text(value: object) -> str:
    """A TOML value as the environment would have it."""
    if isinstance(value, dict):
        value = [f"{key}={each}" for key, each in value.items()]
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


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
            return _SWITCH[text.lower()]
        if typing.get_origin(kind) is typing.Literal:
            if text not in typing.get_args(kind):
                raise ValueError
            return text
        return kind(text) if kind is not Path else Path(text).expanduser()
    except (ValueError, KeyError):
        wanted = " or ".join(typing.get_args(kind)) if typing.get_origin(kind) else kind.__name__
        raise ConfigError(f"{source}: '{text}' is not {wanted}") from None


_HINTS = {name: hint for kind in SECTIONS.values() for name, hint in typing.get_type_hints(kind).items()}
