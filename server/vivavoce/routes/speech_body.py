"""The JSON body of `POST /v1/audio/speech`: OpenAI's fields, the aliases other clients send, and our extensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivavoce.audio.encoders import FORMATS
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EmptyInput, InvalidRequest, TextTooLong, UnknownModel, UnsupportedFormat
from vivavoce.languages import language_code
from vivavoce.synthesis.voice_library import VoiceLibrary

PCM_SAMPLE_RATE = 24_000  # what OpenAI's clients expect of `pcm`, whatever voice speaks
FILE_SAMPLE_RATE = 32_000  # of the wav that a client gets who names a voice as its model and no format

# Model names of OpenAI that stand for "whatever this server speaks with".
OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")


class VoiceObject(BaseModel):
    """A voice as OpenAI's custom voices name it."""

    id: str


class SpeechBody(BaseModel):
    """What to say and how. Unknown fields are ignored, as OpenAI's own API does."""

    model_config = ConfigDict(strict=True, extra="ignore")

    input: Annotated[str, Field(description="The text, 1 to 4096 characters.", min_length=1, max_length=4096)]
    model: Annotated[str, Field(description="`tts-1`, an engine, or a voice: then that voice speaks.")] = "tts-1"
    voice: Annotated[str | VoiceObject | None, Field(description="A voice id, `id/Style`, or an OpenAI name.")] = None
    response_format: Annotated[
        str | None,
        Field(description="mp3, opus, aac, flac, wav, pcm or ogg. Default: mp3; wav where `model` names a voice."),
    ] = None
    speed: Annotated[float, Field(ge=0.25, le=4.0, description="Pitch is kept.")] = 1.0
    stream_format: Annotated[Literal["audio", "sse"], Field(description="Chunked bytes or server-sent events.")] = (
        "audio"
    )
    instructions: Annotated[str | None, Field(description="Voices with named references pick one by it.")] = None

    language: Annotated[Literal["auto", "en", "zh", "ja", "ko"], Field(description="Extension.")] = "auto"
    seed: Annotated[int | None, Field(ge=0, le=2**63 - 1, description="Extension: same seed, same audio.")] = None
    temperature: Annotated[float | None, Field(ge=0.0, le=5.0, description="Extension, Genie voices.")] = None
    top_k: Annotated[int | None, Field(ge=1, le=1025, description="Extension, Genie voices.")] = None
    top_p: Annotated[float | None, Field(gt=0.0, le=1.0, description="Extension, Genie voices.")] = None
    repetition_penalty: Annotated[float | None, Field(gt=0.0, le=10.0, description="Extension, Genie voices.")] = None
    sample_rate: Annotated[int | None, Field(ge=8000, le=48000, description="Extension: Hz of the audio.")] = None
    timestamps: Annotated[Literal["none", "word"], Field(description="Extension: word times, with `sse` only.")] = (
        "none"
    )

    def options(self) -> SpeechOptions:
        """The part an engine looks at."""
        return SpeechOptions(
            language=self.language,
            speed=self.speed,
            seed=self.seed,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            repetition_penalty=self.repetition_penalty,
            instructions=self.instructions,
        )


def parse_speech(fields: Mapping[str, Any], *, max_text: int) -> SpeechBody:
    """Validate a body.

    Raises:
        InvalidRequest, EmptyInput, TextTooLong, UnsupportedFormat: With the field at fault as `param`.
    """
    fields = {name: value for name, value in fields.items() if value is not None}  # null is "as if not sent"
    if "input" not in fields and "text" in fields:  # Xinference's curl examples
        fields["input"] = fields["text"]
    text = fields.get("input")
    if isinstance(text, str):
        # Half a surrogate pair is no character; clients that cut text by UTF-16 units send them.
        text = text.encode("utf-8", "ignore").decode("utf-8")
        fields["input"] = text  # else as it was sent: places of words count in this text
        if len(text) > max_text:
            raise TextTooLong(len(text), max_text)
        if not text.strip():
            raise EmptyInput
    if isinstance(fields.get("language"), str):
        fields["language"] = language_code(fields["language"])
    name = fields.get("response_format")
    if isinstance(name, str) and name not in FORMATS:
        raise UnsupportedFormat(name, FORMATS)
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


def choose_form(body: SpeechBody, voices: VoiceLibrary) -> SoundForm:
    """OpenAI's default is a stream of mp3. A client that gives a voice's name for a model is none of OpenAI's: unless
    it asks for a format, it gets a file that everything reads, wav at 32 kHz with its true length.
    """
    name = body.response_format
    if name is None and body.stream_format == "audio" and body.model not in OPENAI_MODELS and voices.knows(body.model):
        return SoundForm("wav", body.sample_rate or FILE_SAMPLE_RATE, whole=True)
    return SoundForm(name or "mp3", body.sample_rate or (PCM_SAMPLE_RATE if name == "pcm" else None), whole=False)


def choose_voice(body: SpeechBody, voices: VoiceLibrary, engines: Iterable[str]) -> str:
    """The voice that `model` and `voice` mean together.

    A voice of this server named in `voice` wins; else a `model` that names a voice speaks; else the default voice.

    Raises:
        UnknownModel: If `model` is neither an OpenAI model, an engine nor a voice.
        UnknownVoice: If `voice` is neither a voice of this server nor one of OpenAI's names.
    """
    wanted = body.voice.id if isinstance(body.voice, VoiceObject) else body.voice
    model_is_voice = voices.knows(body.model)
    if not model_is_voice and body.model not in (*OPENAI_MODELS, "vivavoce", *engines):
        known = [*OPENAI_MODELS, *engines, *(v.id for v in voices.list())]
        raise UnknownModel(body.model, known)
    if wanted and (voices.knows(wanted) or not model_is_voice):
        voices.resolve(wanted)
        return wanted
    if model_is_voice:
        return body.model
    return next((v.id for v in voices.list() if v.engine == body.model and v.problem is None), "default")


def _as_invalid(error: ValidationError) -> InvalidRequest:
    """The first fault, in words that do not repeat what was sent."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    param = ".".join(str(part) for part in fault["loc"] if not isinstance(part, int)) or None
    return InvalidRequest(f"{param}: {fault['msg']}" if param else fault["msg"], param=param)
