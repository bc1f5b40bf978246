"""A recording as it reaches a route, in whichever way its client sends it: on disk, with the fields that came along.

    multipart/form-data     OpenAI's clients: the file before or behind the options, as it is or written as base64
    application/json        Open WebUI's `input_audio`, Hugging Face's `inputs`: base64
    anything else           the bytes themselves, as Hugging Face's clients send them; options in the query

Bytes are counted while they come. Called by the routes that listen.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request

from vivavoce.audio.containers import HEAD_BYTES, sniff
from vivavoce.config import LimitSettings
from vivavoce.errors import InvalidRequest, Overloaded, PayloadTooLarge, UnsupportedMediaType
from vivavoce.routes.bodies import BodyTooSlow, parse_object
from vivavoce.routes.forms import RETRY_AFTER_S, blocks_of, media_type, read_form
from vivavoce.routes.inline_audio import (
    BASE64_HEAD_BYTES,
    SOUND_NAMES,
    Base64Reader,
    InlineAudio,
    holds_base64,
    short_sound,
)

logger = logging.getLogger(__name__)

IN_MEMORY_BYTES = 1 << 20  # a longer recording goes to disk, as files of forms do
MAX_FIELDS = 64
MAX_FIELD_BYTES = 1 << 20  # clips of known speakers come as fields; they are ignored
MAX_JSON_BYTES = 1 << 17  # beside the recording
FORM_ROOM_BYTES = 1 << 16  # for names and options, beside a file of the allowed size
FILE_FIELDS = ("file", "file[]", "audio", "audio_file", "audio_base64", "audio_data", "input_audio", "recording")
_FORM = "application/x-www-form-urlencoded"  # also what curl's --data-binary says of a recording
_REFUSED = ("text/html", "application/xml", "text/xml")


@dataclass(slots=True)
class Upload:
    """What a client sent. Close it in any case.

    Attributes:
        fields: option -> its values, in the order they came; names as they were written.
        hugging_face: it came in their form, and wants their answer.
    """

    fields: dict[str, list[Any]]
    hugging_face: bool = False
    _file: UploadFile | None = field(default=None, repr=False)
    _form: FormData | None = field(default=None, repr=False)

    def blocks(self) -> AsyncIterator[bytes]:
        """The recording, piece by piece.

        Raises:
            InvalidRequest: If none was sent.
        """
        if self._file is None:
            raise InvalidRequest("the field 'file' is required", param="file")
        return blocks_of(self._file)

    async def close(self) -> None:
        """Any number of times."""
        if self._form is not None:
            await self._form.close()
        if self._file is not None:
            await self._file.close()


async def read_upload(request: Request, limits: LimitSettings) -> Upload:
    """Read the whole request.

    Raises:
        InvalidRequest: If it is malformed, too big, or brings no recording.
        Overloaded: If the disk has no room for it.
    """
    kind = media_type(request)
    if kind == "multipart/form-data":
        return await _from_form(request, limits)
    if kind in _REFUSED:
        raise _no_recording()
    spooled = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed by Upload
    file = UploadFile(cast(BinaryIO, spooled))
    query: dict[str, list[Any]] = {name: request.query_params.getlist(name) for name in request.query_params}
    upload = Upload(query, _file=file)
    try:
        if kind == "application/json" or kind.endswith("+json"):
            await _from_json(request, upload, file, limits)
        else:
            upload.hugging_face = True
            await _write(file, _body(request, limits.max_upload_mib << 20, limits.body_timeout_s))
            if kind == _FORM and not await _is_recording(file):
                raise _no_recording()
            upload._file = await _as_sound(file)
        upload.hugging_face = upload.hugging_face and "response_format" not in upload.fields
        if upload._file is None or not upload._file.file.tell():
            raise InvalidRequest("the body holds no recording", param="file")
    except BaseException:
        await upload.close()
        raise
    return upload


def _no_recording() -> UnsupportedMediaType:
    return UnsupportedMediaType("send a form with the header `Content-Type: multipart/form-data`, or the audio itself")


async def _is_recording(file: UploadFile) -> bool:
    """Whether it begins as a container of sound does."""
    end = file.file.tell()
    await file.seek(0)
    head = await file.read(HEAD_BYTES)
    await file.seek(end)
    return sniff(head) is not None


async def _as_sound(file: UploadFile) -> UploadFile:
    """The same, or what it holds where it is a text: scripts write a recording as base64, or as a data address."""
    end = file.file.tell()
    await file.seek(0)
    if not holds_base64(await file.read(BASE64_HEAD_BYTES)):
        await file.seek(end)
        return file
    spooled = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # closed by Upload
    sound = UploadFile(cast(BinaryIO, spooled))
    reader = Base64Reader()

    async def decoded() -> AsyncIterator[bytes]:
        async for block in blocks_of(file):
            yield reader.feed(block)
        yield reader.flush()

    try:
        await _write(sound, decoded())
    except BaseException:
        await sound.close()
        raise
    await file.close()
    return sound


async def _from_form(request: Request, limits: LimitSettings) -> Upload:
    form = await read_form(
        request,
        max_bytes=(limits.max_upload_mib << 20) + FORM_ROOM_BYTES,
        timeout_s=limits.body_timeout_s,
        max_files=4,
        max_fields=MAX_FIELDS,
        max_field_bytes=MAX_FIELD_BYTES,
        file_fields=FILE_FIELDS,
    )
    try:
        fields: dict[str, list[Any]] = {name: request.query_params.getlist(name) for name in request.query_params}
        files: list[UploadFile] = []
        others: list[UploadFile] = []
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields.setdefault(name, []).append(value)
            elif name in FILE_FIELDS:
                files.append(value)
            elif not name.startswith("known_speaker"):
                others.append(value)
        files = files or others  # a single file can be nothing but the recording
        if len(files) != 1:
            what = "was sent twice" if files else "is required, as a file"
            raise InvalidRequest(f"the field 'file' {what}", param="file")
        if (files[0].size or 0) > limits.max_upload_mib << 20:
            raise PayloadTooLarge(limits.max_upload_mib << 20)
        file = await _as_sound(files[0])
    except BaseException:
        await form.close()
        raise
    return Upload(fields, _file=file, _form=form)


async def _from_json(request: Request, upload: Upload, file: UploadFile, limits: LimitSettings) -> None:
    """The recording goes to the file, the rest becomes fields."""
    most = limits.max_upload_mib << 20
    inline = InlineAudio(MAX_JSON_BYTES)

    async def sound() -> AsyncIterator[bytes]:
        written = 0
        async for block in _body(request, most * 4 // 3 + MAX_JSON_BYTES, limits.body_timeout_s):
            for part in inline.feed(block):
                written += len(part)
                if written > most:
                    raise PayloadTooLarge(most)
                yield part

    await _write(file, sound())
    fields = parse_object(bytes(inline.json))
    upload.hugging_face = "inputs" in fields
    if not inline.has_sound:
        await file.write(inline.short(short_sound(fields)))
    for name, value in _flat(fields).items():
        if name not in SOUND_NAMES and value is not None:
            upload.fields[name] = value if isinstance(value, list) else [value]


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Hugging Face's clients put options into `parameters`, and those of the model into an object of these."""
    found = dict(fields)
    for name in ("parameters", "generation_parameters", "generate_kwargs"):
        inner = found.pop(name, None)
        found |= inner if isinstance(inner, Mapping) else {}
    return found


async def _body(request: Request, max_bytes: int, timeout_s: float) -> AsyncIterator[bytes]:
    """The body as it comes, counted, with a deadline for all of it."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise PayloadTooLarge(max_bytes)
    received = 0
    deadline_s = asyncio.get_running_loop().time() + timeout_s
    parts = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout_at(deadline_s):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise BodyTooSlow(f"the body did not arrive within {timeout_s:.0f} s") from None
        except ClientDisconnect:
            raise InvalidRequest("the body was cut off") from None
        received += len(part)
        if received > max_bytes:
            raise PayloadTooLarge(max_bytes)
        yield part


async def _write(file: UploadFile, blocks: AsyncIterator[bytes]) -> None:
    try:
        async for block in blocks:
            if block:
                await file.write(block)
    except OSError as error:
        logger.error("an upload could not be kept: %s", error.strerror)
        raise Overloaded("the server has no room for the file now", retry_after_s=RETRY_AFTER_S) from error
