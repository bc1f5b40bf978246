"""JSON from strangers: an object, not nested too deep, not with too many keys, without NaN.

Every protocol reads its messages with it. The length of the text was looked at before.
"""

from __future__ import annotations

import json
from typing import Final

from vivavoce.errors import ProtocolError

_MOST_MARKS: Final = 20_000  # brackets and colons: what takes milliseconds to read is refused unread


def load_object(data: str, *, max_depth: int = 20, max_keys: int = 200, noun: str = "message") -> dict[str, object]:
    """JSON text to an object.

    Args:
        max_depth: objects and arrays inside one another.
        max_keys: in all objects together.
        noun: what is refused.

    Raises:
        ProtocolError: `invalid_json`; what was sent is never repeated.
    """
    if sum(map(data.count, "[{:")) > _MOST_MARKS:
        raise _invalid(f"the {noun} has too many parts")
    try:
        value: object = json.loads(data.removeprefix("\ufeff"), parse_constant=_no_constant)  # of Windows' files
    except (ValueError, RecursionError):
        raise _invalid(f"the {noun} is not valid JSON") from None
    if not isinstance(value, dict):
        raise _invalid(f"the {noun} must be a JSON object")
    _check_size(value, max_depth, max_keys, noun)
    return value


def _no_constant(name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")


def _check_size(value: dict[str, object], max_depth: int, max_keys: int, noun: str) -> None:
    level: list[object] = [value]
    keys = 0
    for _ in range(max_depth):
        keys += sum(len(each) for each in level if isinstance(each, dict))
        if keys > max_keys:
            raise _invalid(f"the {noun} has more than {max_keys} keys")
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise _invalid(f"the {noun} is nested deeper than {max_depth} levels")


def _inside(value: object) -> list[object]:
    """The objects and arrays directly inside a value."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _invalid(message: str) -> ProtocolError:
    return ProtocolError(message, code="invalid_json")
