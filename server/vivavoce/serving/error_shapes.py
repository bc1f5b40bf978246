"""An error in the shape that its reader understands. Pure; called by `gate.py` and the routes' error handlers.

OpenAI's object is everybody's. Hugging Face's clients show `error` only where it is a string, and their JavaScript
client repeats a 503 at once and for ever: there being busy is 429 and being unable is 424. Xinference's client shows a
top-level `detail` and nothing else.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Literal

from vivavoce.errors import Overloaded, VivaVoceError

Shape = Literal["openai", "huggingface", "xinference"]
STATE = "error_shape"  # set in the request's state by a route that knows its caller better than the address tells

_HUGGING_FACE_AGENTS = ("@huggingface/", "hf_hub/")
_XINFERENCE_PATHS = ("/v1/models", "/v1/model_registrations", "/v1/cluster", "/v1/address", "/token")
_XINFERENCE_AGENTS = ("python-requests/", "aiohttp/")  # what its client is made of; it has no name of its own


def shaped(error: VivaVoceError, scope: MutableMapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
    """(HTTP status, JSON object) of an error.

    Args:
        scope: of the request; None: nothing is known of the caller.
    """
    match _shape(scope):
        case "huggingface":
            content = {"error": error.message, "type": error.type, "param": error.param, "code": error.code}
            if error.status == 503:
                return 429 if isinstance(error, Overloaded) else 424, content
            return error.status, content
        case "xinference":
            return error.status, {**error.to_wire(), "detail": error.message}
        case _:
            return error.status, error.to_wire()


def _shape(scope: MutableMapping[str, Any] | None) -> Shape:
    if scope is None:
        return "openai"
    chosen: Shape | None = scope.get("state", {}).get(STATE)
    if chosen is not None:
        return chosen
    path: str = scope.get("path", "")
    agent = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"user-agent"), "")
    if path.startswith("/models/") or any(name in agent for name in _HUGGING_FACE_AGENTS):
        return "huggingface"
    if path.startswith(_XINFERENCE_PATHS) or any(name in agent for name in _XINFERENCE_AGENTS):
        return "xinference"
    return "openai"
