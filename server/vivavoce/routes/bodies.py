"""Reads a JSON request body without trusting it: bytes are counted, time is bounded, bombs are refused.

What the client sent is never echoed. Called by the HTTP routes.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from vivavoce.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType

MAX_DEPTH = 20
MAX_KEYS = 200


class InvalidJson(InvalidRequest):
    """The body is not JSON, or not JSON that anybody would send in earnest."""

    code = "invalid_json"


class BodyTooSlow(InvalidRequest):
    """The body did not arrive in time."""

    status = 408
    code = "request_timeout"


async def read_json(request: Request, *, max_bytes: int, timeout_s: float) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        UnsupportedMediaType: If the content type is not JSON.
        PayloadTooLarge: If more than `max_bytes` arrive, whatever Content-Length says.
        BodyTooSlow: If it takes longer than `timeout_s`.
        InvalidJson: If it is not a JSON object of sane depth and size.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise UnsupportedMediaType("send JSON with the header `Content-Type: application/json`")
    return parse_object(await read_bytes(request, max_bytes=max_bytes, timeout_s=timeout_s))


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object from bytes.

    Raises:
        InvalidJson: If it is malformed, holds NaN or Infinity, or is too deep or too wide.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise InvalidJson("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise InvalidJson("the body must be a JSON object")
    _check_size(value)
    return value


async def read_bytes(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """The request's body, whatever it is.

    Raises:
        PayloadTooLarge, BodyTooSlow, InvalidJson: As `read_json()`.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise PayloadTooLarge(max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:
                    raise PayloadTooLarge(max_bytes)
    except TimeoutError:
        raise BodyTooSlow(f"the body did not arrive within {timeout_s:.0f} s") from None
    except ClientDisconnect:
        raise InvalidJson("the body was cut off") from None
    return bytes(body)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_size(value: dict[str, Any]) -> None:
    keys = 0
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict):
            keys += len(item)
            children = list(item.values())
        elif isinstance(item, list):
            keys += len(item)
            children = item
        else:
            continue
        if depth > MAX_DEPTH or keys > MAX_KEYS:
            raise InvalidJson("the body is nested too deeply or has too many fields")
        waiting.extend((child, depth + 1) for child in children)
