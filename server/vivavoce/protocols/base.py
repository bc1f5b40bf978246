"""What every protocol's session machine looks like from outside: messages in, commands out, messages due.

A machine has no socket, no clock (times are arguments) and no thread; one connection owns it. Whatever a client sends,
it answers with commands for the server and messages for the client, never with an exception.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from vivavoce.errors import VivaVoceError

Command = TypeVar("Command")


class SessionMachine(Protocol[Command]):
    """The rules of one connection: messages in, commands and messages out; no clock and no socket."""

    def receive_message(self, data: str | bytes, now: float) -> list[Command]:
        """Take one message of the client; never raises for what it holds.

        Args:
            data: a text message, or the bytes of a binary one.
            now: seconds on any clock that does not go back.
        """
        ...

    def report(self, error: VivaVoceError, now: float) -> list[Command]:
        """Tell the client of an error that its message did not cause; too many of them close the connection."""
        ...

    def messages_to_send(self) -> list[str | bytes]:
        """What the client is due, in order; each message is given once."""
        ...
