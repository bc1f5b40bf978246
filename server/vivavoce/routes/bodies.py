"""Reads a JSON request body without trusting it: bytes are counted, time is bounded, bombs are refused.

What the client sent is never echoed. Called by the HTTP routes.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from vivavoce.errors import InvalidRequest, PayloadTooLarge, ProtocolError, UnsupportedMediaType
from vivavoce.protocols.bounded_json import load_object

_JSON: Final = ("application/json", "text/json", "application/x-json")
# What is written by tools rather than meant: nothing, curl's -d, fetch without headers, requests' data=.
_UNTOLD: Final = ("", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "*/*")
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

    Scripts forget the content type, and curl and beacons of browsers write one of their own: what begins as an object
    is read as one. Pages of other sites are kept away by their Origin, whatever type they name.

    Raises:
        UnsupportedMediaType: If the content type is not JSON, nor one that tools write unasked over an object.
        PayloadTooLarge: If more than `max_bytes` arrive, whatever Content-Length says.
        BodyTooSlow: If it takes longer than `timeout_s`.
        InvalidJson: If it is not a JSON object of sane depth and size.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    declared = kind in _JSON or kind.endswith("+json")
    if not declared and kind not in _UNTOLD:
        raise _not_json()
    body = await read_bytes(request, max_bytes=max_bytes, timeout_s=timeout_s)
    if not declared and body.strip() and not begins_object(body):
        raise _not_json()
    return parse_object(body)


def begins_object(body: bytes) -> bool:
    """Whether a body can be nothing but a JSON object."""
    return body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _not_json() -> UnsupportedMediaType:
    return UnsupportedMediaType("send JSON with the header `Content-Type: application/json`")


def parse_object(body: bytes) -> dict[str, Any]:
    """A JSON object from bytes.

    Raises:
        InvalidJson: If it is empty, not UTF-8, malformed, holds NaN or Infinity, or is too deep or too wide.
    """
    try:
        text = body.decode("utf-8-sig")  # files written on Windows begin with a byte order mark
    except UnicodeDecodeError:
        raise InvalidJson(_NOT_UTF_8) from None
    if not text.strip():
        raise InvalidJson("the body is empty; send a JSON object in it, and nothing in the address")
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
