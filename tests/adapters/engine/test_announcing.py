"""What engines are told: that a service is here, that it still is, that it sleeps."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
import pytest

from vivavoce.adapters.engine.announcing import Announcement, Announcer
from vivavoce.adapters.engine.fields import Field

ENGINE = "http://engine:8080/api"


class Here:
    name = "A service"
    slug = "a-service"
    summary = "Does something"
    takes = (Field("json_description", ("application/json",)), Field("input_image", ("image/jpeg", "image/png")))
    gives = (Field("result", ("application/json",)),)


class Engine:
    """Answers by method and path; keeps what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        self.asked.append((what, json.loads(request.content) if request.content else None))
        answer = self.answers.get(what, 200)
        answer = answer.pop(0) if isinstance(answer, list) and len(answer) > 1 else answer
        answer = answer[0] if isinstance(answer, list) else answer
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, json=answer) if isinstance(answer, dict) else httpx.Response(answer)

    @property
    def what(self) -> list[str]:
        return [what for what, _ in self.asked]


class Naps:
    """Sleeps so often and then for ever."""

    def __init__(self, times: int) -> None:
        self.s: list[float] = []
        self._times = times

    async def __call__(self, seconds: float) -> None:
        self.s.append(seconds)
        if len(self.s) > self._times:
            await asyncio.Event().wait()


async def kept(engine: Engine, naps: int) -> list[float]:
    """Announce and ping; returns the pauses."""
    sleep = Naps(naps)
    async with httpx.AsyncClient(transport=httpx.MockTransport(engine)) as client:
        announcer = Announcer((ENGINE + "/",), client, sleep=sleep)
        keeping = asyncio.create_task(announcer.keep(Announcement(Here(), "http://here/x", "http://docs")))
        for _ in range(200):
            await asyncio.sleep(0)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
    return sleep.s


async def test_a_service_is_announced_and_pings() -> None:
    engine = Engine({})
    assert await kept(engine, 2) == [20.0, 20.0, 20.0]
    assert engine.what == ["POST /api/services", *["POST /api/services/a-service/ping"] * 2]
    body = engine.asked[0][1]
    assert body["slug"] == "a-service"
    assert body["url"] == "http://here/x"
    assert body["data_in_fields"][1] == {"name": "input_image", "type": ["image/jpeg", "image/png"]}
    assert body["data_out_fields"] == [{"name": "result", "type": ["application/json"]}]
    assert {"name", "summary", "description", "status", "tags", "docs_url", "has_ai"} < set(body)


async def test_a_service_that_is_known_is_brought_up_to_date() -> None:
    engine = Engine({"POST /api/services": 409, "GET /api/services/slug/a-service": {"id": "abc-1"}})
    await kept(engine, 0)
    assert engine.what == ["POST /api/services", "GET /api/services/slug/a-service", "PATCH /api/services/abc-1"]
    assert engine.asked[2][1]["url"] == "http://here/x"


async def test_an_engine_that_is_away_is_asked_again() -> None:
    engine = Engine({"POST /api/services": [httpx.ConnectError("away"), 500, 200]})
    assert (await kept(engine, 3))[:3] == [3.0, 3.0, 20.0]
    gone = Engine({"POST /api/services": 500, "POST /api/services/a-service/ping": 500})
    assert await kept(gone, 6) == [3.0] * 5 + [20.0] * 2
    assert gone.what.count("POST /api/services") == 6  # five at first, and one more with the ping that failed


async def test_engines_that_want_their_own_id_in_a_ping() -> None:
    known: dict[str, Any] = {
        "POST /api/services/a-service/ping": 404,
        "GET /api/services/slug/a-service": {"id": "abc-1"},
    }
    engine = Engine(known)
    await kept(engine, 1)
    assert engine.what[-1] == "POST /api/services/abc-1/ping"


async def test_a_service_goes_to_sleep() -> None:
    engine = Engine({"GET /api/services/slug/a-service": {"id": "abc-1"}})
    async with httpx.AsyncClient(transport=httpx.MockTransport(engine)) as client:
        await Announcer((ENGINE,), client).sleeping(Announcement(Here(), "http://here/x", "http://docs"))
    assert engine.asked[-1] == ("PATCH /api/services/abc-1", {"status": "sleeping"})


@pytest.mark.parametrize(
    ("answer", "taken"),
    [(200, True), (204, True), (404, True), (429, False), (500, False), (httpx.ReadTimeout("x"), False)],
)
async def test_a_report_is_taken_or_not(answer: Any, taken: bool) -> None:
    engine = Engine({"PATCH /tasks/1": answer})
    async with httpx.AsyncClient(transport=httpx.MockTransport(engine)) as client:
        assert await Announcer((ENGINE,), client).tell("http://engine:8080/tasks/1", {"status": "finished"}) is taken
