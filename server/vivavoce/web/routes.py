"""Serves the pages at `/` and `/assistant`, their files under `/page/`, the browser library, Swagger UI at `/docs`.

Files only, no templates. Nothing is loaded from elsewhere and nothing runs inline, and the headers hold the page to it.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from vivavoce.serving.entries import Entry, entered_with
from vivavoce.web import client_dir, page_dir, swagger_dir

# `connect-src` names the WebSocket schemes: not every browser counts them as 'self'.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors "
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # asked again each time, answered 304: an upgraded server never meets an old page
}

# Swagger UI writes styles into its elements, draws with data addresses and plays what it was answered; its scripts come
# from here all the same.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageFiles(StaticFiles):
    """A folder of files with the page's headers; JavaScript is what its name says on every machine."""

    def __init__(self, directory: Path, headers: Mapping[str, str]) -> None:
        super().__init__(directory=directory)
        self._headers = headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304 where the browser has it."""
        response = await super().get_response(path, scope)
        response.headers.update(self._headers)
        if path.endswith(".js"):
            response.headers["content-type"] = "text/javascript; charset=utf-8"
        return response


def mount_page(app: FastAPI, framed_by: Sequence[str] = ()) -> None:
    """Add the pages and the library to the application, after its other routes.

    Args:
        framed_by: origins whose pages may show this one in a frame, or `*`.
    """
    mimetypes.init()  # reads the system's table: now, not in the first request
    policy = _HEADERS["content-security-policy"]
    headers = _HEADERS | {"content-security-policy": policy + (" ".join(framed_by) or "'none'")}

    @app.get("/", include_in_schema=False)
    @entered_with(Entry.NOTHING)
    async def index() -> FileResponse:
        return FileResponse(page_dir() / "index.html", headers=headers)

    @app.get("/assistant", include_in_schema=False)
    @entered_with(Entry.NOTHING)
    async def assistant() -> FileResponse:
        return FileResponse(page_dir() / "assistant.html", headers=headers)

    @app.get("/favicon.ico", include_in_schema=False)
    @entered_with(Entry.NOTHING)
    async def favicon() -> FileResponse:
        return FileResponse(page_dir() / "favicon.svg", headers=headers, media_type="image/svg+xml")

    @app.get("/docs", include_in_schema=False)
    @entered_with(Entry.NOTHING)
    async def docs() -> FileResponse:
        return FileResponse(page_dir() / "docs.html", headers=headers | {"content-security-policy": _DOCS_POLICY})

    for name, folder in (("page", page_dir()), ("client", client_dir()), ("swagger", swagger_dir())):
        app.mount(f"/{name}", entered_with(Entry.NOTHING)(PageFiles(folder, headers)), name=name)
