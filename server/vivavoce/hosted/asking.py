"""One question to another machine, and its answer: bounded in time and bytes, waiting while a model loads.

The token goes to the host it was given for and nowhere else: not to another host that answers, not to a log, not into
an error. Called by `inference.py`, which knows what models are asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import httpx

from vivavoce import __version__
from vivavoce.errors import HostedModelFailed, HostedModelTimeout, VivaVoceError
from vivavoce.hosted.addresses import AddressRefused, Allowlist, Target, check_url
from vivavoce.hosted.answers import Loading, failure, is_error

logger = logging.getLogger(__name__)

ANSWERED = (200, 201, 202)  # a provider that makes something answers that it was created
MAX_LOADING = 3  # waits for one model
MAX_REDIRECTS = 3
MAX_JSON = 1 << 20  # bytes of an answer that is JSON
MAX_ERROR = 1 << 16  # bytes read of a refusal
CONNECT_S = 10.0

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedLimits:
    """How long and how large an answer may be.

    Attributes:
        begin_s: until the first byte of the answer, loading included.
        stall_s: between two parts of it.
        whole_s: until its end.
        max_bytes: of a sound.
    """

    begin_s: float = 120.0
    stall_s: float = 30.0
    whole_s: float = 900.0
    max_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent: a body and what it is."""

    body: bytes = field(repr=False)
    media_type: str
    accept: str = "*/*"
    headers: Mapping[str, str] = field(default_factory=dict)


class Asker:
    """Sends requests to models elsewhere, within the limits on time, size and addresses.

    Args:
        transport: makes the connections.
        sleep: waits for a model that is loading.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, limits: HostedLimits, *, sleep: Sleep) -> None:
        self._limits = limits
        self._sleep = sleep
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(self._limits.begin_s, connect=CONNECT_S),
            headers={"user-agent": f"vivavoce/{__version__}", "accept-encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one caller's cookie is not another's
            trust_env=False,
            follow_redirects=False,
        )

    async def aclose(self) -> None:
        """Hang up everywhere."""
        await self._client.aclose()

    @asynccontextmanager
    async def ask(self, target: Target, token: str | None, question: Question | None) -> AsyncIterator[httpx.Response]:
        """An answer with status 200, open; None as the question is a GET."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        outcome = "failed"
        try:
            async with self._answer(target, token, question, started_s + self._limits.begin_s) as response:
                outcome = "cut off"
                yield response
                outcome = "answered"
        except VivaVoceError as error:
            outcome = error.code
            raise
        finally:
            logger.info(
                "hosted model called",
                extra={"host": target.host, "outcome": outcome, "wall_s": round(loop.time() - started_s, 3)},
            )

    @asynccontextmanager
    async def _answer(
        self, target: Target, token: str | None, question: Question | None, begin_by_s: float
    ) -> AsyncIterator[httpx.Response]:
        waits = redirects = 0
        while True:
            response = await self._send(target, token, question, begin_by_s)
            try:
                if response.is_redirect:
                    redirects += 1
                    target = _redirected(target, response, question, redirects)
                    continue
                if response.status_code in ANSWERED:
                    _refuse_coding(response)
                    yield response
                    return
                refusal = await self._refusal(response, token)
            finally:
                await response.aclose()
            if not isinstance(refusal, Loading):
                raise refusal
            waits += 1
            pause_s = refusal.pause_s
            if waits > MAX_LOADING or asyncio.get_running_loop().time() + pause_s > begin_by_s:
                raise HostedModelTimeout("the model is still being loaded by its server", retry_after_s=pause_s)
            await self._sleep(pause_s)

    async def _send(
        self, target: Target, token: str | None, question: Question | None, begin_by_s: float
    ) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        if question is None:
            request = self._client.build_request("GET", target.url, headers=headers)
        else:
            headers |= {"content-type": question.media_type, "accept": question.accept, **question.headers}
            request = self._client.build_request("POST", target.url, headers=headers, content=question.body)
        try:
            async with asyncio.timeout_at(begin_by_s):
                return await self._client.send(request, stream=True)
        except TimeoutError:
            raise HostedModelTimeout("the model did not answer in time") from None
        except httpx.HTTPError as error:
            raise HostedModelFailed(f"the model's server cannot be asked ({type(error).__name__})") from None

    async def _refusal(self, response: httpx.Response, token: str | None) -> HostedModelFailed | Loading:
        try:
            body = await self._read(response, MAX_ERROR)
        except HostedModelFailed:
            body = b""  # the status says enough
        headers = {name.lower(): value for name, value in response.headers.items()}
        return failure(response.status_code, headers, body, (token,) if token else ())

    async def json(self, response: httpx.Response, token: str | None) -> Any:
        body = await self._read(response, MAX_JSON)
        try:
            content = json.loads(body)
            if b"\\ud" in body.lower():
                content = _without_halves(content)
        except (ValueError, RecursionError):
            raise HostedModelFailed("the model's answer is not JSON") from None
        if is_error(content):
            refusal = failure(200, {}, body, (token,) if token else ())
            assert not isinstance(refusal, Loading)
            raise refusal
        return content

    async def _read(self, response: httpx.Response, max_bytes: int) -> bytes:
        """A short body, whole.

        Raises:
            HostedModelFailed: If it is longer.
        """
        end_s = asyncio.get_running_loop().time() + self._limits.stall_s
        body = bytearray()
        parts = response.aiter_raw()
        while True:
            try:
                body += await next_part(parts, self._limits.stall_s, end_s)
            except StopAsyncIteration:
                return bytes(body)
            if len(body) > max_bytes:
                raise HostedModelFailed(f"the model's answer is larger than {max_bytes >> 10} KiB")


def _redirected(target: Target, response: httpx.Response, question: Question | None, count: int) -> Target:
    """Where a redirect leads: to the same host, with the same question.

    Raises:
        HostedModelFailed: If it leads elsewhere.
    """
    if count > MAX_REDIRECTS or (question is not None and response.status_code not in (307, 308)):
        raise HostedModelFailed("the model's server only redirects", upstream_status=response.status_code)
    try:
        place = urljoin(target.url, response.headers.get("location", ""))
        found = check_url(place, Allowlist([target.host if target.port == 443 else f"{target.host}:{target.port}"]))
    except (AddressRefused, ValueError):
        raise HostedModelFailed("the model's server redirects to another host, which is not followed") from None
    return replace(found, note=target.note)


def _without_halves(content: Any) -> Any:
    """The same, where half a surrogate pair, which is no character, is a question mark: it could not be sent on."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode("utf-8")
    if isinstance(content, list):
        return [_without_halves(each) for each in content]
    if isinstance(content, dict):
        return {_without_halves(name): _without_halves(value) for name, value in content.items()}
    return content


def _refuse_coding(response: httpx.Response) -> None:
    """What was compressed could be a bomb, and was not asked for."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HostedModelFailed("the model's answer is compressed")


async def next_part(parts: AsyncIterator[bytes], stall_s: float, end_s: float) -> bytes:
    """The next part of a body.

    Raises:
        HostedModelTimeout: If none comes in time.
    """
    by_s = min(asyncio.get_running_loop().time() + stall_s, end_s)
    try:
        async with asyncio.timeout_at(by_s):
            return await anext(parts)
    except TimeoutError:
        raise HostedModelTimeout("the model's answer stopped in the middle") from None
    except httpx.HTTPError:
        raise HostedModelFailed("the connection to the model's server broke") from None


def media_type_of(response: httpx.Response) -> str:
    """What its server calls it, in lower case without parameters."""
    declared: str = response.headers.get("content-type", "")
    return declared.partition(";")[0].strip().lower()
