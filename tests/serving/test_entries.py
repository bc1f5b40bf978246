"""What a route asks of its caller is written beside it; the gate finds it, and knows nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.serving.entries import Entries, Entry, entered_with

KEY = "a-key-of-enough-characters"


def scope(path: str, method: str = "GET") -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "root_path": "", "headers": []}


@pytest.fixture(scope="module")
def entries() -> Entries:
    app, router = FastAPI(), APIRouter()

    @router.get("/open")
    @entered_with(Entry.NOTHING)
    async def open_() -> None: ...

    @router.get("/way")
    @entered_with(Entry.ON_THE_WAY)
    async def way() -> None: ...

    @router.get("/{name}")
    async def shut(name: str) -> None: ...

    app.include_router(router)
    app.mount("/files", entered_with(Entry.NOTHING)(PlainTextResponse("")))
    return Entries(app.routes)


@pytest.mark.parametrize(
    ("path", "method", "entry"),
    [
        ("/open", "GET", Entry.NOTHING),
        ("/open", "POST", Entry.NOTHING),  # 405: the route is known
        ("/opened", "GET", Entry.KEY),
        ("/way", "GET", Entry.ON_THE_WAY),
        ("/files/a/b", "GET", Entry.NOTHING),
        ("/nowhere/at/all", "GET", Entry.KEY),
        ("/open/more", "GET", Entry.KEY),
    ],
)
def test_the_first_route_that_fits_decides(entries: Entries, path: str, method: str, entry: Entry) -> None:
    assert entries.of(scope(path, method)) is entry


@pytest.fixture(scope="module")
def locked() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=(KEY,)) as running:
        yield running


OPEN = ["/", "/livez", "/readyz", "/health", "/docs", "/openapi.json", "/favicon.ico"]
FILES = ["/client/index.js", "/page/app.js"]


@pytest.mark.parametrize("path", [*OPEN, *FILES])
def test_pages_documents_and_probes_are_open(locked: LiveServer, path: str) -> None:
    assert httpx.get(locked.url + path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("GET", path) for path in ("/v1/models", "/v1/models/x", "/v1/audio/voices", "/v1/ice", "/metrics", "/nope")],
        *[("POST", path) for path in ("/v1/audio/speech", "/v1/audio/voices", "/v1/audio/speech/token")],
        *[("GET", path) for path in ("/livez/x", "/docsy", "/clients", "/openapi.json.bak")],
        ("POST", "/v1/audio/speech/calls"),
        ("DELETE", "/v1/audio/speech/calls/x"),
        ("DELETE", "/v1/audio/voices/x"),
    ],
)
def test_everything_else_wants_a_key(locked: LiveServer, method: str, path: str) -> None:
    assert httpx.request(method, locked.url + path).status_code == 401
    assert httpx.request(method, locked.url + path, headers={"xi-api-key": KEY}).status_code != 401


@pytest.mark.parametrize(
    "path", ["//v1/models", "///v1/models", "/models", "//models", "/audio/voices", "//v1/audio/voices", "/ice"]
)
def test_base_addresses_are_forgiven(locked: LiveServer, path: str) -> None:
    """A slash too many, or no version; the key is asked for as under the right name."""
    assert httpx.get(locked.url + path).status_code == 401
    assert httpx.get(locked.url + path, headers={"xi-api-key": KEY}).status_code == 200
    assert httpx.get(locked.url + "//livez").status_code == 200
    assert httpx.get(locked.url + "/v1/livez", headers={"xi-api-key": KEY}).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/v1/models/", "/v1//models", "/models/", "/v1/models//", "/v1/v1/models", "//v1///models/", "/v1/models%2F"],
)
def test_slashes_at_the_end_and_within_are_forgiven(locked: LiveServer, path: str) -> None:
    """No redirect: many clients do not post again to where they are sent."""
    assert httpx.get(locked.url + path).status_code == 401
    answer = httpx.get(locked.url + path, headers={"api-key": KEY})
    assert (answer.status_code, answer.json()["object"]) == (200, "list")
    speech = path.replace("models", "audio/speech")
    assert httpx.post(locked.url + speech, headers={"api-key": KEY}, json={"input": "Hi."}).status_code == 200


@pytest.mark.parametrize("door", ["/v1/audio/speech/stream", "/v1/audio/transcriptions/stream", "/v1/realtime"])
@pytest.mark.parametrize("written", ["{}", "{}/", "{}//", "{}%2F", "/{}", "{}/?model=x"])
def test_a_live_door_opens_however_its_slashes_are_written(locked: LiveServer, door: str, written: str) -> None:
    for path in (door, door.removeprefix("/v1"), door.replace("/v1/", "/v1//"), door.replace("re", "%72%65")):
        url = f"ws://127.0.0.1:{locked.port}{written.format(path)}"
        with connect(url, additional_headers={"api-key": KEY}) as socket:
            assert '"session.created"' in str(socket.recv(timeout=10))
        with pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        assert refused.value.response.status_code == 401


def test_a_token_is_not_worth_another_whatever_header_it_stands_in(locked: LiveServer) -> None:
    path = locked.url + "/v1/audio/speech/token"
    for name, form in (("Authorization", "Bearer {}"), ("X-API-Key", "{}"), ("xi-api-key", "{}")):
        token = httpx.post(path, headers={"Authorization": f"Bearer {KEY}"}).json()["token"]
        answer = httpx.post(path, headers={name: form.format(token)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("path", [*OPEN, *FILES, "/v1/models", "/v1/audio/voices", "/metrics", "/v1/ice"])
def test_head_is_get_without_its_body(locked: LiveServer, path: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    head, get = httpx.head(locked.url + path, headers=headers), httpx.get(locked.url + path, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_head_of_what_is_only_posted_is_refused_as_get_is(locked: LiveServer) -> None:
    answer = httpx.head(locked.url + "/v1/audio/speech", headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.content) == (405, b"")


STAINLESS = ("lang", "os", "arch", "runtime", "runtime-version", "package-version", "retry-count", "timeout")


def test_an_allowed_page_gets_back_whatever_headers_it_asks_for() -> None:
    asked = ["authorization", "content-type", *(f"x-stainless-{name}" for name in STAINLESS)]
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ",".join(asked)}
    with live_server([FakeEngine()], cors=True, allowed_origins=("https://app.example",)) as server:
        url = server.url + "/v1/audio/speech"
        allowed = httpx.options(url, headers={"Origin": "https://app.example", **preflight})
        assert allowed.status_code == 200
        assert set(asked) <= {name.strip() for name in allowed.headers["access-control-allow-headers"].split(",")}
        foreign = httpx.options(url, headers={"Origin": "https://evil.example", **preflight})
        assert "access-control-allow-origin" not in foreign.headers
