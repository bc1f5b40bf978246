"""What the client of a Realtime session is due, in order of sending. Part of the session machine."""

from __future__ import annotations

import itertools
import json
from typing import Final

# Clients of today take frames of 512 KiB; a data channel 64 KiB. Sound and words are cut to much less.
LONGEST_AUDIO: Final = 36_000  # bytes of sound in one event: 0.75 s of PCM, 48,000 characters in base64
LONGEST_TEXT: Final = 8_000  # characters


class Outbox:
    """Events that wait to be sent. Sound that waits can be taken back: nobody has heard it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str | None, str]] = []  # with the response whose sound it is
        self._numbers = itertools.count(1)

    def send(self, kind: str, /, **fields: object) -> None:
        """One event of that type; fields that are to be left out are not given."""
        self._put(None, kind, fields)

    def send_sound(self, response_id: str, kind: str, /, **fields: object) -> None:
        """One event that carries sound of a response."""
        self._put(response_id, kind, fields)

    def _put(self, sound_of: str | None, kind: str, fields: dict[str, object]) -> None:
        event = {"type": kind, "event_id": f"event_{next(self._numbers)}", **fields}
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._waiting.append((sound_of, text))

    def withdraw_sound(self, response_id: str) -> None:
        """Take back the sound of a response that was not sent yet."""
        self._waiting = [(of, event) for of, event in self._waiting if of != response_id]

    def take(self) -> list[str | bytes]:
        """Everything that waits, in order; each event is given once."""
        events: list[str | bytes] = [event for _, event in self._waiting]
        self._waiting.clear()
        return events
