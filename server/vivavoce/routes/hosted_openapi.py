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
# A picture that says GOOD MORNING.
_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAMcAAAAkAQAAAAAVrhNHAAAA+0lEQVR42u3SMUoDYRQE4G9/lvgXwq5dGkMQLyGkCOJBPEY6N1Z7KJEU"
    "AS8hEmNj5y5YbGTNWiTBCOoBxGleMW/ezMBLOt+jC37C32Pe4yp/j3VUX+WP4+k4lmUsV7ngtW2atvUGi4UFeG4EdVPfNA9euHVXHVQt"
    "radKsEyXgzoTC5STrck8Cmbm2TIWZnT5iDVrBUG62Uq5B5Eofk09hXyvz/V+i9WwoyP9onnenU23mssdc47epo/Zp6bdzkpBgWBkVA+a"
    "wthpUs0TgWBCMDBYZrWm0DcpNWBEkA2zi3jiCM5yRULieCw47MWYpnowHG79+oeS/0/8hfkA159OPrwUmNYAAAAASUVORK5CYII="
)
_ROUTER = "https://router.huggingface.co/hf-inference/models/"
_TOKEN = "hf_..."


def _body(
    schema: dict[str, Any], field: str, kinds: str, content: str, local: str, elsewhere: dict[str, Any]
) -> dict[str, Any]:
    """A route's body.

    Args:
        field, kinds, content: what is sent beside the description: its name, its media types, an example.
        local, elsewhere: an address here and a description of a model elsewhere, for the examples.
    """
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
            "application/json": {
                "schema": inline,
                "examples": {
                    "here": {"summary": "By this server, offline", "value": {"api_url": local, field: content}},
                    "elsewhere": {"summary": "By a model elsewhere", "value": {**elsewhere, field: content}},
                },
            },
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
            _DESCRIPTION,
            "input_text",
            "text/plain",
            "Rain on a tin roof.",
            "local:default",
            {"api_url": _ROUTER + "facebook/musicgen-small", "api_token": _TOKEN},
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
            _PICTURE,
            "local:ocr",
            {
                "api_url": _ROUTER + "Salesforce/blip-image-captioning-base",
                "api_token": _TOKEN,
                "desired_output": "generated_text",
            },
        )
    },
}
