"""What `/v1/hosted/...` is asked for: the forms of the services these routes stand in for, and the same as JSON.

The form has `json_description` (JSON: `api_url`, `api_token`) and `input_text` or `input_image`. The JSON body has the
same names, the picture in base64; the description's fields may also stand beside them.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from vivavoce.audio.encoders import FORMATS
from vivavoce.config import LimitSettings
from vivavoce.errors import EmptyInput, InvalidRequest, TextTooLong, UnsupportedFormat, UnsupportedMediaType
from vivavoce.format_names import format_named
from vivavoce.hosted.captions import Picture, look_at
from vivavoce.routes.bodies import read_json
from vivavoce.routes.forms import media_type, read_form
from vivavoce.routes.hosted_description import Description, inline_description, read_description

MAX_DESCRIPTION = 1 << 16
MAX_INLINE_IMAGE = 4 << 20  # in base64, which is read in one go; larger ones come as a form
_UNDECLARED = ("", "application/octet-stream")  # what clients say of a file they know nothing of
_TEXT = ("text/plain",)
_JSON = ("application/json",)
_PICTURES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True)
class TextToAudio:
    """A text and the format its sound is wanted in."""

    description: Description
    text: str
    format: str


@dataclass(frozen=True, slots=True)
class ImageToText:
    """A picture and what is known of it."""

    description: Description
    image: bytes = field(repr=False)
    picture: Picture


async def read_text_to_audio(request: Request, limits: LimitSettings, *, format: str | None) -> TextToAudio:
    """The wish of a form or a JSON body.

    Raises:
        InvalidRequest: If it is incomplete or wrong, with the field at fault as `param`.
    """
    max_bytes = MAX_DESCRIPTION + limits.max_body_kib * 1024
    if media_type(request) == "multipart/form-data":
        form = await read_form(request, max_bytes=max_bytes, timeout_s=limits.body_timeout_s, max_files=2)
        try:
            described = await _part(form, "json_description", _JSON, MAX_DESCRIPTION)
            text = _decoded(await _part(form, "input_text", _TEXT, max_bytes), "input_text")
            format = format or _optional_text(form, "format")
        finally:
            await form.close()
        return _text_to_audio(read_description(described), text, format, limits)
    fields = await read_json(request, max_bytes=max_bytes, timeout_s=limits.body_timeout_s)
    inline = fields.get("input_text")
    if not isinstance(inline, str):
        raise InvalidRequest("input_text is missing", param="input_text")
    return _text_to_audio(inline_description(fields), inline, format or fields.get("format"), limits)


async def read_image_to_text(request: Request, limits: LimitSettings) -> ImageToText:
    """The same for a picture."""
    max_image = limits.max_upload_mib << 20
    if media_type(request) == "multipart/form-data":
        max_bytes = MAX_DESCRIPTION + max_image
        form = await read_form(request, max_bytes=max_bytes, timeout_s=limits.body_timeout_s, max_files=2)
        try:
            described = await _part(form, "json_description", _JSON, MAX_DESCRIPTION)
            declared, image = _type_of(form, "input_image"), await _part(form, "input_image", _PICTURES, max_image)
        finally:
            await form.close()
        return _image_to_text(read_description(described), image, declared)
    max_bytes = MAX_DESCRIPTION + min(max_image, MAX_INLINE_IMAGE) * 4 // 3
    fields = await read_json(request, max_bytes=max_bytes, timeout_s=limits.body_timeout_s)
    declared, image = _inline_image(fields.get("input_image"))
    return _image_to_text(inline_description(fields), image, declared)


def read_text(data: bytes, limits: LimitSettings) -> str:
    """The text to speak, from an uploaded form.

    Raises:
        InvalidRequest: If it is no UTF-8, blank or too long.
    """
    return _checked_text(_decoded(data, "input_text"), limits)


def _text_to_audio(description: Description, text: str, format: Any, limits: LimitSettings) -> TextToAudio:
    format = "ogg" if format is None else format
    name = format_named(format).name if isinstance(format, str) else ""
    if name not in FORMATS:
        raise UnsupportedFormat(str(format), FORMATS)
    return TextToAudio(description, _checked_text(text, limits), name)


def _checked_text(text: str, limits: LimitSettings) -> str:
    text = text.encode("utf-8", "ignore").decode("utf-8")  # half a surrogate pair is no character
    if not text.strip():
        raise EmptyInput("input_text holds nothing", param="input_text")
    if len(text) > limits.max_text:
        raise TextTooLong(len(text), limits.max_text, param="input_text")
    return text


def _image_to_text(description: Description, image: bytes, declared: str) -> ImageToText:
    picture = look_at(image)
    if declared not in (*_UNDECLARED, picture.media_type):
        raise UnsupportedMediaType(f"input_image is called {declared} but is {picture.media_type}", param="input_image")
    return ImageToText(description, image, picture)


# -- the parts of a form


async def _part(form: FormData, name: str, kinds: tuple[str, ...], max_bytes: int) -> bytes:
    """A field's bytes, whether it came as a file or as text.

    Raises:
        InvalidRequest: If it is not there exactly once.
        UnsupportedMediaType: If it says that it is something else.
    """
    values = form.getlist(name)
    if len(values) != 1:
        raise InvalidRequest(f"{name} is missing" if not values else f"{name} was sent twice", param=name)
    value = values[0]
    if isinstance(value, str):
        return value.encode()
    declared = _type_of(form, name)
    if declared not in (*_UNDECLARED, *kinds):
        raise UnsupportedMediaType(f"{name} must be {' or '.join(kinds)}, not {declared[:64]}", param=name)
    data = await value.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise InvalidRequest(f"{name} is larger than {max_bytes} bytes", param=name)
    return data


def _type_of(form: FormData, name: str) -> str:
    value = form.get(name)
    declared = value.content_type if isinstance(value, UploadFile) else None
    return "".join(c for c in (declared or "").partition(";")[0].strip().lower() if c.isprintable())


def _optional_text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else None


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} is not text in UTF-8", param=name) from None


def _inline_image(value: Any) -> tuple[str, bytes]:
    """(declared type, bytes) of a picture in base64, bare or as a data URL."""
    if not isinstance(value, str):
        raise InvalidRequest("input_image is missing; send it in base64", param="input_image")
    declared = ""
    if value.startswith("data:"):
        head, _, value = value.removeprefix("data:").partition(",")
        declared = head.partition(";")[0].lower()
    try:
        return declared, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("input_image is not base64", param="input_image") from None
