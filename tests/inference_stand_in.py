"""Hugging Face's inference in miniature, on loopback: every way its servers answer, and a few that a hostile one would.

    with InferenceStandIn() as hub:
        models = HostedModels(hub.transport())
        async with models.sound(models.target(hub.url("flac")), "hf_secret", "hello") as sound: ...

The last part of the path chooses the behaviour (`BEHAVIOURS`). It speaks TLS with a certificate of the real names, and
plain HTTP for clients that cannot be told of its authority. `transport()` is the real one over a resolver and a network
that know only this machine; what was looked up, dialled and asked is kept.
"""

from __future__ import annotations

import io
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpcore
import numpy as np
import soundfile
import trustme

from vivavoce.hosted.dialing import PinnedTransport, PublicNetwork

ROUTER = "router.huggingface.co"
PUBLIC = "18.64.0.1"  # stands for an address of the open internet
BLOCK = 1 << 16
HALF = b'[{"generated_text": "half a \\uD83D pair, a whole \\ud83d\\ude00", "\\ude00": [["\\ud83d"]]}]'
CAPTION = [{"generated_text": "two cats on a sofa"}, {"label": "no caption"}]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    host: str
    path: str
    token: str | None
    content_type: str | None
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class InferenceStandIn:
    """The servers; a context manager.

    Attributes:
        asked: every request.
        looked_up, dialled: names and addresses, in order.
        addresses: host -> what its look-ups answer, one list after the other, the last for ever.
        seconds: length of the sounds.
        hung_up_s: when a client was seen to leave in the middle of an answer (`time.monotonic()`).
    """

    def __init__(self, *, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.asked: list[Asked] = []
        self.looked_up: list[str] = []
        self.dialled: list[str] = []
        self.addresses: dict[str, list[list[str]]] = {}
        self.counts: dict[str, int] = {}
        self.hung_up_s: float | None = None
        self.sent = 0
        self.released = threading.Event()  # lets `held` answers go on
        authority = trustme.CA()
        certificate = authority.issue_cert(
            ROUTER,
            "api-inference.huggingface.co",
            "x.endpoints.huggingface.cloud",
            "models.example.org",
            "v3.fal.media",
        )
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(served)
        self.trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.trusting)
        self._plain = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._secure = _SecureServer(("127.0.0.1", 0), _handler(self), served)
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            for server in (self._plain, self._secure)
        ]

    def forget(self) -> None:
        """As if nothing had been asked yet."""
        for kept in (self.asked, self.looked_up, self.dialled, self.addresses, self.counts):
            kept.clear()
        self.hung_up_s = None
        self.released.clear()

    def url(self, behaviour: str, *, host: str = ROUTER, prefix: str = "/hf-inference/models/") -> str:
        return f"https://{host}{prefix}{behaviour}"

    def plain_url(self, behaviour: str) -> str:
        """The same behaviour, for clients of other people."""
        return f"http://127.0.0.1:{self._plain.server_port}/models/{behaviour}"

    def transport(self) -> PinnedTransport:
        return PinnedTransport(PublicNetwork(self.resolve, _Network(self)), self.trusting)

    @property
    def secure_port(self) -> int:
        return self._secure.server_port

    @cached_property
    def flac(self) -> bytes:
        return tone("FLAC", self.seconds)

    def __enter__(self) -> InferenceStandIn:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        for server in (self._plain, self._secure):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        answers = self.addresses.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def tone(container: str, seconds: float, *, rate: int = 24_000, channels: int = 1, hz: float = 440.0) -> bytes:
    """A file with a tone in it."""
    times = np.arange(round(seconds * rate)) / rate
    samples = (0.3 * np.sin(2 * np.pi * hz * times)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, np.repeat(samples[:, None], channels, axis=1), rate, format=container)
    return file.getvalue()


class _Network(httpcore.AsyncNetworkBackend):
    """Dials for real, except that `PUBLIC` is the stand-in."""

    def __init__(self, hub: InferenceStandIn) -> None:
        self._hub = hub
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's border
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._hub.dialled.append(host)
        if host == PUBLIC:
            host, port = "127.0.0.1", self._hub.secure_port
        return await self._real.connect_tcp(host, port, timeout, local_address, socket_options)


class _SecureServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext):
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:  # in the request's own thread
                super().finish_request(secured, client_address)
        except OSError:
            pass  # the client left in the handshake or in the middle


def _handler(hub: InferenceStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Handler(BaseHTTPRequestHandler):
    hub: InferenceStandIn
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        host = self.headers.get("Host") or ""
        self.hub.asked.append(Asked(self.command, host, path, token, self.headers.get("Content-Type"), body))
        name = path.rpartition("/")[2]
        self.hub.counts[name] = self.hub.counts.get(name, 0) + 1
        BEHAVIOURS.get(name, _unknown)(self)

    # -- what behaviours are made of

    def give(self, status: int, body: bytes, media_type: str | None, **headers: str) -> None:
        self.send_response(status)
        if media_type is not None:
            self.send_header("Content-Type", media_type)
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give_json(self, content: object, status: int = 200, **headers: str) -> None:
        self.give(status, json.dumps(content).encode(), "application/json", **headers)

    def stream(self, parts: Iterator[bytes], media_type: str) -> None:
        """Chunked, until the parts or the client end."""
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.hub.sent = 0
        try:
            for part in parts:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.hub.sent += len(part)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.hub.hung_up_s = time.monotonic()
            self.close_connection = True

    def times(self, name: str) -> int:
        """How often this behaviour has been asked for."""
        return self.hub.counts.get(name, 0)


def _unknown(handler: _Handler) -> None:
    handler.give(404, b"Not Found", "text/plain; charset=utf-8")


def _flac(handler: _Handler) -> None:
    handler.give(200, handler.hub.flac, "audio/flac")


def _loading(handler: _Handler) -> None:
    if handler.times("loading") <= 2:
        handler.give_json({"error": "Model org/name is currently loading", "estimated_time": 7.5}, 503)
    else:
        _flac(handler)


def _half(handler: _Handler) -> None:
    """Promises a whole file and hangs up in the middle of it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "audio/flac")
    handler.send_header("Content-Length", str(len(handler.hub.flac)))
    handler.end_headers()
    handler.wfile.write(handler.hub.flac[: len(handler.hub.flac) // 2])
    handler.close_connection = True


def _endless(handler: _Handler) -> None:
    handler.stream(chain([_wav_header()], _noise(None)), "audio/wav")


def _held(handler: _Handler) -> None:
    """The beginning of a sound, and the rest when the test lets it go on."""

    def parts() -> Iterator[bytes]:
        whole = _wav_header() + next(_noise(1 << 18))
        yield whole[: 1 << 17]
        while not handler.hub.released.wait(0.02):
            yield whole[:2]  # notices a client that left
        yield whole[1 << 17 :]

    handler.stream(parts(), "audio/wav")


def _slow(handler: _Handler) -> None:
    handler.hub.released.wait(30)
    _flac(handler)


def _noise(total: int | None) -> Iterator[bytes]:
    """16-bit noise; None: for ever."""
    block = np.random.default_rng(0).integers(-2000, 2000, BLOCK // 2, np.int16).tobytes()
    sent = 0
    while total is None or sent < total:
        yield block[: BLOCK if total is None else min(BLOCK, total - sent)]
        sent += BLOCK


def _wav_header() -> bytes:
    return tone("WAV", 0.0, rate=44_100)[:40] + b"\xff\xff\xff\xff"


def _music(size: int) -> Callable[[_Handler], None]:
    def answer(handler: _Handler) -> None:
        handler.stream(chain([_wav_header()], _noise(size)), "audio/wav")

    return answer


def _redirect(location: str, status: int = 307) -> Callable[[_Handler], None]:
    return lambda handler: handler.give(status, b"", None, Location=location)


def _json(content: object, status: int = 200, **headers: str) -> Callable[[_Handler], None]:
    return lambda handler: handler.give_json(content, status, **headers)


def _echo(handler: _Handler) -> None:
    """An error that repeats the token, as careless servers do."""
    handler.give_json({"error": f"bad header {handler.headers.get('Authorization')}"}, 400)


def _cookie(handler: _Handler) -> None:
    handler.give(200, handler.headers.get("Cookie", "none").encode(), "audio/wav", Set_Cookie="a=b; Path=/")


BEHAVIOURS: dict[str, Callable[[_Handler], None]] = {
    "flac": _flac,
    "wav": lambda handler: handler.give(200, tone("WAV", handler.hub.seconds), "audio/wav"),
    "mp3": lambda handler: handler.give(200, tone("MP3", handler.hub.seconds), "audio/mpeg"),
    "stereo": lambda handler: handler.give(200, tone("FLAC", 1.0, rate=44_100, channels=2), "audio/flac"),
    "caption-list": _json(CAPTION),
    "musicgen-small": _flac,  # by their real names, as the documents call them
    "blip-image-captioning-base": _json(CAPTION),
    "caption-object": _json(CAPTION[0]),
    "caption-half": lambda handler: handler.give(200, HALF, "application/json"),
    "transcript": _json({"text": " hello there", "chunks": [{"text": " hello there", "timestamp": [0.0, 1.5]}]}),
    "loading": _loading,
    "always-loading": _json({"error": "loading", "estimated_time": 1e9}, 503),
    "busy": _json({"error": "Rate limit reached"}, 429, Retry_After="7"),
    "broke": _json({"error": "You have exceeded your monthly included credits"}, 402),
    "wrong-token": _json({"error": "Invalid credentials in Authorization header"}, 401),
    "missing": _unknown,
    "gone": _json({"error": "api-inference.huggingface.co is no longer supported"}, 410),
    "list-error": _json({"error": ["first reason", "second reason"]}, 400),
    "false-ok": _json({"error": "CUDA out of memory"}),
    "bare-500": lambda handler: handler.give(500, b"<html>oops</html>", "text/html"),
    "page": lambda handler: handler.give(200, b"<html>hello</html>", "text/html"),
    "junk": lambda handler: handler.give(200, b"this is no sound at all" * 100, "audio/flac"),
    "empty": lambda handler: handler.give(200, b"", "audio/flac"),
    "half": _half,
    "large-json": lambda handler: handler.give(200, b'{"a": "' + b"x" * (2 << 20) + b'"}', "application/json"),
    "deep-json": lambda handler: handler.give(200, b"[" * 100_000, "application/json"),
    "compressed": lambda handler: handler.give(200, b"\x1f\x8b", "audio/flac", Content_Encoding="gzip"),
    "echo": _echo,
    "cookie": _cookie,
    "endless": _endless,
    "held": _held,
    "slow": _slow,
    "music-25": _music(25_000_000),
    "music-30": _music(30_000_000),
    "metadata": _redirect("http://169.254.169.254/latest/meta-data/"),
    "metadata-https": _redirect("https://169.254.169.254/latest/meta-data/"),
    "elsewhere": _redirect("https://api-inference.huggingface.co/models/flac"),
    "around": _redirect("/hf-inference/models/around"),
    "moved": _redirect("/hf-inference/models/flac", 308),
    "found": _redirect("/hf-inference/models/flac", 302),
    "fal": _json({"audio": {"url": "https://v3.fal.media/files/flac"}}),
    "created": _json({"output": "https://v3.fal.media/files/flac"}, 201),  # as replicate says what it has made
    "predictions": _json({"output": ["https://v3.fal.media/files/flac"]}),
    "fal-private": _json({"audio": {"url": "https://127.0.0.1/files/flac"}}),
}
