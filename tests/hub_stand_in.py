"""A Hugging Face hub in miniature, on localhost: one model repository, enough of the API to list and download it.

    with HubStandIn({"GenieData/a.bin": b"..."}) as hub:
        os.environ["HF_ENDPOINT"] = hub.endpoint

It answers as the hub does: the tree with git and LFS checksums, `resolve` with ETag, X-Repo-Commit and byte ranges,
large files behind a redirect to another path, errors with X-Error-Code. It can also misbehave: close the connection
after so many bytes, or send other bytes than it lists. What it was asked is kept in `requests`.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

REPOSITORY = "High-Logic/Genie"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LFS_BYTES = 100_000  # files of this size and above are kept as LFS objects, with a sha256
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: method, path without query, the bytes of the Range header's start, the token."""

    method: str
    path: str
    start: int
    token: str | None


@dataclass(slots=True)
class Faults:
    """How it misbehaves; each fault is used up once.

    Attributes:
        cuts: for the next downloads: close the connection after this many bytes of the body.
        corrupt: path -> how many times its bytes are sent wrong.
        ignore_range: answer 200 with the whole file to a request for a part.
        status: path -> statuses to answer with before it works.
    """

    cuts: list[int] = field(default_factory=list)
    corrupt: dict[str, int] = field(default_factory=dict)
    ignore_range: bool = False
    status: dict[str, list[int]] = field(default_factory=dict)


class HubStandIn:
    """The server; a context manager. `files`: path in the repository -> its bytes, or the file that holds them."""

    def __init__(self, files: Mapping[str, bytes | Path], *, token: str | None = None) -> None:
        self.files = dict(files)
        self.token = token
        self.faults = Faults()
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._sha256: dict[str, str] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def downloads(self, path: str | None = None) -> list[Request]:
        """The requests for contents (of one file), redirects not counted twice."""
        return [
            r
            for r in self.requests
            if r.method == "GET" and r.path.startswith("/cdn/") and (path is None or r.path == f"/cdn/{path}")
        ]

    def __enter__(self) -> HubStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def size(self, path: str) -> int:
        content = self.files[path]
        return len(content) if isinstance(content, bytes) else content.stat().st_size

    def blocks(self, path: str, start: int = 0) -> Iterator[bytes]:
        content = self.files[path]
        if isinstance(content, bytes):
            yield from (content[at : at + BLOCK] for at in range(start, len(content), BLOCK))
            return
        with content.open("rb") as file:
            file.seek(start)
            while block := file.read(BLOCK):
                yield block

    def entry(self, path: str) -> dict[str, object]:
        """The file as the tree lists it."""
        size = self.size(path)
        if size < LFS_BYTES:
            blob = hashlib.sha1(b"blob %d\0" % size + b"".join(self.blocks(path))).hexdigest()
            return {"type": "file", "path": path, "size": size, "oid": blob}
        lfs = {"oid": self.sha256(path), "size": size, "pointerSize": 134}
        return {"type": "file", "path": path, "size": size, "oid": "f" * 40, "lfs": lfs}

    def sha256(self, path: str) -> str:
        if path not in self._sha256:
            digest = hashlib.sha256()
            for block in self.blocks(path):
                digest.update(block)
            self._sha256[path] = digest.hexdigest()
        return self._sha256[path]


def _handler(hub: HubStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        self.hub.requests.append(Request(self.command, path, start, token))
        if self.hub.token is not None and token != self.hub.token and not path.startswith("/cdn/"):
            self._error(401, "GatedRepo")
        elif found := re.fullmatch(rf"/api/models/{REPOSITORY}/revision/([^/]+)", path):
            self._for_revision(found[1], partial(self._json, {"id": REPOSITORY, "sha": COMMIT}))
        elif found := re.fullmatch(rf"/api/models/{REPOSITORY}/tree/([^/]+)/?(.*)", path):
            self._for_revision(found[1], partial(self._tree, found[2]))
        elif found := re.fullmatch(rf"/{REPOSITORY}/resolve/([^/]+)/(.+)", path):
            self._for_revision(found[1], partial(self._resolve, found[2]))
        elif path.startswith("/cdn/") and path.removeprefix("/cdn/") in self.hub.files:
            self._content(path.removeprefix("/cdn/"), start, body=body)
        else:
            self._error(404, "RepoNotFound")

    def _for_revision(self, revision: str, answer: Callable[[], None]) -> None:
        if revision in (COMMIT, "main"):
            answer()
        else:
            self._error(404, "RevisionNotFound")

    def _tree(self, folder: str) -> None:
        entries = [self.hub.entry(path) for path in self.hub.files if not folder or path.startswith(f"{folder}/")]
        if entries:
            self._json(entries)
        else:
            self._error(404, "EntryNotFound")

    def _resolve(self, path: str) -> None:
        if path not in self.hub.files:
            self._error(404, "EntryNotFound")
            return
        self.send_response(302)
        self.send_header("Location", f"/cdn/{path}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(self.hub.size(path)))
        self.send_header("X-Linked-Etag", f'"{self.hub.sha256(path)}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _content(self, path: str, start: int, *, body: bool) -> None:
        if statuses := self.hub.faults.status.get(path):
            self._error(statuses.pop(0), None)
            return
        size = self.hub.size(path)
        if start >= size > 0:
            self._error(416, None)
            return
        if self.hub.faults.ignore_range:
            start = 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{self.hub.sha256(path)}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(size - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.end_headers()
        if body:
            self._send(path, start)

    def _send(self, path: str, start: int) -> None:
        out: BinaryIO = self.wfile  # type: ignore[assignment]
        left = self.hub.faults.cuts.pop(0) if self.hub.faults.cuts else None
        corrupt = self.hub.faults.corrupt.get(path, 0) > 0
        if corrupt:
            self.hub.faults.corrupt[path] -= 1
        for block in self.hub.blocks(path, start):
            if corrupt:
                block, corrupt = bytes([block[0] ^ 1]) + block[1:], False
            if left is not None and len(block) >= left:
                out.write(block[:left])
                self.close_connection = True
                return
            left = None if left is None else left - len(block)
            out.write(block)

    def _json(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code is not None:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
