"""What this server cannot do now: it is full, a model failed here or on another machine, a client does not read."""

from __future__ import annotations

from vivavoce.errors.base import VivaVoceError


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
