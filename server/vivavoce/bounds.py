"""What a setting is: a field with a sentence, and what its value must be. Called by `config.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from vivavoce.errors import ConfigError

NOT_KEYS = ("vvt_", "ek_")  # tokens and client secrets: whatever begins so is looked for among those


def setting(
    default: Any,
    help: str,
    *,
    secret: bool = False,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Any:
    """A field with its sentence and the bounds of its number; lists default to an empty tuple."""
    bounds = {"above": above, "at_least": at_least, "at_most": at_most}
    return field(default=default, metadata={"help": help, "secret": secret, **bounds})


def check(name: str, value: Any, bounds: Mapping[str, Any]) -> None:
    """Refuse a number out of its bounds.

    Args:
        bounds: metadata of the field.

    Raises:
        ConfigError: With a sentence that names the setting.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be a finite number")  # NaN would slip through every comparison below
    above, low, high = bounds["above"], bounds["at_least"], bounds["at_most"]
    if above is not None and value <= above:
        raise ConfigError(f"{name} must be greater than {above:g}")
    if low is not None and high is not None and not low <= value <= high:
        raise ConfigError(f"{name} {value} is not between {low:g} and {high:g}")
    if low is not None and value < low:
        raise ConfigError(f"{name} must not be negative" if low == 0 else f"{name} must be at least {low:g}")
    if high is not None and value > high:
        raise ConfigError(f"{name} must be at most {high:g}")


def check_key(key: str) -> None:
    """Refuse an API key that guards badly, or that no client can show.

    Raises:
        ConfigError: With a sentence that does not show the key.
    """
    if len(key) < 16:
        raise ConfigError("an API key must have at least 16 characters")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError("an API key has letters, digits and marks of ASCII and no blank; commas separate keys")
    if key.startswith(NOT_KEYS):
        raise ConfigError(f"an API key may not begin with {' or '.join(NOT_KEYS)}: so begin what this server issues")
