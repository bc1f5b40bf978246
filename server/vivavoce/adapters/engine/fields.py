"""What a service takes and gives, as an engine shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One input or output, and the media types it may be of."""

    name: str
    type: tuple[str, ...]
