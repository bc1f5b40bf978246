"""How the document describes `/v1/hosted/...`: forms, JSON bodies and examples that run without a token."""

from __future__ import annotations

from typing import Any

from vivavoce.audio.encoders import FORMATS

_DESCRIPTION: dict[str, Any] = {
    "type": "object",
    "required": ["api_url"],
    "properties": {
        "api_url": {
            "type": "string",
            "description": "The model's address on Hugging Face's router or an endpoint of one's own; `local:VOICE` or "
            "`local:ocr` answers from this machine.",
            "examples": ["https://router.huggingface.co/hf-inference/models/facebook/musicgen-small"],
        },
        "api_token": {"type": "string", "description": "Sent to that host only; may be left out for `local:`."},
        "parameters": {"type": "object", "description": "For the model, beside the text."},
    },
}
_DESIRED = {"type": "string", "description": "Only this field of the model's answer.", "maxLength": 64}
# Two pixels by one; the smallest picture that is one.
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4//8/AAX+Av5Y8msOAAAAAElFTkSuQmCC"


def _body(schema: dict[str, Any], field: str, kinds: str, example: dict[str, Any]) -> dict[str, Any]:
    properties = {**schema["properties"], field: {"type": "string", "description": kinds}}
    form = {
        "type": "object",
        "required": ["json_description", field],
        "properties": {"json_description": schema, field: {"type": "string", "format": "binary"}},
    }
    inline = {"type": "object", "required": ["api_url", field], "properties": properties}
    encoding = {"json_description": {"contentType": "application/json"}, field: {"contentType": kinds}}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": inline, "example": example},
            "multipart/form-data": {"schema": form, "encoding": encoding},
        },
    }


TEXT_TO_AUDIO: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The sound, streamed",
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in FORMATS.values()
            },
        }
    },
    "openapi_extra": {
        "requestBody": _body(
            _DESCRIPTION, "input_text", "text/plain", {"api_url": "local:default", "input_text": "Rain on a tin roof."}
        )
    },
}
IMAGE_TO_TEXT: dict[str, Any] = {
    "responses": {
        200: {"description": "The model's JSON, or the wished part of it", "content": {"application/json": {}}}
    },
    "openapi_extra": {
        "requestBody": _body(
            {**_DESCRIPTION, "properties": {**_DESCRIPTION["properties"], "desired_output": _DESIRED}},
            "input_image",
            "image/jpeg, image/png, image/webp",
            {"api_url": "local:ocr", "input_image": _PICTURE},
        )
    },
}
