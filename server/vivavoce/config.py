"""Every setting of the server, as one frozen value in sections; a part of the server takes its section.

A setting is written once, as a field with its sentence and its bounds: the flags of `vivavoce serve`, the `VIVAVOCE_*`
variables, the keys of the TOML file and `docs/settings.md` all come from it. Outside, names are flat (`ahead_s`);
inside, they stand in their section (`config.live.ahead_s`). Where values come from is `settings.py`'s matter.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs

from vivavoce.bounds import check, check_key, setting
from vivavoce.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where it listens."""

    host: str = setting("127.0.0.1", "Address to listen on; anything but loopback needs keys or --allow-anonymous.")
    port: int = setting(7860, "TCP port; 0 takes a free one.", at_least=0, at_most=65535)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who may call."""

    allowed_hosts: tuple[str, ...] = setting(
        (),
        "Host headers answered besides loopback names and the listening address; `*` answers all. None named, beyond "
        "loopback: addresses, but no names.",
    )
    allowed_origins: tuple[str, ...] = setting(
        (), "Origins of web pages that may call and show the page in a frame; `*` allows all."
    )
    cors: bool = setting(False, "Send CORS headers to the allowed origins.")
    api_keys: tuple[str, ...] = setting((), "API keys, at least 16 characters each.", secret=True)
    api_keys_file: Path | None = setting(
        None, "File with one SHA-256 hex digest of an API key a line (`printf %s KEY | sha256sum`)."
    )
    open_lists: bool = setting(
        False, "The lists of models and voices may be read without a key; Open WebUI asks for them without one."
    )
    allow_anonymous: bool = setting(False, "Serve beyond loopback without any key.")

    @property
    def wants_keys(self) -> bool:
        """Whether keys were meant: then a server without one is a mistake."""
        return bool(self.api_keys) or self.api_keys_file is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """Voices."""

    voices: tuple[Path, ...] = setting((), "Folders with voice packs, besides ./voices, ./models and the data folder.")
    voice: str | None = setting(None, "Voice that answers where none is named; default: the first available.")
    voice_map: tuple[str, ...] = setting(
        (), "Voices that other names mean, e.g. alloy=mika,echo=mika/Sad: some clients know OpenAI's names only."
    )
    engines: tuple[str, ...] = setting(("genie", "embedded"), "Speech engines, in order of preference.")
    preload: bool = setting(True, "Load the voices of ./voices and ./models and the default voice at start.")
    voice_memory_mib: int = setting(6144, "Memory for loaded voices; idle ones leave when it is full.", above=0)
    data_dir: Path = setting(
        Path(platformdirs.user_data_dir("vivavoce")), "Folder of downloaded voices, recognition models and GenieData."
    )
    cache_dir: Path = setting(
        Path(platformdirs.user_cache_dir("vivavoce")), "Folder of compiled voices and models; safe to delete."
    )
    genie_positions: Literal["trained", "genie"] = setting(
        "trained", "Count positions from 0 as the models were trained, or from 1 as Genie's graphs do."
    )
    genie_weights: Literal["fp32", "int8"] = setting(
        "fp32", "Precision of the semantic decoder's weights; int8 takes less memory and is slightly less exact."
    )
    genie_threads: int = setting(0, "Threads of one Genie step; 0: all cores.", at_least=0)

    def aliases(self) -> dict[str, str]:
        """The voice map: name in lower case -> voice.

        Raises:
            ConfigError: If an entry is not `name=voice`.
        """
        pairs = [tuple(part.strip() for part in entry.split("=")) for entry in self.voice_map]
        if any(len(pair) != 2 or not all(pair) for pair in pairs):
            raise ConfigError("voice_map: expected name=voice, e.g. alloy=mika")
        return {name.casefold(): voice for name, voice in pairs}

    def folders(self) -> tuple[Path, ...]:
        """Folders searched for voice packs: ./voices, ./models (a Space's name for it), the configured ones, the data
        folder's.
        """
        return (Path("voices"), Path("models"), *self.voices, self.data_dir / "voices")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningSettings:
    """Listening."""

    recognizer: str | None = setting(
        None, "Recognition model that answers where none is named, and to OpenAI's names; default: whisper-base."
    )
    max_recording_s: int = setting(7200, "Seconds of an uploaded recording.", above=0)
    hearing_timeout_s: float = setting(1800.0, "A recording must have been heard after this long.", above=0)
    pull_on_launch: bool = setting(
        False,
        "A client's launch may download a known recognition model: pinned, checked, never converted.",
    )
    preload_recognizer: bool = setting(True, "Load the default recognition model at start, where it is installed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """Limits."""

    max_text: int = setting(4096, "Characters of one request.", above=0)
    max_body_kib: int = setting(64, "Size of a JSON body; a text of `max_text` fits in any case.", above=0)
    max_upload_mib: int = setting(25, "Size of an uploaded clip.", above=0)
    max_streams: int = setting(64, "Utterances at once, however fast the machine.", above=0)
    max_streams_per_key: int = setting(32, "Utterances at once of one API key.", above=0)
    body_timeout_s: float = setting(60.0, "A request body must have arrived after this long.", above=0)
    drain_timeout_s: float = setting(30.0, "At shutdown, running utterances may take this long to finish.", at_least=0)

    def body_bytes(self) -> int:
        """Size of a JSON body, which a text of `max_text` characters fits into, however it is escaped."""
        return max(self.max_body_kib << 10, 12 * self.max_text + 4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Streams and live connections."""

    max_buffered_text: int = setting(8000, "Characters a live session may have waiting to be spoken.", above=0)
    max_sockets: int = setting(2000, "Open live connections; idle ones cost next to nothing.", at_least=0)
    ahead_s: float = setting(5.0, "Seconds of audio computed ahead of what the client has read.", above=0)
    idle_timeout_s: float = setting(120.0, "A live connection without a message is closed after this long.", above=0)
    stall_rest_s: float = setting(
        2.0,
        "A client that takes no sound for this long gives its place to others, and gets one again when it reads on.",
        at_least=0.1,
        at_most=600,
    )
    stall_timeout_s: float = setting(30.0, "A client that stops reading is dropped after this long.", above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """The assistant."""

    chat_url: str | None = setting(
        None, "OpenAI-compatible API of a chat model, e.g. http://127.0.0.1:11434/v1; default: the embedded one."
    )
    chat_model: str = setting(
        "embedded", "Name of the model at chat_url; `embedded`: the demo brain of the extra [chat]; `none`."
    )
    chat_key: str | None = setting(None, "Bearer token for chat_url.", secret=True)
    preload_chat: bool = setting(True, "Load the demo brain at start, where it is the one that answers.")
    instructions: str | None = setting(None, "For the chat model, where a client gives none.")
    voice_commands: str = setting(
        "shipped", "File of commands that need no chat model; `shipped`: timers and music; `none`."
    )

    def commands_file(self) -> Path | None:
        """Where the voice commands are; None: those that are shipped."""
        return None if self.voice_commands == "shipped" else Path(self.voice_commands).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSettings:
    """Speed."""

    workers: int = setting(0, "Threads that compute speech; 0: one a core.", at_least=0)
    first_audio_target_s: float = setting(
        0.3, "First sound of a request is scheduled for this long after it.", at_least=0
    )
    queue_wait_s: float = setting(1.0, "A request waits this long for room before it is refused with 503.", at_least=0)
    step_timeout_s: float = setting(10.0, "An engine step that takes longer is given up.", above=0)
    admission_share: float = setting(
        0.85,
        "Share of the cores that admitted streams may need at first; it adapts. 0 admits without measuring.",
        at_least=0,
    )

    def worker_count(self) -> int:
        """Threads that compute speech."""
        return self.workers or available_cores()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """Many machines."""

    doors: int = setting(1, "Copies of the server that answer clients.", above=0)
    mouths: int = setting(1, "Copies of the synthesizer, at least.", above=0)
    mouths_max: int = setting(0, "Copies of the synthesizer under load; 0: never more than at least.", at_least=0)
    mouth_cores: int = setting(2, "Cores of each copy of the synthesizer.", above=0)
    mouth_listeners: int = setting(8, "Live listeners one copy carries; `vivavoce bench` measures it.", above=0)

    ears: int = setting(1, "Copies of the transcriber, at least; 0: the doors hear for themselves.", at_least=0)
    ears_max: int = setting(0, "Copies of the transcriber under load; 0: never more than at least.", at_least=0)
    ear_cores: int = setting(2, "Cores of each copy of the transcriber.", above=0)
    ear_listeners: int = setting(8, "People one copy hears at once; `vivavoce bench` measures it.", above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRTCSettings:
    """WebRTC."""

    ice_servers: tuple[str, ...] = setting(
        (), "STUN and TURN addresses, e.g. stun:stun.example.org or turn:user:secret@turn.example.org.", secret=True
    )
    ice_private: bool = setting(False, "Accept private client addresses in offers also when listening beyond loopback.")
    max_calls: int = setting(20, "WebRTC calls at once, pending offers included.", at_least=0)
    fastrtc: bool = setting(False, "FastRTC's routes under /fastrtc; needs `vivavoce[fastrtc]`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedSettings:
    """Models on other machines."""

    hosted: bool = setting(False, "Call models elsewhere: for callers of /v1/hosted, hosted_voices and hosted_ears.")
    hosted_voices: tuple[str, ...] = setting(
        (), "Voices there, NAME=huggingface MODEL language=en or NAME=openai http://HOST/v1 voice=alloy language=en."
    )
    hosted_ears: tuple[str, ...] = setting(
        (), "Recognition models there, NAME=huggingface MODEL or NAME=openai http://HOST/v1 model=whisper-1 words=yes."
    )
    hosted_hosts: tuple[str, ...] = setting(
        (), "Hosts that callers may name besides Hugging Face's: `name`, `*.name`, either with `:port`; https only."
    )
    hosted_tokens: tuple[str, ...] = setting(
        (), "This server's own tokens, HOST=TOKEN; used for callers with a key who send none.", secret=True
    )
    hosted_begin_s: float = setting(
        120.0, "An answer must begin after this long, the model's loading included.", above=0
    )
    hosted_whole_s: float = setting(900.0, "An answer must have ended after this long.", above=0)
    hosted_max_mib: int = setting(64, "Size of an answer.", above=0)
    hosted_max_calls: int = setting(16, "Calls to other machines at once; one key may have a quarter of them.", above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Tasks from an engine."""

    engine_url: tuple[str, ...] = setting((), "Engines to register with; needs `hosted` and `vivavoce[engine]`.")
    engine_service_url: str | None = setting(None, "Address under which the engines reach this server.")
    engine_storage: tuple[str, ...] = setting((), "Object storage that tasks may name: `name` or `name:port`.")
    engine_max_tasks: int = setting(50, "Tasks of one service, waiting ones included.", above=0)
    engine_tasks_at_once: int = setting(4, "Tasks of one service that run at once.", above=0)
    engine_announce_retries: int = setting(5, "How often an engine is told of a service at the start.", above=0)
    engine_announce_retry_delay_s: float = setting(3.0, "Pause between two of these tries.", at_least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Logs."""

    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "Least severe line logged.")
    log_format: Literal["auto", "json", "text"] = setting(
        "auto", "json: one object a line; auto: text on a terminal, json elsewhere."
    )


@dataclass(frozen=True, slots=True, init=False)
class Config:
    """All settings.

    Made of flat names, as every source gives them: `Config(port=8000, ahead_s=3.0)`.

    Raises:
        ConfigError: If a name is unknown, or a value cannot work.
    """

    server: ServerSettings
    access: AccessSettings
    voices: VoiceSettings
    listening: ListeningSettings
    limits: LimitSettings
    live: LiveSettings
    speed: SpeedSettings
    cluster: ClusterSettings
    webrtc: WebRTCSettings
    hosted: HostedSettings
    assistant: AssistantSettings
    engine: EngineSettings
    logs: LogSettings

    def __init__(self, **values: Any) -> None:
        if unknown := values.keys() - FIELDS.keys():
            raise ConfigError(unknown_setting(min(unknown), FIELDS))
        for section, kind in SECTIONS.items():
            names = [each.name for each in dataclasses.fields(kind)]
            made = kind(**{name: values[name] for name in names if name in values})
            object.__setattr__(self, section, made)
            for name in names:
                check(name, getattr(made, name), FIELDS[name].metadata)
        self.voices.aliases()
        for key in self.access.api_keys:
            check_key(key)

    def changed(self, **values: Any) -> Config:
        """The same but for these settings."""
        return Config(**{**self.values(), **values})

    def values(self) -> dict[str, Any]:
        """Every setting by its name, secrets included."""
        sections = [getattr(self, section) for section in SECTIONS]
        return {each.name: getattr(made, each.name) for made in sections for each in dataclasses.fields(made)}


SECTIONS: dict[str, type] = typing.get_type_hints(Config)
FIELDS: dict[str, dataclasses.Field[Any]] = {
    each.name: each for kind in SECTIONS.values() for each in dataclasses.fields(kind)
}


def unknown_setting(name: str, known: Iterable[str], where: str = "") -> str:
    """The sentence about a name that is no setting, with the one that was probably meant."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown setting '{name}'{where}; {guess}see docs/settings.md"


def available_cores(cpu_max: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores this process may use: of its affinity, and of its container's quota where there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no such limit
        return cores
