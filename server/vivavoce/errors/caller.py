"""What a caller has done wrong: a request that cannot be served, a key that is missing, a broken protocol."""

from __future__ import annotations

from collections.abc import Iterable

from vivavoce.errors.base import VivaVoceError


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


class SoundTooLong(InvalidRequest):
    """The speech is too long to be kept until its length is known."""

    code = "sound_too_long"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(
            f"a file with its true length may have {most_bytes >> 20} MiB; ask for a stream, which has no such limit"
        )


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


class CannotCopy(InvalidRequest):
    """The voice speaks as itself only."""

    code = "voice_cannot_copy"

    def __init__(self, voice: str, *, param: str = "prompt_speech") -> None:
        super().__init__(
            f"voice '{voice}' cannot speak like somebody in a recording; voices with \"copies\": true in "
            "/v1/audio/voices can",
            param=param,
        )


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


_NO_KEY = "the API key is missing or not known to this server; send it as `Authorization: Bearer KEY`"


class InvalidKey(AccessDenied):
    """The API key is missing or wrong."""

    code = "invalid_api_key"

    def __init__(self, message: str = _NO_KEY) -> None:
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


def _quoted(name: str) -> str:
    """A caller's word, short enough and plain enough to be sent back or logged."""
    printable = "".join(c for c in name[:64] if c.isprintable())
    return f"'{printable}'"
