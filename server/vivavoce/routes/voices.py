"""The routes that make and unmake voices: a clone from an uploaded clip, and its end.

A clone is a reference clip on the weights of a voice that is already here, so an upload never brings a model. What
arrives is counted, decoded in a process with limits of its own and written again; of the client's words only an id made
of plain letters reaches the disk. Access is checked before a route runs (`gate.py`). Mounted by `server.py`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse

from vivavoce.config import LimitSettings
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import (
    Conflict,
    InvalidRequest,
    NotYours,
    VivaVoceError,
    VoicePackError,
    VoiceUnavailable,
)
from vivavoce.languages import AUTO, LANGUAGES, language_code
from vivavoce.routes.errors import ERRORS
from vivavoce.routes.forms import blocks_of, read_form
from vivavoce.routes.voice_shape import describe
from vivavoce.serving.access import ANONYMOUS
from vivavoce.voices.clip import REFERENCE_RULES, Clip
from vivavoce.voices.install import NewReference, clone, owner_of, remove
from vivavoce.voices.pack import VOICE_ID, VoicePack
from vivavoce.voices.store import VoiceStore

logger = logging.getLogger(__name__)

MAX_CLONES = 200  # made over HTTP; each takes at most 4 MB of disk
MAX_CLONES_PER_OWNER = 40
MAX_NAME = 64  # characters; everybody sees them in the lists
MAX_MARKS = 3  # on one letter; pointed Hebrew and Tibetan have as many

_FORM = {
    "type": "object",
    "required": ["name", "audio_sample", "ref_text"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 64, "description": "What the voice is called."},
        "audio_sample": {"type": "string", "format": "binary", "description": "3 to 10 seconds of one speaker."},
        "ref_text": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "What is said in the clip."},
        "language": {"type": "string", "description": "One of " + ", ".join((AUTO, *LANGUAGES)), "default": AUTO},
        "base": {
            "type": "string",
            "description": "Id of the voice whose weights speak; may be left out if there is one.",
        },
    },
}


@dataclass(frozen=True, slots=True)
class _CloneForm:
    """The fields of the upload, each of the right type."""

    name: str
    sample: UploadFile
    text: str
    language: str | None
    base: str | None


def voices_router(
    store: VoiceStore,
    limits: LimitSettings,
    default_voice: str | None,
    decoding: DecodingService,
    find: Callable[[str], VoiceInfo | None],
    forget: Callable[[str], None],
    is_reserved: Callable[[str], bool] = lambda _: False,
) -> APIRouter:
    """`POST /v1/audio/voices` and `DELETE /v1/audio/voices/{voice_id}`.

    Args:
        store: where voices are found and clones are made.
        limits: of uploads.
        default_voice: the base where none is named.
        decoding: reads the clips.
        find: the voice of an id, as its engine describes it.
        forget: called with the id of a deleted voice, so that it leaves memory.
        is_reserved: tells the ids that no clone may have, since they mean something else to clients.
    """
    one_at_a_time = threading.Lock()  # between the count of the clones and the next one
    router = APIRouter(tags=["voices"], responses=ERRORS)

    def make(base: str, fields: _CloneForm, clip: Clip, owner: str) -> VoicePack:
        with one_at_a_time:
            _require_room(store, owner)
            return _clone(store, base, fields, clip, owner, is_reserved)

    @router.post(
        "/v1/audio/voices",
        summary="Clone a voice from a short clip",
        status_code=201,
        response_class=JSONResponse,
        openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
    )
    async def create(request: Request) -> JSONResponse:
        form = await read_form(
            request,
            max_bytes=limits.max_upload_mib << 20,
            timeout_s=limits.body_timeout_s,
            file_fields=("audio_sample",),
        )
        try:
            fields = _fields(form)
            owner: str = request.state.owner
            base = await asyncio.to_thread(_base_of, store, default_voice, fields, owner)
            decoded = await decoding.decode(
                blocks_of(fields.sample), owner=request.state.client, sample_rate=None, rules=REFERENCE_RULES
            )
            clip = Clip(decoded.samples, decoded.sample_rate)
            pack = await asyncio.to_thread(make, base, fields, clip, owner)
        finally:
            await form.close()
        made = await asyncio.to_thread(_described, pack, find)
        return JSONResponse(made, status_code=201, headers={"location": f"/v1/audio/voices/{pack.id}"})

    @router.delete("/v1/audio/voices/{voice_id}", summary="Delete a cloned voice")
    async def delete(voice_id: str, request: Request) -> dict[str, Any]:
        """Only by the key that made it."""
        await asyncio.to_thread(_delete, store, voice_id, request.state.owner)
        forget(voice_id)
        return {"id": voice_id, "object": "voice", "deleted": True}

    return router


def _base_of(store: VoiceStore, default_voice: str | None, fields: _CloneForm, owner: str) -> str:
    """The voice to build on; also whether there is room for another, before anything is decoded."""
    _require_room(store, owner)
    return fields.base or _only_base(store.list(), default_voice)


def _require_room(store: VoiceStore, owner: str) -> None:
    clones = [pack for pack in store.list() if pack.base is not None]
    if len(clones) >= MAX_CLONES:
        raise Conflict(f"there are {MAX_CLONES} cloned voices already; delete one first")
    if sum(owner_of(pack) == owner for pack in clones) >= MAX_CLONES_PER_OWNER:
        raise Conflict(f"you have {MAX_CLONES_PER_OWNER} cloned voices already; delete one first")


def _clone(
    store: VoiceStore, base: str, fields: _CloneForm, clip: Clip, owner: str, is_reserved: Callable[[str], bool]
) -> VoicePack:
    reference = NewReference(clip, fields.text, fields.language)
    try:
        return clone(store, fields.name, base, reference, owner=owner, is_reserved=is_reserved)
    except VoicePackError as error:  # its sentence names folders of this machine
        logger.error("a clone could not be written: %s", error.message)
        raise VoiceUnavailable("the server could not write the voice; its log says why") from error
    except VivaVoceError as error:
        if error.param == "voice":
            error.param = "base"
        raise


def _only_base(packs: list[VoicePack], default: str | None) -> str:
    """The base where none is named: the configured voice, or the only one with weights of its own."""
    bases = [pack.id for pack in packs if pack.base is None and pack.problem is None]
    if default in bases:
        return str(default)
    if len(bases) != 1:
        known = ", ".join(bases) or "none is installed"
        raise InvalidRequest(f"name the voice to build on in the field 'base': {known}", param="base")
    return bases[0]


def _delete(store: VoiceStore, voice_id: str, owner: str) -> None:
    pack = store.get(voice_id)
    if pack.base is None:
        raise Conflict(
            f"voice '{voice_id}' was not cloned over this route; `vivavoce voices remove {voice_id}` deletes it",
            param="voice_id",
        )
    made_by = owner_of(pack) or ANONYMOUS  # before any key was set, or on the command line
    if made_by != owner:
        raise NotYours(f"voice '{voice_id}' was made with another key; only that one deletes it")
    try:
        remove(store, voice_id)
    except VoicePackError as error:
        logger.error("a clone could not be removed: %s", error.message)
        raise VoiceUnavailable("the server could not remove the voice; its log says why") from error


def _fields(form: FormData) -> _CloneForm:
    sample = form.get("audio_sample")
    if not isinstance(sample, UploadFile):
        raise InvalidRequest("the field 'audio_sample' must be a file", param="audio_sample")
    language = language_code(_text(form, "language") or AUTO)
    base = _text(form, "base")
    if base is not None and not VOICE_ID.fullmatch(base):
        raise InvalidRequest("the field 'base' must be the id of a voice", param="base")
    name = _required(form, "name")
    if len(name) > MAX_NAME or not name.isprintable() or _piles_up(name):
        raise InvalidRequest(f"the field 'name' may have {MAX_NAME} plain characters", param="name")
    return _CloneForm(
        name=name,
        sample=sample,
        text=_required(form, "ref_text"),
        language=None if language == AUTO else language,
        base=base,
    )


def _piles_up(name: str) -> bool:
    """Whether marks stand on one another, out of the line they are shown in."""
    marks = "".join("m" if unicodedata.category(char) in ("Mn", "Me") else " " for char in name)
    return "m" * (MAX_MARKS + 1) in marks


def _required(form: FormData, name: str) -> str:
    value = _text(form, name)
    if value is None:
        raise InvalidRequest(f"the field '{name}' is required", param=name)
    return value


def _text(form: FormData, name: str) -> str | None:
    """The field as text; None where it is absent or blank."""
    value = form.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"the field '{name}' must be text", param=name)
    return value.strip() or None if value else None


def _described(pack: VoicePack, find: Callable[[str], VoiceInfo | None]) -> dict[str, Any]:
    """A new clone as the lists show it, with what only its maker asks for."""
    info = find(pack.id)
    if info is None:
        raise VoiceUnavailable(f"voice '{pack.id}' was stored, but no engine of this server speaks it")
    return {**describe(info, default=None), "base": pack.base, "created": pack.created}
