"""The base of every error with a meaning for the caller. What it becomes on the wire, transports ask of it."""

from __future__ import annotations

from typing import Any, ClassVar


class VivaVoceError(Exception):
    """Base of every error with a meaning for the caller.

    Attributes:
        status: HTTP status code.
        close_code: WebSocket close code, for errors that end a connection.
        type: OpenAI's error type.
        code: machine-readable code on the wire.
        param: name of the request field at fault, if any.
        retry_after_s: seconds after which trying again may help; None where the server does not know.
        retryable: False where the same request can never succeed (`x-should-retry: false`).
    """

    status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = True

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        """An error crosses to another process whole, whatever its `__init__` takes."""
        return _rebuilt, (type(self), self.args, self.__dict__)

    def to_wire(self) -> dict[str, Any]:
        """The `{"error": {...}}` object of every transport."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def _rebuilt(kind: type[VivaVoceError], args: tuple[Any, ...], state: dict[str, Any]) -> VivaVoceError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
