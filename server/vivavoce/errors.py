"""Every error a caller can meet, with its HTTP status, WebSocket close code and wire code.

    VivaVoceError
      InvalidRequest          400 / 1008
        EmptyInput            400
        TextTooLong           400
          SpokenTextTooLong   400
        UnspeakableText       400
        UnknownVoice          404
        UnknownModel          404
        UnknownLanguage       400
        UnsupportedLanguage   400
        UnsupportedFormat     400
        InvalidAudio          400
        InvalidVoicePack      400
        PayloadTooLarge       413 / 1009
        HeadersTooLarge       431
        MalformedRequest      400
        UnsupportedMediaType  415
        NotFound              404
        Conflict              409
      AccessDenied            401 / 1008
        InvalidKey            401
        NotYours              403
        ForbiddenOrigin       403
      ProtocolError           400 / 1002, 1003, 1007, 1009
      Overloaded              503 / 1013
        RateLimited           429 / 1008
          TooMuchSound        429 / 1008
        ShuttingDown          503 / 1001
      EngineError             500 / 1011
        VoiceUnavailable      503 / 1011
        ModelUnavailable      503 / 1011
        GenerationFailed      500 / 1011
        BadAudio              500 / 1011
        EngineCrashed         500 / 1011
        EngineTimeout         504 / 1011
        HostedModelFailed     502 / 1011
          HostedModelTimeout  504 / 1011
          HostedModelBusy     429 / 1013
      ClientTooSlow           408 / 1011
      ConfigError             exit code 3, at start
      VoicePackError          exit code 3, on the command line
      ModelPackError          exit code 3, on the command line
      DownloadError           exit code 3, on the command line

An exception carries data and writes its own sentence. Transports map it in one place with `to_wire()`.
Cancellation is not an error and has no class here.
"""

from __future__ import annotations

from collections.abc import Iterable
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

    def to_wire(self) -> dict[str, Any]:
        """The `{"error": {...}}` object of every transport."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


# -- the caller's fault ------------------------------------------------------------------------------------------


class InvalidRequest(VivaVoceError):
    """The request cannot be served as it stands."""

    status = 400
    close_code = 1008
    type = "invalid_request_error"
    code = "invalid_request"
    retryable = False


class EmptyInput(InvalidRequest):
    """Nothing in the text can be spoken."""

    code = "empty_input"

    def __init__(self, message: str = "the input holds nothing that can be spoken", *, param: str = "input") -> None:
        super().__init__(message, param=param)


class TextTooLong(InvalidRequest):
    """The text is over the limit."""

    code = "string_above_max_length"

    def __init__(self, length: int, limit: int, *, param: str = "input") -> None:
        super().__init__(f"the input has {length} characters; the limit is {limit}", param=param)
        self.length, self.limit = length, limit


class SpokenTextTooLong(TextTooLong):
    """The text is short enough as written, but far too long once its numbers are read out."""

    def __init__(self, length: int, limit: int, *, param: str = "input") -> None:
        super().__init__(length, limit, param=param)
        self.message = f"read out, the input would have about {length} characters; the limit is {limit}"
        self.args = (self.message,)


class UnspeakableText(InvalidRequest):
    """The voice does not speak the language of this text."""

    code = "unsupported_language"

    def __init__(self, voice: str, languages: Iterable[str]) -> None:
        super().__init__(f"voice '{voice}' cannot speak this text; it speaks: {', '.join(languages)}", param="input")


class UnknownVoice(InvalidRequest):
    """No voice of that name."""

    status = 404
    code = "voice_not_found"

    def __init__(self, name: str, known: Iterable[str], *, param: str = "voice") -> None:
        super().__init__(f"unknown voice {_quoted(name)}; known: {', '.join(sorted(known)) or 'none'}", param=param)


class UnknownModel(InvalidRequest):
    """No model or voice of that name."""

    status = 404
    code = "model_not_found"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown model {_quoted(name)}; known: {', '.join(sorted(known))}", param="model")


class UnknownLanguage(InvalidRequest):
    """What was given as a language means none that is spoken here."""

    def __init__(self, name: str, known: Iterable[str], *, param: str = "language") -> None:
        super().__init__(f"unknown language {_quoted(name)}; known: {', '.join(known)}", param=param)


class UnsupportedLanguage(InvalidRequest):
    """The recognition model does not understand that language, or does not translate."""

    code = "unsupported_language"

    def __init__(self, message: str, *, param: str = "language") -> None:
        super().__init__(message, param=param)


class UnsupportedFormat(InvalidRequest):
    """No encoder for that audio format."""

    code = "unsupported_format"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unsupported format {_quoted(name)}; known: {', '.join(known)}", param="response_format")


class InvalidAudio(InvalidRequest):
    """An uploaded clip cannot be used."""

    code = "invalid_audio"


class InvalidVoicePack(InvalidRequest):
    """A voice pack is damaged, hostile or not a voice pack."""

    code = "invalid_voice_pack"


class PayloadTooLarge(InvalidRequest):
    """The body or message is over the limit."""

    status = 413
    close_code = 1009
    code = "payload_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than the limit of {limit} bytes")
        self.limit = limit


class HeadersTooLarge(InvalidRequest):
    """A request's address, headers or trailers are longer than anybody needs."""

    status = 431
    code = "headers_too_large"


class MalformedRequest(InvalidRequest):
    """What came is not HTTP, or not in order."""

    code = "invalid_http"


class UnsupportedMediaType(InvalidRequest):
    """The body is not of the content type this route reads."""

    status = 415
    code = "unsupported_media_type"


class NotFound(InvalidRequest):
    """No such route or resource."""

    status = 404
    code = "not_found"


class Conflict(InvalidRequest):
    """The resource exists already or is in use."""

    status = 409
    code = "conflict"


class AccessDenied(VivaVoceError):
    """The caller may not do this."""

    status = 401
    close_code = 1008
    type = "authentication_error"
    code = "access_denied"
    retryable = False


class InvalidKey(AccessDenied):
    """The API key is missing or wrong."""

    code = "invalid_api_key"

    def __init__(self, message: str = "the API key is missing or not known to this server") -> None:
        super().__init__(message)


class NotYours(AccessDenied):
    """It was made by somebody else."""

    status = 403
    type = "permission_error"
    code = "not_yours"


class ForbiddenOrigin(AccessDenied):
    """A web page of another site, or a Host header that is not ours."""

    status = 403
    type = "permission_error"
    code = "forbidden_origin"


class ProtocolError(VivaVoceError):
    """The peer broke the rules of the wire protocol."""

    status = 400
    close_code = 1002
    type = "invalid_request_error"
    code = "protocol_error"
    retryable = False

    def __init__(self, message: str, *, code: str = "protocol_error", close_code: int = 1002) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # one class for the whole family of 1002, 1003, 1007 and 1009
        self.close_code = close_code  # type: ignore[misc]


# -- the server's state ------------------------------------------------------------------------------------------


class Overloaded(VivaVoceError):
    """The CPU cannot carry one more stream in real time."""

    status = 503
    close_code = 1013
    code = "server_overloaded"

    def __init__(self, message: str = "the server is at capacity", *, retry_after_s: float = 1.0) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class RateLimited(Overloaded):
    """One key is over its own limit."""

    status = 429
    close_code = 1008
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class TooMuchSound(RateLimited):
    """Sound comes faster than anybody speaks, and more of it waits than may."""

    code = "too_much_sound"


class ShuttingDown(Overloaded):
    """The server drains: running utterances finish, new ones are refused."""

    close_code = 1001
    code = "server_shutting_down"


class EngineError(VivaVoceError):
    """A speech engine failed."""

    code = "engine_error"


class VoiceUnavailable(EngineError):
    """The voice exists but cannot speak now: files missing, or a dependency absent."""

    status = 503
    code = "voice_unavailable"
    retryable = False


class ModelUnavailable(EngineError):
    """The recognition model is known but cannot be used now: files missing or damaged, or a dependency absent."""

    status = 503
    code = "model_unavailable"
    retryable = False


class GenerationFailed(EngineError):
    """The model produced no usable speech for this sentence."""

    code = "generation_failed"


class BadAudio(EngineError):
    """More than 1 % of a chunk was NaN or infinite."""

    code = "bad_audio"


class EngineCrashed(EngineError):
    """A step raised something that no engine should raise."""

    code = "engine_crashed"


class EngineTimeout(EngineError):
    """A step took longer than the watchdog allows."""

    status = 504
    code = "engine_timeout"


class HostedModelFailed(EngineError):
    """A model on another machine gave no answer that can be used.

    Args:
        upstream_status: HTTP status of its answer; None where there was none.
    """

    status = 502
    code = "hosted_model_failed"

    def __init__(
        self,
        message: str,
        *,
        upstream_status: int | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_s=retry_after_s)
        self.upstream_status = upstream_status
        # Credits, keys and names do not mend themselves between two tries.
        self.retryable = upstream_status not in (400, 401, 402, 403, 404, 410, 413, 415, 422)  # type: ignore[misc]


class HostedModelTimeout(HostedModelFailed):
    """A model on another machine took too long."""

    status = 504
    code = "hosted_model_timeout"


class HostedModelBusy(HostedModelFailed):
    """A model on another machine refuses more for now."""

    status = 429
    close_code = 1013
    type = "rate_limit_error"
    code = "hosted_model_busy"


class ClientTooSlow(VivaVoceError):
    """The client stopped reading for longer than the stall limit."""

    status = 408
    code = "client_too_slow"


# -- at start, on the command line -------------------------------------------------------------------------------


class ConfigError(VivaVoceError):
    """A setting is wrong; the program exits with code 3 and this sentence."""

    code = "config_error"


class VoicePackError(VivaVoceError):
    """A voice pack cannot be read, added or prepared; the sentence says which file and why."""

    code = "voice_pack_error"


class ModelPackError(VivaVoceError):
    """A recognition model cannot be added or converted; the sentence says which file and why."""

    code = "model_pack_error"


class DownloadError(VivaVoceError):
    """The hub cannot be reached, does not have it, or sends something else."""

    code = "download_error"


def _quoted(name: str) -> str:
    """A caller's word, short enough and plain enough to be sent back or logged."""
    printable = "".join(c for c in name[:64] if c.isprintable())
    return f"'{printable}'"
