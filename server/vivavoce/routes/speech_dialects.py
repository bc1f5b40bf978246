"""The same wish to speak as other clients write it, turned into OpenAI's fields. Pure.

Hugging Face   {"inputs": text, "parameters": {...}}
Xinference     OpenAI's fields, with further ones as a JSON text in `kwargs`; or all of it as a form
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import ImmutableMultiDict

from vivavoce.errors import InvalidRequest
from vivavoce.protocols.fields import as_number
from vivavoce.routes.bodies import parse_object
from vivavoce.routes.speech_body import NUMBERS

SEEDED = "chattts"  # the voice whose speakers are seeds
HUGGING_FACE_FORMAT = "flac"  # what its own servers answer
_OUR_OWN = ("input", "inputs", "model", "parameters", "kwargs")  # not to be smuggled in among the further fields


def is_hugging_face(fields: Mapping[str, Any]) -> bool:
    """True for a body of Hugging Face's clients."""
    return "inputs" in fields and "input" not in fields


def from_hugging_face(fields: Mapping[str, Any], model: str | None = None) -> dict[str, Any]:
    """OpenAI's fields; `parameters` and `parameters.generation_parameters` are laid flat.

    Args:
        model: from the address, where it names one.

    Raises:
        InvalidRequest: If it has no text, or parameters that are none.
    """
    if not isinstance(fields.get("inputs"), str):
        raise InvalidRequest("inputs must be text", param="inputs")
    parameters = fields.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise InvalidRequest("parameters must be an object", param="parameters")
    nested = parameters.get("generation_parameters")
    further = {**parameters, **(nested if isinstance(nested, Mapping) else {})}
    flat = {name: value for name, value in further.items() if name not in _OUR_OWN}
    chosen = model if model is not None else fields.get("model")
    return {
        "response_format": HUGGING_FACE_FORMAT,
        **flat,
        "input": fields["inputs"],
        **({} if chosen is None else {"model": chosen}),
    }


def from_xinference(fields: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's fields; what stands in `kwargs` joins them where it is not said already.

    Raises:
        InvalidRequest: If `kwargs` is no JSON object.
    """
    further = fields.get("kwargs")
    if isinstance(further, str) and further:  # as the client writes them; by hand they are written as they are
        try:
            further = parse_object(further.encode("utf-8", "replace"))
        except InvalidRequest:
            raise InvalidRequest("kwargs must be a JSON object", param="kwargs") from None
    if not isinstance(further, Mapping):
        return dict(fields)
    return {**{name: value for name, value in further.items() if name not in _OUR_OWN}, **fields}


def with_seed_of_voice(fields: Mapping[str, Any]) -> dict[str, Any]:
    """For ChatTTS, whose clients name a speaker by a number or any text: it becomes the seed."""
    voice = fields.get("voice")
    model = fields.get("model")
    if not isinstance(model, str) or model.strip().lower() != SEEDED or not isinstance(voice, str) or not voice:
        return dict(fields)
    if voice.strip().lower().partition("/")[0] == SEEDED:
        return dict(fields)
    number = voice.strip()[:18]
    seed = int(number) if number.isascii() and number.isdigit() else zlib.crc32(voice.encode("utf-8", "replace"))
    return {"seed": seed, **{name: value for name, value in fields.items() if name != "voice"}}


def from_form(form: ImmutableMultiDict[str, Any]) -> dict[str, Any]:
    """The fields of a form, which has text for numbers; its files are somebody else's.

    Raises:
        InvalidRequest: As `from_xinference()`.
    """
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    for name in NUMBERS & fields.keys():
        fields[name] = as_number(fields[name])
    return from_xinference(fields)
