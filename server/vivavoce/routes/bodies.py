"""Reads a JSON request body without trusting it: bytes are counted, time is bounded, bombs are refused.

What the client sent is never echoed. Called by the HTTP routes.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from vivavoce.errors import InvalidRequest, PayloadTooLarge, ProtocolError, UnsupportedMediaType
from vivavoce.protocols.bounded_json import load_object

_NOT_UTF_8: Final = "the body is not UTF-8; send JSON in UTF-8, whatever the charset of the file was"


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
        InvalidJson: If it is not UTF-8, malformed, holds NaN or Infinity, or is too deep or too wide.
    """
    try:
        text = body.decode("utf-8-sig")  # files written on Windows begin with a byte order mark
    except UnicodeDecodeError:
        raise InvalidJson(_NOT_UTF_8) from None
    if "\0" in text:  # JSON has none; UTF-16 without a mark is full of them
        raise InvalidJson(_NOT_UTF_8)
    try:
        return load_object(text, noun="body")
    except ProtocolError as error:
        raise InvalidJson(error.message) from None


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
