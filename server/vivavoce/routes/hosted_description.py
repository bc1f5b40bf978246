"""Which model on which machine a request means, and whose: `api_url`, `api_token` and what goes with them.

Called by `hosted_body.py` and by the routes that read the same description elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vivavoce.errors import InvalidRequest
from vivavoce.hosted.addresses import model_url
from vivavoce.routes.bodies import parse_object

MISSING = "api_url or api_token missing from json_description"
MAX_DESIRED = 64
_TOKEN = re.compile(r"[!-~]{1,512}")  # goes into a header


@dataclass(frozen=True, slots=True)
class Description:
    """Which hosted model a request means, and with whose token it is asked.

    Attributes:
        api_url: an address, or `local:NAME`.
        api_token: None where the caller relies on the server's own.
        desired_output: field of the answer; None: all of it.
        parameters: for the model, beside the text.
    """

    api_url: str
    api_token: str | None = field(repr=False)
    desired_output: str | None = None
    parameters: Mapping[str, Any] | None = None

    @property
    def local(self) -> str | None:
        """The name after `local:`; None for an address."""
        return self.api_url.removeprefix("local:") if self.api_url.startswith("local:") else None


def read_description(data: bytes) -> Description:
    """The description of a form.

    Raises:
        InvalidRequest: If it is no JSON object, or names no model.
    """
    try:
        fields = parse_object(data)
    except InvalidRequest as error:
        reason = error.message.replace("the body", "it")
        raise InvalidRequest(f"json_description is invalid: {reason}", param="json_description") from None
    return _checked(fields)


def inline_description(fields: Mapping[str, Any]) -> Description:
    """Of a JSON body: an object, the text of one, or its fields beside the others."""
    described = fields.get("json_description", fields)
    if isinstance(described, str):
        return read_description(described.encode("utf-8", "replace"))
    if not isinstance(described, Mapping):
        raise InvalidRequest("json_description is invalid: it must be an object", param="json_description")
    return _checked(described)


def _checked(fields: Mapping[str, Any]) -> Description:
    model, url, token = fields.get("model"), fields.get("api_url"), fields.get("api_token")
    if url is None and isinstance(model, str):
        url = model_url(model)
    if not isinstance(url, str) or not url:
        raise InvalidRequest(MISSING, param="json_description")
    token = None if token == "" else token
    if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        raise InvalidRequest("json_description is invalid: api_token is no token", param="json_description")
    desired = fields.get("desired_output")
    if desired is not None and not (isinstance(desired, str) and 0 < len(desired) <= MAX_DESIRED):
        what = f"desired_output must be a name of at most {MAX_DESIRED} characters"
        raise InvalidRequest(f"json_description is invalid: {what}", param="json_description")
    parameters = fields.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidRequest("json_description is invalid: parameters must be an object", param="json_description")
    return Description(url, token, desired, parameters)
