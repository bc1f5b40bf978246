"""Reads a multipart form without trusting it: bytes are counted as they come, fields have a number, time is bounded.

Called by the HTTP routes that take files.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from vivavoce.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from vivavoce.routes.bodies import BodyTooSlow


async def read_form(
    request: Request,
    *,
    max_bytes: int,
    timeout_s: float,
    max_files: int = 1,
    max_fields: int = 16,
    max_field_bytes: int = 8192,
) -> FormData:
    """The form, whole; files go to disk beyond 1 MB. The caller closes it.

    Args:
        max_bytes: of the body.
        max_field_bytes: of a field that is no file.

    Raises:
        UnsupportedMediaType: If it is no multipart form.
        PayloadTooLarge: If more than `max_bytes` arrive, whatever Content-Length says.
        BodyTooSlow: If it takes longer than `timeout_s`.
        InvalidRequest: If it is malformed or has too many parts.
    """
    if media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType("send a form with the header `Content-Type: multipart/form-data`")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise PayloadTooLarge(max_bytes)
    counted = Request(request.scope, _counting(request.receive, max_bytes))
    try:
        async with asyncio.timeout(timeout_s):
            return await counted.form(max_files=max_files, max_fields=max_fields, max_part_size=max_field_bytes)
    except TimeoutError:
        raise BodyTooSlow(f"the body did not arrive within {timeout_s:.0f} s") from None
    except ClientDisconnect:
        raise InvalidRequest("the body was cut off") from None
    except HTTPException as error:  # Starlette's own word for a malformed form
        raise InvalidRequest(f"the form cannot be read: {error.detail}") from None


def media_type(request: Request) -> str:
    """The body's declared type, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _counting(receive: Receive, max_bytes: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise PayloadTooLarge(max_bytes)
        return message

    return counted
