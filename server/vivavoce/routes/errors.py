"""Errors on HTTP routes: how every one leaves, and how the documents describe them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from vivavoce.errors import InvalidRequest, NotFound, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.serving.gate import UNFORESEEN, error_response

_ERROR = {
    "description": "Refused or failed before the first sound",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "param", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"type": "string"},
                            "param": {"type": ["string", "null"]},
                            "code": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}
ERRORS: dict[int | str, dict[str, Any]] = dict.fromkeys((400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503), _ERROR)


class InvalidParameter(InvalidRequest):
    """A query parameter or form field is wrong."""

    code = "invalid_parameter"


class MethodNotAllowed(InvalidRequest):
    """The route exists, with other methods."""

    status = 405
    code = "method_not_allowed"


def map_errors(app: FastAPI, metrics: Metrics) -> None:
    """Every error leaves as `{"error": {...}}`; one that nobody foresaw says no more than that."""

    def answer(error: VivaVoceError, request: Request) -> Response:
        metrics.rejected_inputs.labels(error.code).inc()
        return error_response(error, request.scope)

    @app.exception_handler(VivaVoceError)
    async def known(request: Request, error: VivaVoceError) -> Response:
        return answer(error, request)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        fault = error.errors()[0]
        param = str(fault["loc"][-1]) if fault["loc"] else None
        return answer(InvalidParameter(f"{param}: {fault['msg']}", param=param), request)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer(NotFound("no such route; see /docs"), request)
        methods = _methods(app, request.scope) if error.status_code == 405 else []
        message = f"this address wants {' or '.join(methods)}; see /docs" if methods else str(error.detail)
        response = answer(MethodNotAllowed(message), request)
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            response.headers["allow"] = ", ".join(methods)
        return response

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        return answer(VivaVoceError(UNFORESEEN), request)


def _methods(app: FastAPI, scope: Scope) -> list[str]:
    """What the routes of this path answer to; Starlette tells those of the first one only."""
    answered = [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]
    return sorted([*answered, "HEAD"] if "GET" in answered else answered)
