"""Reads a multipart form without trusting it: bytes are counted as they come, fields have a number, time is bounded.

Called by the HTTP routes that take files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from vivavoce.errors import InvalidRequest, Overloaded, PayloadTooLarge, UnsupportedMediaType
from vivavoce.routes.bodies import BodyTooSlow

logger = logging.getLogger(__name__)

BLOCK_BYTES = 1 << 16
_NO_NAME: Final = b'; filename="upload"'
RETRY_AFTER_S = 10.0  # a full disk is not emptied at once


async def read_form(
    request: Request,
    *,
    max_bytes: int,
    timeout_s: float,
    max_files: int = 1,
    max_fields: int = 16,
    max_field_bytes: int = 8192,
    file_fields: Collection[str] = (),
) -> FormData:
    """The form, whole; files go to disk beyond 1 MB. The caller closes it.

    Args:
        max_bytes: of the body.
        max_field_bytes: of a field that is no file.
        file_fields: names of fields that are files whether or not they have a file's name.

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
            async with aclosing(counted.stream()) as stream:
                parser = _Parser(request, stream, file_fields, max_files, max_fields, max_field_bytes)
                return await parser.parse()
    except TimeoutError:
        raise BodyTooSlow(f"the body did not arrive within {timeout_s:.0f} s") from None
    except ClientDisconnect:
        raise InvalidRequest("the body was cut off") from None
    except MultiPartException as error:
        raise InvalidRequest(f"the form cannot be read: {error.message}") from None
    except OSError as error:
        logger.error("an upload could not be kept: %s", error.strerror)
        raise Overloaded("the server has no room for the file now", retry_after_s=RETRY_AFTER_S) from error


class _Parser(MultiPartParser):
    """Gives a file's name to the files that come without one: curl's `-F file=<a.wav`, blobs of some clients."""

    def __init__(
        self,
        request: Request,
        stream: AsyncGenerator[bytes, None],
        file_fields: Collection[str],
        max_files: int,
        max_fields: int,
        max_field_bytes: int,
    ) -> None:
        super().__init__(
            request.headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_field_bytes
        )
        self._file_fields = frozenset(name.encode() for name in file_fields)
        self._name = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        super().on_header_value(data, start, end)

    def on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            if b"filename" not in options and options.get(b"name") in self._file_fields:
                super().on_header_value(_NO_NAME, 0, len(_NO_NAME))
        self._name = self._value = b""
        super().on_header_end()


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
