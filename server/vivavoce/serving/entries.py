"""What it takes to enter a route, written beside the route itself, HTTP and WebSocket alike; the gate asks here.

    @router.get("/livez")
    @entered_with(Entry.NOTHING)
    async def livez() -> ...

A route that says nothing wants a key, and so does a path without a route. Called by the routes and by `gate.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, TypeVar

from starlette.routing import BaseRoute, Match, WebSocketRoute
from starlette.types import Scope

from vivavoce.serving.addresses import DEPLOYMENT, named_deployment, ways

_Endpoint = TypeVar("_Endpoint")


class Entry(Enum):
    """What a route asks of its caller."""

    KEY = "an API key; what stands for one opens connections and nothing else"
    LIVE = "an API key, or a token for one live connection, which is used up"
    REALTIME = "an API key, a token, which is used up, or a client secret, which is good until it expires"
    ON_THE_WAY = "an API key, or anything that opens a connection; it stays good"
    NOTHING = "nothing: pages, documents and probes"


def entered_with(entry: Entry) -> Callable[[_Endpoint], _Endpoint]:
    """Mark an endpoint, or a mounted application."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _MARK, entry)
        return endpoint

    return mark


class Entries:
    """The routes of an application, asked for what they want.

    Args:
        routes: of the application; those of included routers are found.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes = tuple(_flat(routes))

    def placed(self, scope: Scope) -> Scope:
        """The request where its route is (`addresses.py`). A route that fits wholly comes before one that wants another
        method.
        """
        method = "GET" if scope.get("method") == "HEAD" else scope.get("method")
        for match in (Match.FULL, Match.PARTIAL):
            for path in ways(scope["path"]):
                there = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogatepass")}
                if self._knows({**there, "method": method}, match):
                    return scope if path == scope["path"] else _told(there, scope)
        return scope

    def _knows(self, scope: Scope, match: Match) -> bool:
        return any(route.matches(scope)[0] is match for route in self._routes)

    def has_websocket(self, scope: Scope) -> bool:
        """Whether a WebSocket may be opened on this path."""
        return any(
            isinstance(route, WebSocketRoute) and route.matches(scope)[0] is Match.FULL for route in self._routes
        )

    def of(self, scope: Scope) -> Entry:
        """What the route of this request asks for; the first that fits decides, as in the application itself."""
        partial: BaseRoute | None = None
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return _entry(route)
            if match is Match.PARTIAL and partial is None:  # the path fits, the method does not
                partial = route
        return Entry.KEY if partial is None else _entry(partial)


_MARK = "_vivavoce_entry"


def _told(there: Scope, written: Scope) -> Scope:
    """The request where its route is, with the model that its address named."""
    if (name := named_deployment(written["path"], written.get("query_string", b""))) is not None:
        there["state"] = {**written.get("state", {}), DEPLOYMENT: name}
    return there


def _entry(route: BaseRoute) -> Entry:
    target: Any = getattr(route, "endpoint", None) or getattr(route, "app", None)
    entry: Entry = getattr(target, _MARK, Entry.KEY)
    return entry


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, those of FastAPI's included routers among them."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield route
        else:
            yield from _flat(router.routes)
