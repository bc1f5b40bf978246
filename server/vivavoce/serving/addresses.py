"""Addresses as clients write them, and the address of this server that each may have meant. Pure.

    //v1//audio/speech/                             slashes too many, or too few
    /audio/speech, /v1/v1/audio/speech              without the version, or with two
    /openai/v1/..., /api/v1/..., /api/...           the base address of a gateway, or of another server
    /openai/deployments/NAME/audio/speech           Azure's: NAME is the model
    /openai/realtime?deployment=NAME                Azure's, too

Every one of them is answered by the route that it means, with that route's limits and wishes for a key: nothing here
answers anything. Called by `entries.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import State

DEPLOYMENT: Final = "deployment"  # in the request's state: the model that the address names

_VERSION: Final = "/v1"
_SLASHES: Final = re.compile(r"/{2,}")
_BASE: Final = re.compile(r"/(?:openai/api|api/openai|openai|api)(?=/)")
_AZURE: Final = re.compile(r"/openai/deployments/([^/]{1,128})(?=/(?:audio|realtime)(?:/|\Z))")
_AZURE_QUERY: Final = re.compile(r"/openai/(?:v1/)?realtime/?\Z")


def ways(path: str) -> Iterator[str]:
    """A path as it is written, then as it may have been meant."""
    tidy = _SLASHES.sub("/", path)
    plain = tidy.rstrip("/") or "/"
    seen: set[str] = set()
    for way in ("/" + path.lstrip("/"), tidy, plain, *_without_base(plain)):
        once = way.removeprefix(_VERSION) if way.startswith(f"{_VERSION}{_VERSION}/") else _VERSION + way
        for each in (way, once):
            if each not in seen:
                seen.add(each)
                yield each


def named_deployment(path: str, query: bytes) -> str | None:
    """The model that Azure's clients name in the address; None where they name none."""
    tidy = _SLASHES.sub("/", path)
    if (found := _AZURE.match(tidy)) is not None:
        return found[1]
    if _AZURE_QUERY.fullmatch(tidy) is None or len(query) > 4096:
        return None
    return dict(parse_qsl(query.decode("latin-1"))).get(DEPLOYMENT, "")[:128] or None


def deployment_of(state: State) -> str | None:
    """The model that a request's address names, for the routes that take one."""
    name: str | None = getattr(state, DEPLOYMENT, None)
    return name


def _without_base(path: str) -> Iterator[str]:
    """The rest behind a gateway's base address."""
    if (found := _AZURE.match(path) or _BASE.match(path)) is not None:
        yield path[found.end() :]
