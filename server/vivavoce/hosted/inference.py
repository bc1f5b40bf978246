"""The client of models on other machines: Hugging Face's inference, its providers, and servers that speak like it.

    async with models.sound(models.target(url), token, "rain on a tin roof") as sound:
        async for part in sound:          # bytes of a file, as the other machine sends them
            ...
    captions = await models.caption(models.target(url), token, jpeg, "image/jpeg")

A stranger may name the address, so every call is bounded: in time until the answer begins, between two parts of it and
as a whole, and in bytes. A model that is loading is waited for inside the same deadline. The token goes to the host it
was given for and nowhere else: not to another host that answers, not to a log, not into an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from vivavoce.errors import HostedModelFailed
from vivavoce.hosted.addresses import HUGGING_FACE, MEDIA_HOSTS, AddressRefused, Allowlist, Target, check_url
from vivavoce.hosted.asking import Asker, HostedLimits, Question, Sleep, media_type_of, next_part


class HostedSound:
    """The sound that a model answers, part by part.

    Attributes:
        media_type: what its server calls it, in lower case without parameters.
        received: bytes so far.
    """

    def __init__(self, response: httpx.Response, limits: HostedLimits, end_s: float) -> None:
        self.media_type = media_type_of(response)
        self.received = 0
        self._parts = response.aiter_raw()
        self._limits = limits
        self._end_s = end_s

    def __aiter__(self) -> HostedSound:
        return self

    async def __anext__(self) -> bytes:
        part = await next_part(self._parts, self._limits.stall_s, self._end_s)
        self.received += len(part)
        if self.received > self._limits.max_bytes:
            raise HostedModelFailed(f"the model's answer is larger than {self._limits.max_bytes >> 20} MiB")
        return part


class HostedModels:
    """Calls models by their address.

    Args:
        transport: makes the connections; `dialing.PinnedTransport` where strangers name addresses.
        hosts: allowed besides Hugging Face's own.
        tokens: host -> the server's own token for it.
        sleep: waits for a model that is loading.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        hosts: tuple[str, ...] = (),
        tokens: Mapping[str, str] | None = None,
        limits: HostedLimits | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.limits = limits or HostedLimits()
        self._allowed = Allowlist((*HUGGING_FACE, *hosts))
        self._media = Allowlist((*HUGGING_FACE, *hosts, *MEDIA_HOSTS))
        self._tokens = dict(tokens or {})
        self._asker = Asker(transport, self.limits, sleep=sleep)

    def target(self, address: str, *, param: str = "api_url") -> Target:
        """The address, once it has passed the rules.

        Raises:
            AddressRefused: If it has not.
        """
        return check_url(address, self._allowed, param=param)

    def own_token(self, target: Target) -> str | None:
        """The token that this server was given for the target's host, by its name or by `*.` and one above it."""
        labels = target.host.split(".")
        above = ["*." + ".".join(labels[k:]) for k in range(1, len(labels))]
        return next((self._tokens[name] for name in (target.host, *above) if name in self._tokens), None)

    @asynccontextmanager
    async def sound(
        self, target: Target, token: str | None, text: str, parameters: Mapping[str, Any] | None = None
    ) -> AsyncIterator[HostedSound]:
        """What a text-to-speech or text-to-audio model makes of a text; leaving the block hangs up.

        Raises:
            HostedModelFailed: If it makes no sound of it (`HostedModelTimeout`, `HostedModelBusy` among them).
            AddressRefused: If its name leads to a private address.
        """
        end_s = asyncio.get_running_loop().time() + self.limits.whole_s
        async with self._asker.ask(target, token, _spoken_question(target, text, parameters)) as response:
            if "json" not in (kind := media_type_of(response)):
                if kind.startswith("text/"):
                    raise HostedModelFailed(f"the model answers {kind}, not sound")
                yield HostedSound(response, self.limits, end_s)
                return
            place = self._placed(_sound_url(await self._asker.json(response, token)))
        async with self._asker.ask(place, None, None) as response:
            yield HostedSound(response, self.limits, end_s)

    def _placed(self, address: str) -> Target:
        """Where a provider says its sound is; a place that is not gone to is the provider's fault."""
        try:
            return check_url(address, self._media)
        except AddressRefused:
            raise HostedModelFailed(
                "the model's sound lies on a host that is not called from here; the setting hosted_hosts adds more"
            ) from None

    @asynccontextmanager
    async def hear(self, target: Target, token: str | None, question: Question) -> AsyncIterator[HostedSound]:
        """The sound that answers a question, whatever its shape; leaving the block hangs up.

        Raises:
            HostedModelFailed: If the answer is none.
        """
        end_s = asyncio.get_running_loop().time() + self.limits.whole_s
        async with self._asker.ask(target, token, question) as response:
            sound = HostedSound(response, self.limits, end_s)
            if "json" in sound.media_type or sound.media_type.startswith("text/"):
                raise HostedModelFailed(f"the model answers {sound.media_type}, not sound")
            yield sound

    async def caption(self, target: Target, token: str | None, image: bytes, media_type: str) -> Any:
        """The JSON that an image-to-text model answers.

        Raises:
            HostedModelFailed, AddressRefused: As `sound()`.
        """
        async with self._asker.ask(target, token, Question(image, media_type, "application/json")) as response:
            return await self._asker.json(response, token)

    async def transcript(self, target: Target, token: str | None, audio: bytes, media_type: str) -> dict[str, Any]:
        """`{"text", "chunks"?}` of a recognition model.

        Raises:
            HostedModelFailed, AddressRefused: As `sound()`.
        """
        return await self.words(target, token, Question(audio, media_type, "application/json"))

    async def words(self, target: Target, token: str | None, question: Question) -> dict[str, Any]:
        """The same for a question of any shape.

        Raises:
            HostedModelFailed, AddressRefused: As `sound()`.
        """
        async with self._asker.ask(target, token, question) as response:
            content = await self._asker.json(response, token)
        if not isinstance(content, dict) or not isinstance(content.get("text"), str):
            raise HostedModelFailed("the model's answer holds no text")
        return content

    async def aclose(self) -> None:
        """Hang up everywhere."""
        await self._asker.aclose()


def _spoken_question(target: Target, text: str, parameters: Mapping[str, Any] | None) -> Question:
    """A text in the shape that the provider behind the router reads; all others read Hugging Face's own."""
    provider = target.url.removeprefix("https://router.huggingface.co/").partition("/")[0]
    fields: dict[str, Any]
    headers: dict[str, str] = {}
    if target.host == "router.huggingface.co" and provider == "fal-ai":
        fields = {"text": text, **(parameters or {})}
    elif target.host == "router.huggingface.co" and provider == "replicate":
        fields, headers = {"input": {"text": text, **(parameters or {})}}, {"prefer": "wait"}
    else:
        fields = {"inputs": text} | ({"parameters": dict(parameters)} if parameters else {})
    body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")  # parameters may hold half a character
    return Question(body, "application/json", "audio/*, */*", headers)


def _sound_url(content: Any) -> str:
    """Where a provider has put the sound."""
    match content:
        case {"audio": {"url": str(url)}} | {"output": str(url)} | {"output": [str(url), *_]}:
            return url
    raise HostedModelFailed("the model answers JSON, not sound")
