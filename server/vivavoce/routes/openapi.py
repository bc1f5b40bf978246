"""The OpenAPI document, with the bodies that routes read by themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from vivavoce.routes.speech_body import SpeechBody


def describe(app: FastAPI) -> None:
    """The OpenAPI document, with the speech body that its route reads by itself."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            body = speech_schema()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(body.pop("$defs", {}))
            schemas["SpeechBody"] = body
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def speech_schema() -> dict[str, Any]:
    """JSON schema of the request body, for the OpenAPI document."""
    return SpeechBody.model_json_schema(ref_template="#/components/schemas/{model}")
