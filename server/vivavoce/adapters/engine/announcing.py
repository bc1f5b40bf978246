"""Tells an engine that a service is here, that it still is, and that it goes to sleep.

An engine that is away is asked again, a few times at the start and with every ping; it never keeps the server from
serving. Addresses are the operator's own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from vivavoce.adapters.engine.fields import Field

logger = logging.getLogger(__name__)

ASK_S = 10.0
PING_S = 20.0

Sleep = Callable[[float], Awaitable[None]]


class Described(Protocol):
    """What an engine is told of a service."""

    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def takes(self) -> tuple[Field, ...]: ...
    @property
    def gives(self) -> tuple[Field, ...]: ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """One service at the address where an engine can reach it."""

    service: Described
    url: str
    docs_url: str

    def body(self) -> dict[str, Any]:
        """The report as JSON values, as it is posted to an engine."""
        service = self.service
        return {
            "name": service.name,
            "slug": service.slug,
            "url": self.url,
            "summary": service.summary,
            "description": f"{service.summary}. The model's address and token come in json_description.",
            "status": "available",
            "data_in_fields": [{"name": field.name, "type": list(field.type)} for field in service.takes],
            "data_out_fields": [{"name": field.name, "type": list(field.type)} for field in service.gives],
            "tags": [],
            "docs_url": self.docs_url,
            "has_ai": True,
        }


class Announcer:
    """Posts reports to the engines of the settings: a service is here, still here, or going to sleep.

    Args:
        retries, retry_delay_s: for the first word.
        sleep: between two words.
    """

    def __init__(
        self,
        engines: tuple[str, ...],
        client: httpx.AsyncClient,
        *,
        retries: int = 5,
        retry_delay_s: float = 3.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._engines = tuple(engine.rstrip("/") for engine in engines)
        self._client = client
        self._retries, self._retry_delay_s = retries, retry_delay_s
        self._sleep = sleep

    async def tell(self, callback_url: str, report: dict[str, object]) -> bool:
        """Send a report; True where it was taken, or can never be."""
        answer = await self._ask("PATCH", callback_url, report)
        if answer is not None and 400 <= answer.status_code < 500 and answer.status_code not in (408, 429):
            logger.error("the engine refused a report with %d", answer.status_code)
            return True
        return answer is not None and answer.is_success

    async def keep(self, announcement: Announcement) -> None:
        """Announce to every engine and ping them until cancelled."""
        async with asyncio.TaskGroup() as group:
            for engine in self._engines:
                group.create_task(self._keep(engine, announcement), name="engine-announce")

    async def sleeping(self, announcement: Announcement) -> None:
        """Tell every engine that the service stops, so that no more tasks are sent."""
        for engine in self._engines:
            if (found := await self._find(engine, announcement.service.slug)) is not None:
                await self._ask("PATCH", f"{engine}/services/{found}", {"status": "sleeping"})

    async def _keep(self, engine: str, announcement: Announcement) -> None:
        for _ in range(self._retries):
            if await self._announce(engine, announcement):
                break
            await self._sleep(self._retry_delay_s)
        else:
            logger.warning("the engine was not told of '%s'; it is tried again", announcement.service.slug)
        while True:
            await self._sleep(PING_S)
            if not await self._ping(engine, announcement):
                await self._announce(engine, announcement)  # it may have forgotten us

    async def _announce(self, engine: str, announcement: Announcement) -> bool:
        answer = await self._ask("POST", f"{engine}/services", announcement.body())
        if answer is not None and answer.status_code == 409:
            found = await self._find(engine, announcement.service.slug)
            if found is None:
                return False
            answer = await self._ask("PATCH", f"{engine}/services/{found}", announcement.body())
        return answer is not None and answer.is_success

    async def _ping(self, engine: str, announcement: Announcement) -> bool:
        slug = announcement.service.slug
        answer = await self._ask("POST", f"{engine}/services/{slug}/ping", announcement.body())
        if answer is not None and answer.status_code in (404, 422):  # engines differ in whether they want the id
            if (found := await self._find(engine, slug)) is None:
                return False
            answer = await self._ask("POST", f"{engine}/services/{found}/ping", announcement.body())
        return answer is not None and answer.is_success

    async def _find(self, engine: str, slug: str) -> str | None:
        """The engine's own id of a service."""
        answer = await self._ask("GET", f"{engine}/services/slug/{slug}")
        try:
            found = None if answer is None or not answer.is_success else answer.json().get("id")
        except (ValueError, AttributeError):
            return None
        return found if isinstance(found, str) and found.replace("-", "").isalnum() else None

    async def _ask(self, method: str, url: str, body: object = None) -> httpx.Response | None:
        try:
            async with asyncio.timeout(ASK_S):
                return await self._client.request(method, url, json=body)
        except (httpx.HTTPError, TimeoutError):
            return None
