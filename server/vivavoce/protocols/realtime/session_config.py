"""How a Realtime session is set up: one frozen value, changed by partial updates as OpenAI's is.

What is not in an update keeps its value; null counts as absent, but for the three parts of the input that null turns
off (turn detection, transcription, noise reduction). Fields that this server has no use for (tracing, truncation,
prompt, reasoning) are taken and forgotten: stock clients send them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from vivavoce.protocols.fields import Flag, Many, Number, OneOf, Refused, Text, Whole, build
from vivavoce.protocols.realtime.audio_format import AudioFormat, read_format, write_format
from vivavoce.protocols.realtime.tools import (
    FunctionTool,
    NamedTool,
    ToolChoice,
    read_tool_choice,
    read_tools,
    write_tool_choice,
)

SessionType = Literal["realtime", "transcription"]
Modality = Literal["text", "audio"]
Extra = Literal["words", "metrics", "drafts"]  # events of our own, sent only where they were asked for

_MOST_INSTRUCTIONS = 60_000  # characters
_MODALITIES = Many(OneOf(("text", "audio")))
_EXTRAS = Many(OneOf(("words", "metrics", "drafts")))


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDetection:
    """Who decides that the user has finished; times in milliseconds."""

    type: Annotated[Literal["server_vad", "semantic_vad"], OneOf(("server_vad", "semantic_vad"))] = "server_vad"
    threshold: Annotated[float, Number(0, 1)] = 0.5
    prefix_padding_ms: Annotated[int, Whole(0, 5_000)] = 300
    silence_duration_ms: Annotated[int, Whole(0, 10_000)] = 500
    idle_timeout_ms: Annotated[int | None, Whole(5_000, 30_000)] = None
    eagerness: Annotated[Literal["low", "medium", "high", "auto"], OneOf(("low", "medium", "high", "auto"))] = "auto"
    create_response: Annotated[bool, Flag()] = True
    interrupt_response: Annotated[bool, Flag()] = True

    def to_wire(self) -> dict[str, object]:
        """Only what its type has."""
        other = ("eagerness",) if self.type == "server_vad" else _OF_SERVER_VAD
        pairs = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return {name: value for name, value in pairs if value is not None and name not in other}


_OF_SERVER_VAD = ("threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """The user's words are told as they are understood."""

    model: Annotated[str | None, Text(128)] = None
    language: Annotated[str | None, Text(35)] = None
    languages: Annotated[tuple[str, ...] | None, Many(Text(35))] = None
    prompt: Annotated[str | None, Text(8_000)] = None
    keywords: Annotated[tuple[str, ...] | None, Many(Text(200))] = None

    def to_wire(self) -> dict[str, object]:
        """As the client gave it."""
        pairs = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return {n: list(value) if isinstance(value, tuple) else value for n, value in pairs if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """Everything a client may set.

    Attributes:
        type: a conversation, or words only.
        model: as the client asked for it.
        speed: of the voice, 0.25 to 1.5.
        max_output_tokens: of one response; None: no limit.
        extras: events of our own.
    """

    type: SessionType = "realtime"
    model: str = ""
    instructions: str = ""
    output_modalities: tuple[Modality, ...] = ("audio",)
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_output_tokens: int | None = None
    input_format: AudioFormat = "audio/pcm"
    turn_detection: TurnDetection | None = TurnDetection()
    transcription: Transcription | None = None
    noise_reduction: str | None = None
    output_format: AudioFormat = "audio/pcm"
    voice: str = "default"
    speed: float = 1.0
    include: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()

    def updated(self, update: Mapping[str, object]) -> SessionConfig:
        """The configuration after a `session` object of a client.

        Raises:
            Refused: If a value cannot be used; `where` says which, in dots.
        """
        changes: dict[str, Any] = {}
        for name, value in update.items():
            if name in _READERS and value is not None:
                changes[name] = _at(name, _READERS[name], value)
        for former, name in _FORMER_NAMES.items():
            if former in update and (update[former] is not None or former == "turn_detection"):
                raise Refused(f"named {name}", former)
        audio = _at("audio", _object, update.get("audio"))
        changes |= _at("audio.input", self._input, audio.get("input"))
        changes |= _at("audio.output", _output, audio.get("output"))
        extras = _at("vivavoce", _object, update.get("vivavoce")).get("events")
        if extras is not None:
            changes["extras"] = _at("vivavoce.events", _EXTRAS.read, extras)
        updated = dataclasses.replace(self, **changes)
        choice, names = updated.tool_choice, {tool.name for tool in updated.tools}
        if isinstance(choice, NamedTool) and names and choice.name not in names:
            raise Refused("the name of one of the tools", "tool_choice.name")
        return updated

    def _input(self, value: object) -> dict[str, Any]:
        fields, changes = _object(value), dict[str, Any]()
        if fields.get("format") is not None:
            changes["input_format"] = _at("format", read_format, fields["format"])
        if "turn_detection" in fields:
            changes["turn_detection"] = _at("turn_detection", self._turn_detection, fields["turn_detection"])
        if "transcription" in fields:
            changes["transcription"] = _at("transcription", _transcription, fields["transcription"])
        if "noise_reduction" in fields:
            changes["noise_reduction"] = _at("noise_reduction", _noise_reduction, fields["noise_reduction"])
        return changes

    def _turn_detection(self, value: object) -> TurnDetection | None:
        """What an update leaves out keeps its value as long as the type stays the same."""
        if value is None:
            return None
        fields = _object(value)
        known = self.turn_detection
        if known is None or fields.get("type") not in (None, known.type):
            return build(TurnDetection, fields)
        merged = {**dataclasses.asdict(known), **fields}
        return build(TurnDetection, merged)

    def to_wire(self) -> dict[str, object]:
        """The `session` object that clients are told; what is not set is left out."""
        sound: dict[str, object] = {"format": write_format(self.input_format)}
        if self.transcription is not None:
            sound["transcription"] = self.transcription.to_wire()
        if self.noise_reduction is not None:
            sound["noise_reduction"] = {"type": self.noise_reduction}
        sound["turn_detection"] = self.turn_detection.to_wire() if self.turn_detection is not None else None
        wire: dict[str, object] = {"type": self.type, "audio": {"input": sound}}
        if self.include:
            wire["include"] = list(self.include)
        if self.extras:
            wire["vivavoce"] = {"events": list(self.extras)}
        if self.type == "transcription":
            return wire
        wire["audio"] = {
            "input": sound,
            "output": {"format": write_format(self.output_format), "voice": self.voice, "speed": self.speed},
        }
        return wire | {
            "model": self.model,
            "instructions": self.instructions,
            "output_modalities": list(self.output_modalities),
            "tools": [tool.to_wire() for tool in self.tools],
            "tool_choice": write_tool_choice(self.tool_choice),
            "max_output_tokens": "inf" if self.max_output_tokens is None else self.max_output_tokens,
        }


def read_voice(value: object) -> str:
    """A voice by its name, or as `{"id": name}`."""
    return Text(128).read(value.get("id") if isinstance(value, dict) else value)


def read_modalities(value: object) -> tuple[Modality, ...]:
    """`["audio"]` (with a transcript) or `["text"]`; both together count as audio."""
    words = _MODALITIES.read(value)
    if not words:
        raise Refused("audio or text")
    return ("audio",) if "audio" in words else ("text",)


def read_max_tokens(value: object) -> int | None:
    """A limit on tokens: a whole number, or None for "inf"."""
    return None if value == "inf" else Whole(1, 1_000_000).read(value)


# As they were called before GA: whoever sends them would not get what he asked for.
_FORMER_NAMES = {
    "modalities": "output_modalities",
    "voice": "audio.output.voice",
    "speed": "audio.output.speed",
    "output_audio_format": "audio.output.format",
    "input_audio_format": "audio.input.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "turn_detection": "audio.input.turn_detection",
    "max_response_output_tokens": "max_output_tokens",
}

_READERS: dict[str, Callable[[object], object]] = {
    "type": OneOf(("realtime", "transcription")).read,
    "instructions": Text(_MOST_INSTRUCTIONS).read,
    "output_modalities": read_modalities,
    "tools": read_tools,
    "tool_choice": read_tool_choice,
    "max_output_tokens": read_max_tokens,
    "include": Many(Text(100)).read,
}


def _output(value: object) -> dict[str, Any]:
    fields, changes = _object(value), dict[str, Any]()
    if fields.get("format") is not None:
        changes["output_format"] = _at("format", read_format, fields["format"])
    if fields.get("voice") is not None:
        changes["voice"] = _at("voice", read_voice, fields["voice"])
    if fields.get("speed") is not None:
        changes["speed"] = _at("speed", Number(0.25, 1.5).read, fields["speed"])
    return changes


def _transcription(value: object) -> Transcription | None:
    return None if value is None else build(Transcription, _object(value))


def _noise_reduction(value: object) -> str | None:
    if value is None:
        return None
    kind = _object(value).get("type")
    return "near_field" if kind is None else _at("type", OneOf(("near_field", "far_field")).read, kind)


def _object(value: object) -> dict[str, object]:
    """An object; one that is absent has no fields."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Refused("an object")


def _at(where: str, read: Callable[[object], Any], value: object) -> Any:
    """Read a value, naming its place where it is refused."""
    try:
        return read(value)
    except Refused as refused:
        place = f"{where}.{refused.where}" if refused.where else where
        raise Refused(refused.expected, place) from None
