"""Reads a multipart form without trusting it: bytes are counted as they come, fields have a number, time is bounded.

Called by the HTTP routes that take files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from vivavoce.errors import InvalidRequest, Overloaded, PayloadTooLarge, UnsupportedMediaType
from vivavoce.routes.bodies import BodyTooSlow

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 16
RETRY_AFTER_S = 10.0  # a full disk is not emptied at once


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
        Overloaded: If the disk has no room for it.
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
    except OSError as error:
        logger.error("an upload could not be kept: %s", error.strerror)
        raise Overloaded("the server has no room for the file now", retry_after_s=RETRY_AFTER_S) from error


async def blocks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    """The bytes of an uploaded file, piece by piece."""
    await upload.seek(0)
    while data := await upload.read(BLOCK_BYTES):
        yield data


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
