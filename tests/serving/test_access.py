"""Who comes in: what a credential may do is its own property, names are named, and nothing opens by mistake."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.exceptions
from websockets.sync.client import connect

from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.bounds import NOT_KEYS
from vivavoce.config import AccessSettings, Config
from vivavoce.errors import ConfigError, ForbiddenOrigin, InvalidKey, Overloaded, RateLimited
from vivavoce.metrics import Metrics
from vivavoce.serving.access import Access, client_of
from vivavoce.serving.credentials import Credential
from vivavoce.serving.entries import Entry
from vivavoce.serving.shares import Shares
from vivavoce.serving.tokens import CLIENT_SECRET, TOKEN, TokenStore
from vivavoce.settings import load

KEY, OTHER_KEY = "a-key-of-enough-characters", "another-key-of-enough-characters"
HEADERS = {"authorization": "Bearer {}", "x-api-key": "{}", "xi-api-key": "{}"}


def access(host: str = "127.0.0.1", **settings: object) -> Access:
    return Access.from_settings(AccessSettings(**{"api_keys": (KEY,), **settings}), host, Metrics())  # type: ignore[arg-type]


# -- what a credential may do ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [Entry.KEY, Entry.LIVE, Entry.REALTIME, Entry.ON_THE_WAY])
def test_a_key_opens_everything(entry: Entry) -> None:
    door = access()
    assert door.owner(Credential(KEY), entry) == door.owner(Credential(KEY), Entry.KEY)
    for wrong in ("", "x", KEY + "x", "vvt_" + KEY, "ek_" + KEY):
        with pytest.raises(InvalidKey):
            door.owner(Credential(wrong), entry)
    with pytest.raises(InvalidKey):
        door.owner(None, entry)


def test_a_token_opens_one_connection_and_nothing_else() -> None:
    door = access()
    token = Credential(door.tokens.issue("me", time.monotonic()))
    with pytest.raises(InvalidKey):
        door.owner(token, Entry.KEY)
    assert door.owner(token, Entry.ON_THE_WAY) == "me"
    assert door.owner(token, Entry.ON_THE_WAY) == "me"
    assert door.owner(token, Entry.LIVE) == "me"
    for entry in (Entry.LIVE, Entry.REALTIME, Entry.ON_THE_WAY):
        with pytest.raises(InvalidKey):
            door.owner(token, entry)


def test_a_token_is_used_up_by_a_call_of_realtime_too() -> None:
    door = access()
    token = Credential(door.tokens.issue("me", time.monotonic()))
    assert door.owner(token, Entry.REALTIME) == "me"
    with pytest.raises(InvalidKey):
        door.owner(token, Entry.REALTIME)


def test_a_client_secret_opens_sessions_of_realtime_until_it_expires() -> None:
    door = access()
    secret = Credential(door.tokens.issue("me", time.monotonic(), prefix=CLIENT_SECRET))
    for _ in range(2):
        assert door.owner(secret, Entry.REALTIME) == "me"
    for entry in (Entry.KEY, Entry.LIVE):
        with pytest.raises(InvalidKey):
            door.owner(secret, entry)


@pytest.fixture(scope="module")
def locked() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=(KEY, OTHER_KEY), max_sockets=4, max_calls=2) as running:
        yield running


def issue(server: LiveServer, path: str = "/v1/audio/speech/token", field: str = "token") -> str:
    return str(httpx.post(server.url + path, headers={"authorization": f"Bearer {KEY}"}).json()[field])


ELSEWHERE = [
    ("GET", "/metrics"),
    ("GET", "/v1/models"),
    ("GET", "/v1/audio/voices"),
    ("POST", "/v1/audio/speech"),
    ("POST", "/v1/audio/voices"),
    ("DELETE", "/v1/audio/voices/x"),
    ("DELETE", "/v1/audio/speech/calls/x"),
    ("POST", "/v1/audio/speech/token"),
    ("POST", "/v1/realtime/client_secrets"),
    ("POST", "/v1/realtime/calls/x/hangup"),
    ("POST", "/v1/hosted/text-to-audio"),
    ("POST", "/v1/models"),
    ("GET", "/nowhere"),
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
def test_what_stands_for_a_key_opens_no_other_route(locked: LiveServer, header: str, method: str, path: str) -> None:
    for shown in (issue(locked), issue(locked, "/v1/realtime/client_secrets", "value")):
        answer = httpx.request(method, locked.url + path, headers={header: HEADERS[header].format(shown)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def stream(server: LiveServer, *, header: str = "x-api-key", shown: str | None = None, path: str = "speech/stream"):  # type: ignore[no-untyped-def]
    headers = {header: HEADERS[header].format(shown)} if shown else {}
    return connect(f"ws://127.0.0.1:{server.port}/v1/audio/{path}", additional_headers=headers, open_timeout=10)


@pytest.mark.parametrize("header", HEADERS)
def test_a_token_opens_one_websocket_in_whatever_header(locked: LiveServer, header: str) -> None:
    token = issue(locked)
    with stream(locked, header=header, shown=token) as socket_:
        assert "session" in str(socket_.recv(10))
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused, stream(locked, header=header, shown=token):
        pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("path", ["speech/stream", "speech/nowhere", "speech"])
def test_no_websocket_opens_without_a_key(locked: LiveServer, path: str) -> None:
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused, stream(locked, path=path):
        pass
    assert refused.value.response.status_code == (401 if path == "speech/stream" else 404)
    assert refused.value.response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/page/app.js", "/client/index.js", "/"])
def test_a_websocket_to_a_file_is_no_failure(locked: LiveServer, path: str) -> None:
    with (
        pytest.raises(websockets.exceptions.InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{locked.port}{path}", open_timeout=10),
    ):
        pass
    assert refused.value.response.status_code == 404


# -- shares ----------------------------------------------------------------------------------------------------------


def test_one_key_takes_half_and_leaves_the_rest(locked: LiveServer) -> None:
    with stream(locked, shown=KEY), stream(locked, shown=KEY):
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused, stream(locked, shown=KEY):
            pass
        assert refused.value.response.status_code == 429
        with stream(locked, shown=OTHER_KEY), stream(locked, shown=OTHER_KEY):
            with pytest.raises(websockets.exceptions.InvalidStatus) as full, stream(locked, shown=OTHER_KEY):
                pass
            assert full.value.response.status_code == 503


def test_one_key_speaks_with_half_of_the_streams_on_every_door() -> None:
    """`max_streams` was lowered and `max_streams_per_key` forgotten: one key had them all."""
    go = threading.Event()

    def hold(_: object) -> None:
        go.wait(20)

    engine = FakeEngine(before_step=hold)
    speech: dict[str, Any] = {"json": {"input": "Hello there."}, "timeout": 20}
    with (
        live_server([engine], api_keys=(KEY, OTHER_KEY), max_streams=4) as server,
        ThreadPoolExecutor(8) as clients,
    ):

        def ask(key: str) -> Future[int]:
            return clients.submit(
                lambda: httpx.post(server.url + "/v1/audio/speech", headers={"x-api-key": key}, **speech).status_code
            )

        def working() -> int:
            return sum(server.server.synthesizer.admission.active().values())  # type: ignore[attr-defined]

        def until(count: int) -> None:
            while working() < count:
                go.wait(0.01)

        try:
            mine = [ask(KEY), ask(KEY)]
            until(2)
            assert ask(KEY).result() == 429
            with stream(server, shown=KEY) as socket_:
                socket_.send('{"type": "input.text", "text": "Hello."}')
                socket_.send('{"type": "input.done"}')
                while "rate_limit_exceeded" not in str(socket_.recv(10)):
                    pass
            others = [ask(OTHER_KEY), ask(OTHER_KEY)]
            until(4)
        finally:
            go.set()
        assert [each.result() for each in (*mine, *others)] == [200] * 4


def test_shares_are_counted_and_given_back() -> None:
    shares = Shares("things", 4, 0.5)
    with shares.hold("a"), shares.hold("a"):
        with pytest.raises(RateLimited):
            shares.check("a")
        with shares.hold("b"), shares.hold("b"), pytest.raises(Overloaded, match="4 things"):
            shares.check("c")
    assert len(shares) == 0
    alone = Shares("things", 2)
    with alone.hold("a"), alone.hold("a"), pytest.raises(Overloaded):
        alone.check("a")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "anonymous 192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "anonymous 2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::2", "anonymous 2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "anonymous 192.0.2.7"),
        ("fe80::1%eth0", "anonymous fe80::"),
        ("", "anonymous"),
        ("a socket's path", "anonymous"),
    ],
)
def test_without_keys_a_share_is_an_addresses(address: str, client: str) -> None:
    assert client_of("anonymous", address) == client
    assert client_of("0123456789abcdef", address) == "0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "keys", "share"),
    [("127.0.0.1", (), 1.0), ("0.0.0.0", (), 0.5), ("0.0.0.0", (KEY,), 1.0), ("0.0.0.0", (KEY, OTHER_KEY), 0.5)],
)
def test_strangers_without_a_key_leave_connections_for_others(host: str, keys: tuple[str, ...], share: float) -> None:
    settings = AccessSettings(api_keys=keys, allow_anonymous=True)
    assert Access.from_settings(settings, host, Metrics()).share_of_connections == share


@pytest.mark.parametrize(("keys", "share"), [((), 1.0), ((KEY,), 1.0), ((KEY, KEY), 1.0), ((KEY, OTHER_KEY), 0.5)])
def test_owners_share_where_they_can_be_told_apart(keys: tuple[str, ...], share: float) -> None:
    assert access(api_keys=keys).share == share


def test_nobody_throws_out_anothers_tokens() -> None:
    store = TokenStore(capacity=6, share=4)
    mine = store.issue("me", 0.0)
    floods = [store.issue("flood", 0.0) for _ in range(50)]
    crowd = [store.issue(f"other {k}", 0.0) for k in range(3)]
    assert store.owner(mine, 1.0) == "me"
    assert sum(store.owner(token, 1.0) is not None for token in floods) <= 4
    assert all(store.owner(token, 1.0) for token in crowd)


# -- Host and Origin -------------------------------------------------------------------------------------------------

ODD_ORIGINS = [
    "http://[",
    "http://[::1",
    "null",
    "",
    "http://",
    "://",
    "http://a]b",
    "http://[v1.x]",
    "file://",
    "\x80",
]


@pytest.mark.parametrize("origin", ODD_ORIGINS)
def test_an_odd_origin_is_a_foreign_one(locked: LiveServer, origin: str) -> None:
    headers = {b"origin": origin.encode("latin-1"), b"x-api-key": KEY.encode()}
    answer = httpx.get(locked.url + "/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden_origin")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("host", ["[", "[::1", "a]b", "", ":", "[v1.x]", "\x80", "x:99999999", "@", "?"])
def test_an_odd_host_is_a_foreign_one(locked: LiveServer, host: str) -> None:
    with socket.create_connection(("127.0.0.1", locked.port), timeout=10) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ")[1] in (b"403", b"400"), answer


@pytest.mark.parametrize(
    ("listens_on", "named", "host", "served"),
    [
        ("0.0.0.0", (), "voice.example.org", False),  # DNS rebinding: the page's own name, and an equal Origin
        ("0.0.0.0", (), "10.0.0.7:7860", True),
        ("0.0.0.0", (), "[fd00::7]:7860", True),
        ("0.0.0.0", (), "localhost:7860", True),
        ("0.0.0.0", ("*",), "voice.example.org", True),
        ("0.0.0.0", ("voice.example.org",), "voice.example.org:443", True),
        ("0.0.0.0", ("voice.example.org",), "VOICE.example.ORG", True),
        ("0.0.0.0", ("voice.example.org",), "10.0.0.7", False),
        ("0.0.0.0", ("voice.example.org",), "evil.voice.example.org", False),
        ("192.168.1.5", (), "evil.example", False),
        ("127.0.0.1", (), "evil.example", False),
        ("127.0.0.1", (), "10.0.0.7", False),
        ("127.0.0.1", (), "localhost", True),
    ],
)
def test_a_host_is_served_where_it_is_named(listens_on: str, named: tuple[str, ...], host: str, served: bool) -> None:
    door = access(listens_on, allowed_hosts=named)
    headers = {"host": host, "origin": f"http://{host.lower()}"}
    if served:
        door.check_site(headers)
    else:
        with pytest.raises(ForbiddenOrigin):
            door.check_site(headers)


# -- never open by mistake -------------------------------------------------------------------------------------------


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "\n\n", "# soon\n", "   \n", "\t\n# a\n"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_file_without_keys_is_an_error(tmp_path: Path, text: str, host: str) -> None:
    file = write(tmp_path / "keys", text)
    with pytest.raises(ConfigError, match="no API key"):
        access(host, api_keys=(), api_keys_file=file, allow_anonymous=True)


def test_a_file_with_a_key_is_one(tmp_path: Path) -> None:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    door = access(api_keys=(), api_keys_file=write(tmp_path / "keys", f"# me\n{digest}  me\n\n"))
    assert door.needs_key
    assert door.owner(Credential(KEY))


@pytest.mark.parametrize("nothing", [b"", b"\n", b"\r\n"])
def test_the_digest_of_an_unset_variable_is_no_key(tmp_path: Path, nothing: bytes) -> None:
    """`printf %s "$KEY" | sha256sum` without a KEY."""
    digest = hashlib.sha256(nothing).hexdigest().upper()
    with pytest.raises(ConfigError, match=r"line 1: .*empty text"):
        access(api_keys=(), api_keys_file=write(tmp_path / "keys", digest))


def test_what_begins_like_a_token_is_looked_for_among_tokens() -> None:
    assert set(NOT_KEYS) == {TOKEN, CLIENT_SECRET}


@pytest.mark.parametrize("line", [KEY, "\ufeff" + "0" * 64, f"{'0' * 64},{'1' * 64}", "\uff10" * 64, "0x" + "0" * 62])
@pytest.mark.parametrize("before", ["", "0" * 64 + "\n"])
def test_a_file_of_one_bad_line_is_refused_whole(tmp_path: Path, line: str, before: str) -> None:
    (tmp_path / "keys").write_text(before + line, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line [12]: .*sha256sum"):
        access(api_keys=(), api_keys_file=tmp_path / "keys")


@pytest.mark.parametrize("host", ["", "*", "0", "127.1", "localhost.", "[::1]", "::ffff:127.0.0.1", "example.org"])
def test_whatever_is_not_plainly_loopback_wants_keys(host: str) -> None:
    with pytest.raises(ConfigError, match="without API keys"):
        access(host, api_keys=())


@pytest.mark.parametrize("line", [KEY, "abc", "é" * 64, "0" * 63, "0" * 65, f"key={'0' * 64}"])
def test_a_line_that_is_no_digest_is_told_by_its_number_and_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"line 2: .*sha256sum") as refused:
        access(api_keys=(), api_keys_file=write(tmp_path / "keys", f"# me\n{line}\n"))
    assert line not in str(refused.value).removeprefix(str(tmp_path))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"VIVAVOCE_API_KEYS": ""}, "VIVAVOCE_API_KEYS is set and holds no API key"),
        ({"VIVAVOCE_API_KEYS": " , ,"}, "holds no API key"),
        ({"VIVAVOCE_API_KEYS_FILE": ""}, "VIVAVOCE_API_KEYS_FILE is set"),
        ({"VIVAVOCE_API_KEY": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"VIVAVOCE_APIKEYS": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"vivavoce_api_keys": KEY}, "unknown setting 'vivavoce_api_keys'"),
        ({"VIVAVOCE_KEYS_FILE": "x"}, "did you mean VIVAVOCE_API_KEYS_FILE?"),
        ({"VIVAVOCE_ALLOWED_HOST": "x"}, "did you mean VIVAVOCE_ALLOWED_HOSTS?"),
        ({"VIVAVOCE_": "x"}, "unknown setting"),
        ({"VIVA_VOCE_API_KEYS": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"VIVAVOCE-API-KEYS": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"VivaVoceApiKey": KEY}, "unknown setting 'VivaVoceApiKey'"),
        ({"VIVAVOCE__API_KEYS": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"VIVAVOCE_API_KEYS ": KEY}, "did you mean VIVAVOCE_API_KEYS?"),
        ({"VIVAVOCE_API_KEYS": "\t"}, "holds no API key"),
        ({"VIVAVOCE_API_KEYS": "\u00a0" * 20}, "holds no API key"),
        ({"VIVAVOCE_API_KEYS": '""'}, "at least 16 characters"),
        ({"VIVAVOCE_API_KEYS": "false"}, "at least 16 characters"),
        ({"VIVAVOCE_API_KEYS": "ek_" + KEY}, "may not begin with vvt_ or ek_"),
        ({"VIVAVOCE_API_KEYS": "vvt_" + KEY}, "may not begin with vvt_ or ek_"),
        ({"VIVAVOCE_API_KEYS": "\u200b" * 20}, "letters, digits and marks of ASCII"),
        ({"VIVAVOCE_API_KEYS": "schl\u00fcssel-schl\u00fcssel"}, "letters, digits and marks of ASCII"),
        ({"VIVAVOCE_API_KEYS": f"{KEY} {KEY}x"}, "commas separate keys"),
        ({"VIVAVOCE_API_KEYS": f"{KEY}\n{KEY}x"}, "commas separate keys"),
        ({"VIVAVOCE_XYZZY": ""}, "unknown setting 'VIVAVOCE_XYZZY' in the environment; see"),
    ],
)
def test_a_variable_that_would_do_nothing_is_an_error(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(environment=variables)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api_keys = []", "api_keys is set and holds no API key"),
        ('api_keys = ""', "holds no API key"),
        ('api_keys = ["", " "]', "holds no API key"),
        ('api_keys_file = ""', "holds no API key"),
        (f'api_key = "{KEY}"', "did you mean api_keys?"),
        ("api_keys = {}", "no text and no list of texts"),
        ("api_keys = false", "no text and no list of texts"),
        ("api_keys = 12345678901234567890", "no text and no list of texts"),
        (f'[api_keys]\nme = "{KEY}"', "no text and no list of texts"),
        (f'[[api_keys]]\nkey = "{KEY}"', "no text and no list of texts"),
        (f'api_keys = [["{KEY}"]]', "no text and no list of texts"),
        (f'[access]\napi_keys = ["{KEY}"]', "unknown setting 'access'"),
    ],
)
def test_a_line_of_the_file_that_would_do_nothing_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(file=write(tmp_path / "vivavoce.toml", text), environment={})
    assert said in str(refused.value)


def test_what_is_told_to_every_pod_beside_a_service_is_passed_over() -> None:
    told = {
        "VIVAVOCE_SERVICE_HOST": "10.0.0.1",
        "VIVAVOCE_SERVICE_PORT_HTTP": "80",
        "VIVAVOCE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "VIVAVOCE_PORT_80_TCP_ADDR": "10.0.0.1",
        "VIVAVOCE_WEB_SERVICE_HOST": "10.0.0.1",
    }
    assert load(environment={**told, "VIVAVOCE_API_KEYS": KEY}) == Config(api_keys=(KEY,))
