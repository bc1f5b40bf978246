"""Connections to other machines: a name is looked up once, what it leads to is checked, and that address is dialled.

Between a check and a second look-up a name can change its mind (DNS rebinding), so there is no second one. httpcore
makes the connection, so TLS still asks for a certificate of the name. Made by `app/hosted.py`, for strangers' URLs.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

from vivavoce.errors import HostedModelFailed, HostedModelTimeout
from vivavoce.hosted.addresses import AddressRefused, is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # (host, port) -> addresses

LOOKUP_S = 5.0
CONNECT_S = 10.0
MAX_TRIED = 3  # addresses of one name
MAX_CONNECTIONS = 64


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver, in a thread."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Dials names whose every address is public.

    Args:
        resolve: looks a name up; called once for each connection.
        backend: makes the connection, by address.
    """

    def __init__(self, resolve: Resolve = look_up, backend: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._resolve = resolve
        self._backend = backend or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's border
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(LOOKUP_S):
                addresses = await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            raise HostedModelFailed("the name of the model's server cannot be looked up") from None
        if not addresses or not all(is_public(address) for address in addresses):
            raise AddressRefused("the model's server has an address that is not of the open internet")
        failure: Exception | None = None
        for address in addresses[:MAX_TRIED]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("a socket of this machine is not a model's server")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class PinnedTransport(httpx.AsyncBaseTransport):
    """httpx over a pool of httpcore's whose connections come from `network`."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=8,
            keepalive_expiry=30.0,
            network_backend=network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _telling():
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def plain_transport() -> httpx.AsyncBaseTransport:
    """For addresses that the operator wrote: any host, plain HTTP too; no proxy of the environment."""
    return httpx.AsyncHTTPTransport(trust_env=False, limits=httpx.Limits(max_connections=MAX_CONNECTIONS))


class _Body(httpx.AsyncByteStream):
    """An answer's body whose failures are ours."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _telling():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class _telling:
    """Turns what httpcore raises into what a caller is told."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, httpcore.TimeoutException):
            raise HostedModelTimeout("the model's server did not answer in time") from None
        if isinstance(error, httpcore.ConnectError):
            raise HostedModelFailed("the model's server cannot be reached") from None
        if isinstance(error, (httpcore.NetworkError, httpcore.ProtocolError)):
            raise HostedModelFailed("the connection to the model's server broke") from None
