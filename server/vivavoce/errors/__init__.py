"""Every error a caller can meet, with its HTTP status, WebSocket close code and wire code.

    VivaVoceError
      InvalidRequest          400 / 1008
        EmptyInput            400
        TextTooLong           400
          SpokenTextTooLong   400
        SoundTooLong          400
        UnspeakableText       400
        UnknownVoice          404
        UnknownModel          404
        UnknownLanguage       400
        UnsupportedLanguage   400
        UnsupportedFormat     400
        InvalidAudio          400
        CannotCopy            400
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

The tree is in four modules; everybody imports its classes from here.

An exception carries data and writes its own sentence. Transports map it in one place with `to_wire()`.
Cancellation is not an error and has no class here.
"""

from vivavoce.errors.base import VivaVoceError
from vivavoce.errors.caller import (
    AccessDenied,
    CannotCopy,
    Conflict,
    EmptyInput,
    ForbiddenOrigin,
    HeadersTooLarge,
    InvalidAudio,
    InvalidKey,
    InvalidRequest,
    InvalidVoicePack,
    MalformedRequest,
    NotFound,
    NotYours,
    PayloadTooLarge,
    ProtocolError,
    SoundTooLong,
    SpokenTextTooLong,
    TextTooLong,
    UnknownLanguage,
    UnknownModel,
    UnknownVoice,
    UnspeakableText,
    UnsupportedFormat,
    UnsupportedLanguage,
    UnsupportedMediaType,
)
from vivavoce.errors.server import (
    BadAudio,
    ClientTooSlow,
    EngineCrashed,
    EngineError,
    EngineTimeout,
    GenerationFailed,
    HostedModelBusy,
    HostedModelFailed,
    HostedModelTimeout,
    ModelUnavailable,
    Overloaded,
    RateLimited,
    ShuttingDown,
    TooMuchSound,
    VoiceUnavailable,
)
from vivavoce.errors.starting import (
    ConfigError,
    DownloadError,
    ModelPackError,
    VoicePackError,
)

__all__ = [
    "AccessDenied",
    "BadAudio",
    "CannotCopy",
    "ClientTooSlow",
    "ConfigError",
    "Conflict",
    "DownloadError",
    "EmptyInput",
    "EngineCrashed",
    "EngineError",
    "EngineTimeout",
    "ForbiddenOrigin",
    "GenerationFailed",
    "HeadersTooLarge",
    "HostedModelBusy",
    "HostedModelFailed",
    "HostedModelTimeout",
    "InvalidAudio",
    "InvalidKey",
    "InvalidRequest",
    "InvalidVoicePack",
    "MalformedRequest",
    "ModelPackError",
    "ModelUnavailable",
    "NotFound",
    "NotYours",
    "Overloaded",
    "PayloadTooLarge",
    "ProtocolError",
    "RateLimited",
    "ShuttingDown",
    "SoundTooLong",
    "SpokenTextTooLong",
    "TextTooLong",
    "TooMuchSound",
    "UnknownLanguage",
    "UnknownModel",
    "UnknownVoice",
    "UnspeakableText",
    "UnsupportedFormat",
    "UnsupportedLanguage",
    "UnsupportedMediaType",
    "VivaVoceError",
    "VoicePackError",
    "VoiceUnavailable",
]
