"""A stretch of speech as the question that a recognition model elsewhere reads, and its answer as words. Pure.

An OpenAI-compatible server gets a form with a WAV file in it. Hugging Face's inference gets the bare file, or, where
the times of words are wanted, JSON with the file in base64.
"""

from __future__ import annotations

import base64
import io
import json
import math
import secrets
import wave
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.samples import to_pcm16
from vivavoce.engines.recognizer import Heard, HeardWord, HearingOptions
from vivavoce.errors import HostedModelFailed, UnknownLanguage
from vivavoce.hosted.asking import Question
from vivavoce.hosted.ears import HostedEar
from vivavoce.recognition.language_names import heard_language
from vivavoce.recognition.listener import SAMPLE_RATE
from vivavoce.text.language import detect_language

MAX_WORDS = 2000  # of a segment, which has at most half a minute
MAX_CHARACTERS = 20_000
SHORTEST_S = 0.25  # OpenAI's API refuses less than a tenth of a second


def hearing_question(ear: HostedEar, samples: Samples, options: HearingOptions) -> Question:
    """The request that asks a hosted recognizer for the words of a sound.

    Args:
        samples: float32 [n], 16 kHz, within ±1.
    """
    sound = wav_file(np.pad(samples, (0, max(0, round(SHORTEST_S * SAMPLE_RATE) - len(samples)))))
    wants_words = ear.words and options.word_times and options.task == "transcribe"
    if ear.kind == "openai":
        return _form(_fields(ear, options, wants_words), sound)
    if not wants_words:
        return Question(sound, "audio/wav", "application/json")
    body = {"inputs": base64.b64encode(sound).decode(), "parameters": {"return_timestamps": "word"}}
    return Question(json.dumps(body).encode(), "application/json", "application/json")


def heard_answer(ear: HostedEar, answer: Any, options: HearingOptions, duration_s: float) -> Heard:
    """What it understood; whole, and not final.

    Raises:
        HostedModelFailed: If the answer holds no text.
    """
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise HostedModelFailed("the model's answer holds no text")
    text = text.strip()
    language = _language(answer, ear, options, text)
    words = _words(answer, text, duration_s) if options.word_times else ()
    return Heard(
        text,
        is_whole=True,
        is_final=False,
        language=language,
        duration_s=duration_s,
        words=words,
        is_translated=options.task == "translate",
    )


def wav_file(samples: Samples) -> bytes:
    """Mono, 16 bits, 16 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(SAMPLE_RATE)
        written.writeframes(to_pcm16(samples).tobytes())
    return file.getvalue()


def _fields(ear: HostedEar, options: HearingOptions, wants_words: bool) -> Iterator[tuple[str, str]]:
    yield "model", ear.model or "whisper-1"
    if options.language is not None and options.task == "transcribe":
        yield "language", options.language
    if prompt := " ".join(part for part in (options.prompt, ", ".join(options.hotwords)) if part):
        yield "prompt", prompt
    if options.temperature:
        yield "temperature", f"{options.temperature:g}"
    yield "response_format", "verbose_json" if wants_words else "json"
    if wants_words:
        yield "timestamp_granularities[]", "word"


def _form(fields: Iterator[tuple[str, str]], sound: bytes) -> Question:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
    parts += [f"{head}Content-Type: audio/wav\r\n\r\n".encode(), sound, f"\r\n--{boundary}--\r\n".encode()]
    return Question(b"".join(parts), f"multipart/form-data; boundary={boundary}", "application/json")


def _language(answer: dict[str, Any], ear: HostedEar, options: HearingOptions, text: str) -> str:
    """As it was asked for or told; else the only one there is, or what the script of the text says."""
    if options.task == "transcribe" and options.language is not None:
        return options.language
    told = answer.get("language")
    if isinstance(told, str):
        try:
            if (code := heard_language(told)) is not None:
                return code
        except UnknownLanguage:
            pass
    allowed = options.languages or ear.info.languages
    return allowed[0] if len(allowed) == 1 else detect_language(text)


def _words(answer: dict[str, Any], text: str, duration_s: float) -> tuple[HeardWord, ...]:
    """Words with their times, each with the marks behind it, so that together they are the text; else none."""
    found: list[HeardWord] = []
    place, before_s = 0, 0.0
    told = list(_told(answer))
    for index, (word, start_s, end_s) in enumerate(told):
        if text.find(word, place) < 0:
            return ()
        after = told[index + 1][0] if index + 1 < len(told) else None
        end = len(text) if after is None else text.find(after, text.find(word, place) + len(word))
        if end < 0:
            return ()
        end -= len(text[place:end]) - len(text[place:end].rstrip()) if after is not None else 0
        start_s = min(max(start_s, before_s), duration_s)
        end_s = min(max(end_s, start_s), duration_s)
        found.append(HeardWord(text[place:end], start_s, end_s, 1.0, 0, 0))
        place, before_s = end, end_s
    return tuple(found)


def _told(answer: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """(word, start_s, end_s) of OpenAI's `words` or Hugging Face's `chunks`; nothing where any of them is odd."""
    listed = answer.get("words") or answer.get("chunks")
    if not isinstance(listed, Sequence) or not 0 < len(listed) <= MAX_WORDS:
        return
    found: list[tuple[str, float, float]] = []
    for each in listed:
        match each:
            case {"word": str(word), "start": int() | float() as start, "end": int() | float() as end}:
                pass
            case {"text": str(word), "timestamp": [int() | float() as start, int() | float() as end]}:
                pass
            case _:
                return
        if not (word := word.strip()) or not (math.isfinite(start) and math.isfinite(end)):
            return
        found.append((word, float(start), float(end)))
    yield from found
