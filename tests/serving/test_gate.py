"""Nothing in front of the routes may raise, and every answer has its form, whatever made it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from vivavoce.errors import UnknownVoice
from vivavoce.metrics import Metrics
from vivavoce.serving.access import Access
from vivavoce.serving.entries import Entries
from vivavoce.serving.gate import Gate, error_response


async def ask(app: Any, **scope: Any) -> tuple[int, dict[str, str], bytes]:
    """What a gate around an application answers."""
    gate = Gate(app, Access(key_digests=(), hosts=["*"], origins=(), metrics=Metrics()), Entries([]), Metrics())
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "GET", "path": "/", "headers": [], "root_path": "", **scope}
    await gate(whole, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


async def test_what_nobody_foresaw_has_the_form_of_errors(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError("hush")

    status, headers, body = await ask(broken)
    assert (status, set(json.loads(body)["error"])) == (500, {"message", "type", "param", "code"})
    assert headers["x-request-id"]
    assert b"hush" not in body
    assert "ZeroDivisionError" in caplog.text


async def test_a_failure_after_the_beginning_is_not_answered_twice() -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask(breaks_off)


async def test_a_page_that_says_nothing_has_a_policy() -> None:
    _, headers, _ = await ask(HTMLResponse("<script src='https://evil.example'></script>"))
    assert headers["content-security-policy"].startswith("default-src 'self'")
    own = HTMLResponse("", headers={"content-security-policy": "default-src 'none'"})
    assert (await ask(own))[1]["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    "kind",
    ["text/html", "TEXT/HTML; charset=x", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"],
)
async def test_whatever_a_browser_runs_scripts_of_has_a_policy(kind: str) -> None:
    """A model elsewhere or a mounted application says what its answer is."""
    _, headers, _ = await ask(Response("<svg onload='alert(1)'/>", headers={"content-type": kind}))
    assert headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")


async def test_sound_and_json_need_none() -> None:
    for kind in ("audio/mpeg", "application/json", "text/event-stream"):
        assert "content-security-policy" not in (await ask(Response("", media_type=kind)))[1]


@pytest.mark.parametrize("path", ["", "/", "//", "/\ud800", "/%", "/v1/\udcff", "/" + "a/" * 2000])
async def test_no_path_is_too_odd(path: str) -> None:
    status, _, _ = await ask(HTMLResponse(""), path=path)
    assert status == 200


def test_half_a_character_in_a_name_is_no_failure() -> None:
    answer = error_response(UnknownVoice("\ud800", ["a"]))
    assert "error" in json.loads(bytes(answer.body))
