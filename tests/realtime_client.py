"""What the tests of the Realtime session share: a session with ids that count, and its events checked and read."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pydantic
from openai.types.realtime.realtime_server_event import RealtimeServerEvent

from vivavoce.protocols.realtime.commands import Command
from vivavoce.protocols.realtime.session import Limits, RealtimeSession
from vivavoce.protocols.realtime.session_config import SessionConfig

_EVENTS: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(RealtimeServerEvent)
# What OpenAI itself sends although its types of `session.created` are those of the request.
_KNOWN_EXTRAS = {"session.id", "session.object", "session.vivavoce", "response.output_modalities"}


class Client:
    """Talks to a session as a client does."""

    def __init__(self, config: SessionConfig | None = None, limits: Limits | None = None, **options: Any) -> None:
        numbers = itertools.count(1)
        self.now = 0.0
        self.session = RealtimeSession(
            "sess_1",
            config or SessionConfig(model="gpt-realtime"),
            limits,
            new_id=lambda kind: f"{kind}_{next(numbers)}",
            **options,
        )
        self.events: list[dict[str, Any]] = []

    def say(self, kind: str, **fields: Any) -> list[Command]:
        return self.session.receive_message(json.dumps({"type": kind, **fields}), self.now)

    def read(self) -> list[dict[str, Any]]:
        """What came since the last call, every event checked against the official types."""
        fresh = [check_event(event) for event in self.session.messages_to_send()]
        self.events += fresh
        return fresh

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.read()]

    def one(self, kind: str) -> dict[str, Any]:
        """The only event of that type which came."""
        (found,) = [event for event in self.read() if event["type"] == kind]
        return found


def check_event(text: str | bytes) -> dict[str, Any]:
    """An event that the official types know, down to its last field."""
    assert isinstance(text, str)
    assert len(text.encode()) < 512 * 1024
    event: dict[str, Any] = json.loads(text)
    if event["type"].startswith("vivavoce."):
        return event
    unknown = set(_unknown_fields(_EVENTS.validate_python(event))) - _KNOWN_EXTRAS
    assert not unknown, f"{event['type']} has fields that nobody knows: {unknown}"
    return event


def _unknown_fields(value: object, where: str = "") -> list[str]:
    if isinstance(value, list):
        return [name for each in value for name in _unknown_fields(each, where)]
    if not isinstance(value, pydantic.BaseModel):
        return []
    here = [f"{where}{name}" for name in value.model_extra or ()]
    inside = [_unknown_fields(getattr(value, name), f"{where}{name}.") for name in type(value).model_fields]
    return here + [name for names in inside for name in names]
