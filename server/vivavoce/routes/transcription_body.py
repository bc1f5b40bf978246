"""The options of `/v1/audio/transcriptions` and `/v1/audio/translations`, however a client writes them. Pure.

Text in forms, values in JSON; lists as `name`, `name[]`, repeated, with commas or as JSON; objects as JSON or
`name[key]`. Nothing is written as nothing or as a language's word for it. Unknown fields are ignored, as OpenAI's own
API does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vivavoce.engines.recognizer import HearingOptions, Task
from vivavoce.errors import InvalidRequest, UnsupportedFormat
from vivavoce.recognition.ears import OF_RECORDINGS
from vivavoce.recognition.language_names import heard_language
from vivavoce.recognition.speech_detector import DetectorOptions
from vivavoce.routes.transcript_formats import FORMATS, GRANULARITIES, TIMED, format_named

MAX_PROMPT = 65_536  # characters
READ_PROMPT = 8192  # at the end of it: more than the model reads
MAX_KEYWORDS = 200
MAX_KEYWORD = 100  # characters
MAX_SEED = 2**32 - 1
_NOTHING = frozenset({"", "null", "none", "undefined"})  # as clients write what they do not have
_BRACKETS = re.compile(r"(\w{1,64})\[(\w{0,64})\]")
_YES, _NO = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class TranscriptionBody:
    """What a request for a transcription wishes.

    Attributes:
        model: as it was written; None where none was.
        options: for the recognizer.
        detector: where a recording is cut.
        format: of `transcript_formats.FORMATS`.
        granularities: of verbose_json.
        stream: server-sent events while it is being heard.
        logprobs: of every token.
        languages: whether the answer lists the language.
        to_language: a translation's.
        chunks: times as Hugging Face's pipelines give them: none, of phrases, of words.
    """

    model: str | None
    options: HearingOptions
    detector: DetectorOptions
    format: str
    granularities: tuple[str, ...]
    stream: bool
    logprobs: bool
    languages: bool
    to_language: str
    chunks: str | None


def parse_transcription(sent: Mapping[str, Sequence[Any]], task: Task) -> TranscriptionBody:
    """Check the fields of a request for a transcription.

    Raises:
        InvalidRequest, UnsupportedFormat, UnknownLanguage: With the field at fault as `param`.
    """
    fields = _Fields(sent)
    model = fields.text("model", 200)
    format = format_named(fields.text("response_format", 40) or "json")
    _check_format(format)
    granularities = tuple(word.lower() for word in fields.words("timestamp_granularities"))
    for word in granularities:
        if word not in GRANULARITIES:
            raise InvalidRequest(f"expected: {', '.join(GRANULARITIES)}", param="timestamp_granularities")
    stream = fields.flag("stream")
    if stream and format in ("srt", "vtt"):
        raise InvalidRequest(f"a stream of events cannot be written as {format}", param="stream")
    chunks = _chunks(fields)
    several = [code for each in fields.words("languages") if (code := heard_language(each, param="languages"))]
    language = heard_language(fields.text("language", 64) or "")
    options = HearingOptions(
        language=several[0] if language is None and len(several) == 1 else language,
        languages=tuple(dict.fromkeys(several)),
        task=task,
        prompt=(fields.text("prompt", MAX_PROMPT) or "")[-READ_PROMPT:],
        hotwords=_keywords(fields),
        temperature=fields.number("temperature", 0.0, 1.0, several=True) or 0.0,
        seed=int(fields.number("seed", 0, MAX_SEED) or 0),
        word_times=(format in TIMED or chunks is not None) and not stream,
    )
    return TranscriptionBody(
        model=model,
        options=options,
        detector=_detector(fields),
        format=format,
        granularities=granularities or ("segment",),
        stream=stream,
        logprobs="logprobs" in fields.words("include"),
        languages=bool(several) or (model or "").startswith("gpt-transcribe"),
        to_language=heard_language(fields.text("to_language", 64) or "en", param="to_language") or "en",
        chunks=chunks,
    )


def _check_format(format: str) -> None:
    if format == "diarized_json":
        raise InvalidRequest(
            "speakers are not told apart by this server; ask for json or verbose_json", param="response_format"
        )
    if format not in FORMATS:
        raise UnsupportedFormat(format, FORMATS)


def _keywords(fields: _Fields) -> tuple[str, ...]:
    words = [*fields.many("keywords"), *(word for each in fields.many("hotwords") for word in each.split(","))]
    words = [word.strip() for word in words if word.strip()]
    if len(words) > MAX_KEYWORDS or any(len(word) > MAX_KEYWORD for word in words):
        raise InvalidRequest(f"at most {MAX_KEYWORDS} words of {MAX_KEYWORD} characters", param="keywords")
    return tuple(words)


def _chunks(fields: _Fields) -> str | None:
    """Hugging Face's `return_timestamps`: true or a granularity."""
    written = (fields.text("return_timestamps", 16) or "").lower()
    if written in _NO or not written:
        return None
    return "word" if written == "word" else "segment"


def _detector(fields: _Fields) -> DetectorOptions:
    strategy = fields.object("chunking_strategy")
    if (
        strategy is None
        or strategy == {}
        or (isinstance(strategy, str) and strategy.strip().lower() in {"auto", *_NOTHING})
    ):
        return OF_RECORDINGS
    if not isinstance(strategy, Mapping) or strategy.get("type", "server_vad") != "server_vad":
        raise InvalidRequest("expected: auto, or an object of type server_vad", param="chunking_strategy")
    threshold = _number(strategy.get("threshold", 0.5), 0.0, 1.0, "chunking_strategy")
    preroll_ms = _number(strategy.get("prefix_padding_ms", 300), 0, 2000, "chunking_strategy")
    silence_ms = _number(strategy.get("silence_duration_ms", 500), 0, 5000, "chunking_strategy")
    threshold = min(max(threshold, 0.05), 0.95)
    return DetectorOptions(
        threshold=threshold,
        hysteresis=min(0.15, threshold / 2),
        preroll_s=preroll_ms / 1000,
        silence_s=max(0.1, silence_ms / 1000),
        longest_s=OF_RECORDINGS.longest_s,
    )


class _Fields:
    """Values by plain names."""

    def __init__(self, sent: Mapping[str, Sequence[Any]]) -> None:
        self._values: dict[str, list[Any]] = {}
        self._keys: dict[str, dict[str, Any]] = {}
        for name, values in sent.items():
            bracket = _BRACKETS.fullmatch(name)
            if bracket and bracket[2] and not bracket[2].isdecimal():
                self._keys.setdefault(bracket[1], {})[bracket[2]] = values[-1] if values else None
            else:
                self._values.setdefault(bracket[1] if bracket else name, []).extend(values)

    def text(self, name: str, longest: int) -> str | None:
        """A single value; None where it is absent, blank or says that there is none."""
        values = {str(value) for value in self._values.get(name, ()) if not isinstance(value, dict | list)}
        if any(isinstance(value, dict | list) for value in self._values.get(name, ())):
            raise InvalidRequest(f"the field '{name}' must be text", param=name)
        if len(values) > 1:
            raise InvalidRequest(f"the field '{name}' was sent twice", param=name)
        text = next(iter(values), "").encode("utf-8", "ignore").decode().strip()
        if len(text) > longest:
            raise InvalidRequest(f"the field '{name}' may have {longest} characters", param=name)
        return None if text.lower() in _NOTHING and (name != "prompt" or not text) else text

    def words(self, name: str) -> list[str]:
        """All values, also those between commas."""
        return [word for each in self.many(name) for part in each.split(",") if (word := part.strip())]

    def many(self, name: str) -> list[str]:
        """All values; one that is a JSON list counts as its items."""
        found: list[str] = []
        for value in self._values.get(name, ()):
            items = _json(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
            found += [
                item for item in (items if isinstance(items, list) else [items]) if isinstance(item, str) and item
            ]
        if len(found) > MAX_KEYWORDS:
            raise InvalidRequest(f"the field '{name}' has too many values", param=name)
        return found

    def flag(self, name: str) -> bool:
        """true or false, in the words of forms."""
        word = (self.text(name, 16) or "false").lower()
        if word not in _YES | _NO:
            raise InvalidRequest(f"the field '{name}' must be true or false", param=name)
        return word in _YES

    def number(self, name: str, low: float, high: float, *, several: bool = False) -> float | None:
        """A number within bounds.

        Args:
            several: of a list, the first: others try the next ones where a result is poor, here there is one more try.
        """
        if several:
            values = [item for each in self._values.get(name, ()) for item in _items(each)]
            self._values[name] = values[:1]
        text = self.text(name, 40)
        return None if text is None else _number(text, low, high, name)

    def object(self, name: str) -> Any:
        """A word, or an object written as JSON or with brackets; None where it is absent."""
        if name in self._keys:
            return self._keys[name]
        values = self._values.get(name)
        if not values or values[-1] == "":
            return None
        value = values[-1]
        return _json(value) if isinstance(value, str) and value.lstrip().startswith(("{", '"')) else value


def _number(value: Any, low: float, high: float, param: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise InvalidRequest(f"{param}: expected a number from {low:g} to {high:g}", param=param)
    return number


def _items(value: Any) -> list[Any]:
    """Of a list, or of what may be written for one."""
    found = _json(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
    if isinstance(found, str):
        return found.split(",")
    return found if isinstance(found, list) else [found]


def _json(text: str) -> Any:
    try:
        return json.loads(text[:4096])
    except (ValueError, RecursionError):
        return text
