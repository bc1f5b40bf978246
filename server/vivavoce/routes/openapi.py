"""The OpenAPI document, with the bodies that routes read by themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from vivavoce.routes.prompted_voices import PROMPT_FIELDS
from vivavoce.routes.speech_body import SpeechBody
from vivavoce.serving.entries import Entry, entered_with


def describe(app: FastAPI, *, max_text: int) -> None:
    """The OpenAPI document, with the speech body that its route reads by itself; everybody may read it."""
    documents = {app.openapi_url, app.docs_url, app.swagger_ui_oauth2_redirect_url}
    for route in app.routes:
        if isinstance(route, Route) and route.path in documents:
            entered_with(Entry.NOTHING)(route.endpoint)

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            body = speech_schema(max_text)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(body.pop("$defs", {}))
            schemas["SpeechBody"] = body
            schemas["SpeechForm"] = {**body, "title": "SpeechForm", "properties": body["properties"] | PROMPT_FIELDS}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def speech_schema(max_text: int) -> dict[str, Any]:
    """JSON schema of the request body, for the OpenAPI document."""
    schema = SpeechBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["properties"]["input"]["maxLength"] = max_text
    return schema
