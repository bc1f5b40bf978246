"""The assistant's side of a Realtime session: the responses that are not done, and which of them sounds on a track.

Part of the session machine.
"""

from __future__ import annotations

from collections.abc import Callable

from vivavoce.protocols.realtime.conversation import Conversation
from vivavoce.protocols.realtime.outbox import Outbox
from vivavoce.protocols.realtime.response import Reason, Response, ResponseOptions


class Responses:
    """Responses by id, until they are done. At most one of them answers in the conversation.

    Args:
        outbox: where their events go.
        conversation: where their items go.
        new_id: makes ids of their items.
    """

    def __init__(self, outbox: Outbox, conversation: Conversation, new_id: Callable[[str], str]) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._new_id = new_id
        self._begun: dict[str, Response] = {}
        self._sounding: str | None = None  # the response that a track plays

    @property
    def open(self) -> list[Response]:
        """Those that are not done, in the order they began."""
        self._begun = {each.id: each for each in self._begun.values() if not each.is_done}
        return list(self._begun.values())

    @property
    def active(self) -> Response | None:
        """The one that answers in the conversation."""
        return next((each for each in self.open if each.options.in_conversation), None)

    def find(self, response_id: str | None) -> Response | None:
        """One that is not done, by its id; None: the active one."""
        if response_id is None:
            return self.active
        return next((each for each in self.open if each.id == response_id), None)

    def begin(self, options: ResponseOptions) -> Response:
        """A new one; the client is told."""
        response = Response(options, self._outbox, self._conversation, self._new_id)
        self._begun[response.id] = response
        return response

    def interrupt(self, reason: Reason = "turn_detected") -> Response | None:
        """The user talks over the assistant: the active response is over. Returns it."""
        response = self.active
        if response is not None:
            response.finish("cancelled", reason=reason)
        return response

    # -- a track, which holds what is not yet heard

    def sounding(self, response_id: str) -> None:
        """It begins to play a response, or goes on."""
        if response_id == self._sounding:
            return
        self.sound_stopped()
        self._sounding = response_id
        self._outbox.send("output_audio_buffer.started", response_id=response_id)

    def sound_stopped(self, *, cleared: bool = False) -> None:
        """It has played all of the response, or was cleared; nothing where it played none."""
        response_id, self._sounding = self._sounding, None
        if response_id is not None:
            kind = "output_audio_buffer.cleared" if cleared else "output_audio_buffer.stopped"
            self._outbox.send(kind, response_id=response_id)
