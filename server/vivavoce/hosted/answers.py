"""What the server of a hosted model says when it does not give what was asked for, in our words. Pure.

Hugging Face's inference, its providers and their proxies answer errors as `{"error": text}`, as a list of texts or of
objects, as `{"error", "estimated_time"}` while a model loads, as plain text, as a page, and as JSON with status 200.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from vivavoce.errors import HostedModelBusy, HostedModelFailed, HostedModelTimeout

MAX_SENTENCE = 300
MAX_PAUSE_S = 20.0  # between two questions to a model that is loading
MAX_RETRY_AFTER_S = 3600.0
MAX_DEPTH = 4  # of objects in an error; and so many of a list are told
_SAYING = ("error", "errors", "detail", "message", "msg", "reason", "title")  # fields that hold a sentence, best first

_GENERAL = {
    401: "it does not know the token",
    402: "the account has no credit left",
    403: "the token may not use this model",
    404: "it knows no such model",
    410: "this address was closed",
    413: "what was sent is too large for it",
}


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is not ready; asking again makes sense after the pause."""

    pause_s: float


def failure(
    status: int, headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...] = ()
) -> HostedModelFailed | Loading:
    """What a refusing answer means.

    Args:
        status: of HTTP; 200 where the body is an error all the same.
        headers: names in lower case.
        body: its beginning.
        secrets: never repeated, should the answer quote them.
    """
    content = _parsed(body)
    if status == 503 and isinstance(content, dict) and "estimated_time" in content:
        return Loading(pause_of(content["estimated_time"]))
    said = _clean(_said(content, body, headers.get("content-type", "")), secrets)
    reason = said or _GENERAL.get(status) or "it gave no reason"
    message = f"the model's server failed: {reason}" if status == 200 else f"the model's server says {status}: {reason}"
    pause = _pause(headers)
    if status == 429:
        return HostedModelBusy(message, upstream_status=status, retry_after_s=1.0 if pause is None else pause)
    if status in (408, 504):
        return HostedModelTimeout(message, upstream_status=status)
    return HostedModelFailed(message, upstream_status=status, retry_after_s=pause)


def is_error(content: Any) -> bool:
    """True for the JSON of an error, whatever its status said."""
    return isinstance(content, dict) and bool(content.get("error"))


def pause_of(estimated_time: object) -> float:
    """Seconds to wait for a model that says it needs so many."""
    if isinstance(estimated_time, bool) or not isinstance(estimated_time, (int, float, str)):
        return MAX_PAUSE_S
    try:
        seconds = float(estimated_time)
    except (ValueError, OverflowError):  # no number, or a whole one of hundreds of figures
        return MAX_PAUSE_S
    return min(max(seconds, 0.0), MAX_PAUSE_S) if math.isfinite(seconds) else MAX_PAUSE_S


def _parsed(body: bytes) -> Any:
    for text in (body, body.decode("utf-8", "replace")):  # some servers write another encoding, or cut a character
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None


def _said(content: Any, body: bytes, content_type: str) -> str:
    """The sentence in an answer; empty where there is none for people."""
    if content is not None:
        return _sentence(content, MAX_DEPTH)
    return body.decode("utf-8", "replace") if content_type.lower().startswith("text/plain") else ""


def _sentence(content: Any, depth: int) -> str:
    """The first that is said in an object; all of a list."""
    if isinstance(content, str):
        return content.strip()
    if depth and isinstance(content, dict):
        return next((said for name in _SAYING if (said := _sentence(content.get(name), depth - 1))), "")
    if depth and isinstance(content, list):
        return "; ".join(said for each in content[:MAX_DEPTH] if (said := _sentence(each, depth - 1)))
    return ""


def _clean(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return "".join(c if c.isprintable() else " " for c in text[:MAX_SENTENCE]).strip()


def _pause(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, a number or a date (RFC 9110, 10.2.3); None where it is absent or neither.

    A date counts from the answer's own: the two come from one clock.
    """
    text = headers.get("retry-after", "").strip()[:64]
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), MAX_RETRY_AFTER_S)
    until, now = _date(text), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
