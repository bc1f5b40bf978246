"""The JSON body of `POST /v1/audio/speech`: OpenAI's fields, the aliases other clients send, and our extensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivavoce.audio.encoders import FORMATS, TELEPHONE
from vivavoce.engines import speech_options as wish
from vivavoce.engines.speech_options import Range, SpeechOptions
from vivavoce.errors import EmptyInput, InvalidRequest, TextTooLong, UnsupportedFormat
from vivavoce.format_names import format_named
from vivavoce.languages import AUTO, language_code
from vivavoce.protocols.fields import as_number
from vivavoce.synthesis.voice_choice import names_voice
from vivavoce.text.limits import written_length

PCM_SAMPLE_RATE = 24_000  # what OpenAI's clients expect of `pcm`, whatever voice speaks
FILE_SAMPLE_RATE = 32_000  # of the wav that a client gets who names a voice as its model and no format

NUMBERS = frozenset({"speed", "seed", "temperature", "top_k", "top_p", "repetition_penalty", "sample_rate"})
_WORDS = ("response_format", "stream_format", "timestamps")  # they mean the same in any case


# As other clients name a field: Xinference's curl examples, ElevenLabs' and their like.
_OTHER_NAMES = {"input": ("text",), "voice": ("voice_id", "voiceId")}
_FORMAT_NAMES = ("output_format", "audio_format", "format")


def _is_format(written: str) -> bool:
    name = format_named(written).name
    return name in FORMATS or name in TELEPHONE


def _other_format(fields: Mapping[str, Any]) -> str | None:
    """A format of sound under another name; what is none of ours is somebody's own field."""
    written = (fields.get(name) for name in _FORMAT_NAMES)
    return next((each for each in written if isinstance(each, str) and _is_format(each)), None)


def _within(allowed: Range[Any], description: str) -> Any:
    low = {"gt": allowed.low} if allowed.above else {"ge": allowed.low}
    return Field(**low, le=allowed.high, description=description)


class VoiceObject(BaseModel):
    """A voice as OpenAI's custom voices name it."""

    id: str


class SpeechBody(BaseModel):
    """What to say and how. Unknown fields are ignored, as OpenAI's own API does."""

    model_config = ConfigDict(strict=True, extra="ignore")

    input: Annotated[str, Field(description="The text; its longest is the setting `max_text`.", min_length=1)]
    model: Annotated[str, Field(description="`tts-1`, an engine, or a voice: then that voice speaks.")] = "tts-1"
    voice: Annotated[str | VoiceObject | None, Field(description="A voice id, `id/Style`, or an OpenAI name.")] = None
    response_format: Annotated[
        str | None,
        Field(
            description="mp3, opus, aac, flac, wav, pcm, ogg, ulaw or alaw. Default: mp3; wav if `model` is a voice."
        ),
    ] = None
    speed: Annotated[float, _within(wish.SPEED, "Pitch is kept.")] = 1.0
    stream_format: Annotated[Literal["audio", "sse"], Field(description="Chunked bytes or server-sent events.")] = (
        "audio"
    )
    instructions: Annotated[
        str | None,
        Field(max_length=wish.MAX_INSTRUCTIONS, description="Voices with named references pick one by it."),
    ] = None

    language: Annotated[str, Field(description="Extension: auto, en, zh, ja, ko; tags and names are understood.")] = (
        AUTO
    )
    seed: Annotated[int | None, _within(wish.SEED, "Extension: same seed, same audio.")] = None
    temperature: Annotated[float | None, _within(wish.TEMPERATURE, "Extension, Genie voices.")] = None
    top_k: Annotated[int | None, _within(wish.TOP_K, "Extension, Genie voices.")] = None
    top_p: Annotated[float | None, _within(wish.TOP_P, "Extension, Genie voices.")] = None
    repetition_penalty: Annotated[float | None, _within(wish.REPETITION_PENALTY, "Extension, Genie voices.")] = None
    sample_rate: Annotated[int | None, _within(wish.SAMPLE_RATE, "Extension: Hz of the audio.")] = None
    timestamps: Annotated[Literal["none", "word"], Field(description="Extension: word times, with `sse` only.")] = (
        "none"
    )

    @property
    def voice_name(self) -> str | None:
        """The voice asked for, in whichever form."""
        return self.voice.id if isinstance(self.voice, VoiceObject) else self.voice

    def options(self) -> SpeechOptions:
        """The part an engine looks at."""
        return SpeechOptions.of(self)


def parse_speech(fields: Mapping[str, Any], *, max_text: int) -> SpeechBody:
    """Check the JSON body of a request to speak.

    Raises:
        InvalidRequest, EmptyInput, TextTooLong, UnsupportedFormat: With the field at fault as `param`.
    """
    fields = {name: value for name, value in fields.items() if value is not None}  # null is "as if not sent"
    for name, others in _OTHER_NAMES.items():
        if name not in fields and (other := next((each for each in others if each in fields), None)) is not None:
            fields[name] = fields[other]
    if "response_format" not in fields and (other := _other_format(fields)) is not None:
        fields["response_format"] = other
    text = fields.get("input")
    if isinstance(text, str):
        # Half a surrogate pair is no character; clients that cut text by UTF-16 units send them.
        text = text.encode("utf-8", "ignore").decode("utf-8")
        fields["input"] = text  # else as it was sent: places of words count in this text
        if (length := written_length(text, max_text)) > max_text:
            raise TextTooLong(length, max_text)
        if not text.strip():
            raise EmptyInput
    for name in _WORDS:
        if isinstance(word := fields.get(name), str):
            fields[name] = word.strip().lower()
        if fields.get(name) == "":  # not set, as an empty voice or model
            del fields[name]
    format = fields.get("response_format")
    if isinstance(format, str):
        named = format_named(format)
        fields["response_format"] = named.name
        if not _is_format(format):
            raise UnsupportedFormat(format, FORMATS)
        if named.sample_rate is not None:
            fields.setdefault("sample_rate", named.sample_rate)
    for name in NUMBERS & fields.keys():
        fields[name] = as_number(fields[name])
    for name in ("seed", "top_k", "sample_rate"):  # JSON has one kind of number: 24000.0 is whole
        if isinstance(number := fields.get(name), float) and number.is_integer():
            fields[name] = int(number)
    if isinstance(language := fields.get("language"), str):
        fields["language"] = language_code(language)
    try:
        body = SpeechBody.model_validate(fields)
    except ValidationError as error:
        raise _as_invalid(error) from None
    if body.timestamps == "word" and body.stream_format != "sse":
        raise InvalidRequest("timestamps need stream_format `sse`", param="timestamps")
    return body


@dataclass(frozen=True, slots=True)
class SoundForm:
    """How the answer is written: a format of `FORMATS`, Hz (None: the voice's own), and whether as one whole file."""

    name: str
    sample_rate: int | None
    whole: bool


def choose_form(body: SpeechBody, engines: Collection[str]) -> SoundForm:
    """OpenAI's default is a stream of mp3. A client that gives a voice's name for a model is none of OpenAI's: unless
    it asks for a format, it gets a file that everything reads, wav at 32 kHz with its true length.
    """
    name = body.response_format
    if name is None and body.stream_format == "audio" and names_voice(body.model, engines):
        return SoundForm("wav", body.sample_rate or FILE_SAMPLE_RATE, whole=True)
    return SoundForm(name or "mp3", body.sample_rate or (PCM_SAMPLE_RATE if name == "pcm" else None), whole=False)


def _as_invalid(error: ValidationError) -> InvalidRequest:
    """The first fault, in words that do not repeat what was sent."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    loc = fault["loc"][:1] if fault["loc"][:1] == ("voice",) else fault["loc"]  # and not which of its two forms
    param = ".".join(str(part) for part in loc if not isinstance(part, int)) or None
    if param == "voice":
        return InvalidRequest('voice: a name, or {"id": name}', param=param)
    return InvalidRequest(f"{param}: {fault['msg']}" if param else fault["msg"], param=param)
