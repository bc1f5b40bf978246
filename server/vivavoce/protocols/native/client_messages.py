"""What a client may send on the native stream: one frozen dataclass for each type of message.

Each field carries the rule that its value must follow; `messages.py` reads and writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from vivavoce.engines import speech_options as options
from vivavoce.format_names import LONGEST
from vivavoce.protocols.fields import INDEX, Number, OneOf, Refused, Text, Whole, Word, Written


@dataclass(frozen=True, slots=True)
class VoiceName:
    """A name, alone or as the `id` of an object."""

    def read(self, value: object) -> str:
        name = value.get("id") if isinstance(value, dict) else value
        if isinstance(name, str) and len(name) <= 128:
            return name
        raise Refused('a name of at most 128 characters, or {"id": name}')


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """How to speak from the next utterance on. Sticky: a field left out (or null) keeps its last value."""

    type: ClassVar[str] = "session.config"
    model: Annotated[str | None, Text(128)] = None  # a voice may be named here, as over HTTP
    voice: Annotated[str | None, VoiceName()] = None  # or {"id": ...}, as OpenAI's custom voices are named
    response_format: Annotated[str | None, Word(LONGEST)] = None
    sample_rate: Annotated[int | None, Written(Whole(*options.SAMPLE_RATE[:2]))] = None  # Hz
    speed: Annotated[float | None, Written(Number(*options.SPEED))] = None
    language: Annotated[str | None, Text(64)] = None  # a tag or a name
    instructions: Annotated[str | None, Text(options.MAX_INSTRUCTIONS)] = None
    seed: Annotated[int | None, Written(Whole(*options.SEED[:2]))] = None
    temperature: Annotated[float | None, Written(Number(*options.TEMPERATURE))] = None
    top_k: Annotated[int | None, Written(Whole(*options.TOP_K[:2]))] = None
    top_p: Annotated[float | None, Written(Number(*options.TOP_P))] = None
    repetition_penalty: Annotated[float | None, Written(Number(*options.REPETITION_PENALTY))] = None
    timestamps: Annotated[Literal["word", "none"] | None, OneOf(("word", "none"))] = None
    audio: Annotated[Literal["binary", "base64"] | None, OneOf(("binary", "base64"))] = None
    pace: Annotated[Literal["realtime", "burst"] | None, OneOf(("realtime", "burst"))] = None


@dataclass(frozen=True, slots=True)
class InputText:
    """A piece of text, of any size; a word, even a surrogate pair, may be cut in two."""

    type: ClassVar[str] = "input.text"
    text: Annotated[str, Text()]


@dataclass(frozen=True, slots=True)
class InputFlush:
    """Speak now what is buffered; the utterance goes on."""

    type: ClassVar[str] = "input.flush"


@dataclass(frozen=True, slots=True)
class InputDone:
    """End of the utterance's text."""

    type: ClassVar[str] = "input.done"


@dataclass(frozen=True, slots=True)
class InputCancel:
    """Stop everything not yet done."""

    type: ClassVar[str] = "input.cancel"


@dataclass(frozen=True, slots=True)
class PlaybackPosition:
    """What the listener has heard of an utterance."""

    type: ClassVar[str] = "playback.position"
    utterance_index: Annotated[int, INDEX]
    played_ms: Annotated[float, Number(0, 1e9)]


@dataclass(frozen=True, slots=True)
class SessionClose:
    """The client leaves."""

    type: ClassVar[str] = "session.close"


ClientMessage = SessionConfig | InputText | InputFlush | InputDone | InputCancel | PlaybackPosition | SessionClose
