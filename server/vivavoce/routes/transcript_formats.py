"""A transcript as OpenAI's clients, subtitles and Hugging Face's clients want it written. Pure."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable
from typing import Any

from vivavoce.engines.recognizer import HeardToken, HeardWord
from vivavoce.recognition.language_names import name_of
from vivavoce.recognition.transcript import Phrase, Transcript

FORMATS: dict[str, str] = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "srt": "text/plain; charset=utf-8",  # application/x-subrip makes browsers ask where to save it
    "verbose_json": "application/json",
    "vtt": "text/vtt; charset=utf-8",
}
_NAMED = {
    "application/json": "json",
    **dict.fromkeys(("txt", "plain", "text/plain"), "text"),
    **dict.fromkeys(("subrip", "application/x-subrip", "application/srt"), "srt"),
    **dict.fromkeys(("webvtt", "text/vtt"), "vtt"),
    "verbose-json": "verbose_json",
}
TIMED = frozenset({"srt", "verbose_json", "vtt"})
GRANULARITIES = ("segment", "word")
POSITIONS_PER_S = 50  # whisper's encoder makes so many vectors of a second: the "audio tokens" of a usage


def format_named(written: str) -> str:
    """The format that a name, an ending (".srt") or a media type means, in any case; what means none as it is."""
    name = written.strip().lower().removeprefix(".").partition(";")[0].rstrip()
    return _NAMED.get(name, name)


def written(
    transcript: Transcript,
    format: str,
    *,
    granularities: Collection[str] = ("segment",),
    logprobs: bool = False,
    languages: bool = False,
) -> str:
    """The body of an answer.

    Args:
        format: of `FORMATS`.
        granularities: what verbose_json shows.
        logprobs: of every token, in json.
        languages: the code of the language, in json.
    """
    match format:
        case "text":
            return transcript.text + "\n"
        case "srt":
            return srt(transcript.phrases())
        case "vtt":
            return vtt(transcript.phrases())
        case "verbose_json":
            return _json(verbose(transcript, granularities))
        case _:
            return _json(plain(transcript, logprobs=logprobs, languages=languages))


def plain(transcript: Transcript, *, logprobs: bool = False, languages: bool = False) -> dict[str, Any]:
    """`json`."""
    content: dict[str, Any] = {"text": transcript.text}
    if languages:
        content["languages"] = [{"code": transcript.spoken_language}]
    if logprobs:
        content["logprobs"] = token_logprobs(transcript.tokens)
    return {**content, "usage": _duration(transcript)}


def verbose(transcript: Transcript, granularities: Collection[str]) -> dict[str, Any]:
    """`verbose_json`: segments, words or both."""
    phrases = transcript.phrases()
    language = transcript.language or transcript.spoken_language
    content: dict[str, Any] = {
        "task": transcript.task,
        "language": name_of(language),
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
    }
    if "segment" in granularities:
        content["segments"] = [_segment(k, phrase) for k, phrase in enumerate(phrases)]
    if "word" in granularities:
        content["words"] = [_word(word) for phrase in phrases for word in phrase.words if word.text.strip()]
    return {**content, "usage": _duration(transcript)}


def chunks(transcript: Transcript, *, words: bool = False) -> dict[str, Any]:
    """What Hugging Face's pipelines answer when times are asked for."""
    pieces: list[dict[str, Any]] = []
    for phrase in transcript.phrases():
        if words and phrase.words:
            pieces += [{"text": w.text, "timestamp": [_s(w.start_s), _s(w.end_s)]} for w in phrase.words]
        else:
            pieces.append({"text": phrase.text, "timestamp": [_s(phrase.start_s), _s(phrase.end_s)]})
    return {"text": transcript.text, "chunks": pieces}


def srt(phrases: Iterable[Phrase]) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_clock(p.start_s, ',')} --> {_clock(p.end_s, ',')}\n{_line(p.text)}\n\n"
        for number, p in enumerate(phrases, 1)
    ]
    return "".join(blocks)


def vtt(phrases: Iterable[Phrase]) -> str:
    """WebVTT. Source: https://www.w3.org/TR/webvtt1/, 4.1: a text holds neither `-->` nor a bare & or <."""
    blocks = [
        f"{_clock(p.start_s, '.')} --> {_clock(p.end_s, '.')}\n{html.escape(_line(p.text), quote=False)}\n\n"
        for p in phrases
    ]
    return "WEBVTT\n\n" + "".join(blocks)


def token_logprobs(tokens: Iterable[HeardToken]) -> list[dict[str, Any]]:
    """OpenAI's list; a token may be half a character, so its bytes stand beside it."""
    return [
        {
            "token": token.piece.decode(errors="replace"),
            "logprob": round(token.logprob, 6),
            "bytes": list(token.piece),
        }
        for token in tokens
    ]


def token_usage(transcript: Transcript) -> dict[str, Any]:
    """Of the last event of a stream, which OpenAI's types want counted in tokens."""
    heard, said = round(POSITIONS_PER_S * transcript.duration_s), len(transcript.tokens)
    return {
        "type": "tokens",
        "input_tokens": heard,
        "input_token_details": {"audio_tokens": heard, "text_tokens": 0},
        "output_tokens": said,
        "total_tokens": heard + said,
    }


def _segment(number: int, phrase: Phrase) -> dict[str, Any]:
    heard = phrase.heard
    return {
        "id": number,
        "seek": round(100 * phrase.window_s),  # in frames of 10 ms, as whisper counts
        "start": _s(phrase.start_s),
        "end": _s(phrase.end_s),
        "text": " " + phrase.text,
        "tokens": [token.id for token in phrase.tokens],
        "temperature": heard.temperature,
        "avg_logprob": round(phrase.avg_logprob, 6),
        "compression_ratio": round(phrase.compression_ratio, 6),
        "no_speech_prob": round(heard.no_speech_prob, 6),
    }


def _word(word: HeardWord) -> dict[str, Any]:
    return {"word": word.text.strip(), "start": _s(word.start_s), "end": _s(word.end_s)}


def _duration(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(transcript.duration_s, 3)}


def _s(seconds: float) -> float:
    return round(seconds, 3)


def _clock(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"


def _line(text: str) -> str:
    """On one line, and without what would end a cue."""
    return " ".join(text.split()).replace("-->", "->")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
