"""Chat models behind an OpenAI-compatible address: Ollama, llama.cpp, vLLM, LM Studio, or a service elsewhere.

The address comes from the operator's settings, never from a client, so it may be on this machine. Whatever goes wrong
(refused, slow, cut off, nonsense) is told as `HostedModelFailed` or one of its kinds, in a sentence. The body is read
line by line with a bound on each; the rules of what the lines mean are in `assistant/chat_stream.py`.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx

from vivavoce import __version__
from vivavoce.assistant.chat_model import ChatMessage, ChatOptions, ChatPiece
from vivavoce.assistant.chat_stream import ChatStream, request_body
from vivavoce.errors import ConfigError, HostedModelFailed, HostedModelTimeout
from vivavoce.hosted.answers import Loading, failure

logger = logging.getLogger(__name__)

_LONGEST_LINE: Final = 1024 * 1024  # bytes
_LONGEST_REFUSAL: Final = 64 * 1024
_LINE_END: Final = re.compile(rb"[\r\n]")  # of event streams: either or both; an empty line between them is no data
_DONE: Final = b"[DONE]"
_JSON: Final = "application/json"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTimeouts:
    """How long to wait, in seconds.

    Attributes:
        connect_s: for a connection.
        begin_s: for the first piece: models load, and long conversations take time to read.
        between_s: between two pieces.
        whole_s: for the whole answer.
    """

    connect_s: float = 5.0
    begin_s: float = 20.0
    between_s: float = 10.0
    whole_s: float = 120.0


class HostedChat:
    """A chat model at an address.

    Args:
        url: of the API (`http://127.0.0.1:11434/v1`); `/chat/completions` is added where it is missing.
        model: its name there.
        key: sent as a bearer token; None: nothing is sent.
        timeouts: how long to wait.
        transport: makes the connections; None: httpx's own.

    Raises:
        ConfigError: If the URL is none.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str | None = None,
        *,
        timeouts: ChatTimeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = _endpoint(url)
        self._model = model
        self._key = key
        self._timeouts = timeouts or ChatTimeouts()
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(self._timeouts.begin_s, connect=self._timeouts.connect_s),
            headers={"user-agent": f"vivavoce/{__version__}", "accept-encoding": "identity"},
            limits=httpx.Limits(max_connections=64),
            trust_env=False,
            follow_redirects=False,  # a redirect would take the key and the conversation elsewhere
        )

    @property
    def name(self) -> str:
        """The model, and where it is."""
        return f"{self._model} at {urlsplit(self._url).netloc.rpartition('@')[2]}"

    @asynccontextmanager
    async def reply(
        self, messages: Sequence[ChatMessage], options: ChatOptions
    ) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """The answer; see `ChatModel`. Leaving the block hangs up, which stops the model.

        Raises:
            HostedModelFailed: If there is no answer, or no more of it (`HostedModelTimeout`, `HostedModelBusy`).
        """
        end_s = asyncio.get_running_loop().time() + self._timeouts.whole_s
        body = json.dumps(request_body(self._model, messages, options)).encode()
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        request = self._client.build_request("POST", self._url, content=body, headers=headers)
        response = await self._answer(request, end_s)
        after_call = bool(messages) and messages[-1].role == "function"  # what was done may speak for itself
        pieces = self._pieces(response, ChatStream(may_be_silent=after_call, secret=self._key), end_s)
        try:
            yield pieces
        finally:
            await pieces.aclose()
            await response.aclose()

    async def aclose(self) -> None:
        """Hang up everywhere."""
        await self._client.aclose()

    async def _answer(self, request: httpx.Request, end_s: float) -> httpx.Response:
        with self._told():
            response = await self._within(self._client.send(request, stream=True), self._timeouts.begin_s, end_s)
            if response.status_code == 200 and _kind(response) != "text/html":
                return response
            try:
                raise await self._refusal(response, end_s)
            finally:
                await response.aclose()

    async def _pieces(
        self, response: httpx.Response, stream: ChatStream, end_s: float
    ) -> AsyncGenerator[ChatPiece, None]:
        wait_s = self._timeouts.begin_s
        lines = (_whole if _kind(response) == _JSON else _lines)(response.aiter_raw())
        with self._told():
            while True:
                line = await self._within(anext(lines, None), wait_s, end_s)
                if line is None or line == _DONE:
                    break
                for piece in stream.feed(_decoded(line)):
                    wait_s = self._timeouts.between_s
                    yield piece
            for piece in stream.end(said_done=line == _DONE):
                yield piece

    @staticmethod
    async def _within(step: Awaitable[_T], wait_s: float, end_s: float) -> _T:
        """The result of a step that takes no longer than `wait_s`, and is there by `end_s`."""
        async with asyncio.timeout_at(min(end_s, asyncio.get_running_loop().time() + wait_s)):
            return await step

    async def _refusal(self, response: httpx.Response, end_s: float) -> HostedModelFailed:
        """What an answer that is none means."""
        if response.status_code == 200:
            return HostedModelFailed("the chat model's address shows a web page; it has to be that of an API")
        body = b""
        async with asyncio.timeout_at(min(end_s, asyncio.get_running_loop().time() + self._timeouts.between_s)):
            async for part in response.aiter_raw():
                body += part
                if len(body) > _LONGEST_REFUSAL:
                    break
        headers = {name.lower(): value for name, value in response.headers.items()}
        secrets = (self._key,) if self._key else ()
        told = failure(response.status_code, headers, body[:_LONGEST_REFUSAL], secrets)
        if isinstance(told, Loading):
            return HostedModelFailed("the chat model is still loading", upstream_status=503, retry_after_s=told.pause_s)
        return told

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever httpx raises, as an error of ours that names no address and no key."""
        try:
            yield
        except TimeoutError:
            raise HostedModelTimeout("the chat model took too long") from None
        except httpx.TimeoutException:
            raise HostedModelTimeout("the chat model took too long") from None
        except httpx.ConnectError:
            raise HostedModelFailed("the chat model cannot be reached") from None
        except httpx.HTTPError as error:
            logger.info("chat model failed", extra={"reason": type(error).__name__})
            raise HostedModelFailed("the connection to the chat model broke") from None


def _kind(response: httpx.Response) -> str:
    """The media type of a body."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What follows `data:` in each line of an event stream; lines of other kinds, and empty ones, are left out."""
    held, mark = b"", codecs.BOM_UTF8
    async for part in parts:
        held, mark = (held + part).removeprefix(mark), b""
        *lines, held = _LINE_END.split(held)
        for line in lines:
            if line.startswith(b"data:") and (data := line[5:].strip()):
                yield data
        if len(held) > _LONGEST_LINE:
            raise HostedModelFailed("the chat model sent a line without an end")
    if held.startswith(b"data:") and (data := held[5:].strip()):
        yield data


async def _whole(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body of a server that does not stream."""
    body = b""
    async for part in parts:
        body += part
        if len(body) > _LONGEST_LINE:
            raise HostedModelFailed("the chat model's answer is too long")
    yield body


def _decoded(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise HostedModelFailed("the chat model sent something that is not JSON") from None


def _endpoint(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("chat_url is not an address such as http://127.0.0.1:11434/v1")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/chat/completions") else path + "/chat/completions"
    return parts._replace(path=path, fragment="").geturl()
