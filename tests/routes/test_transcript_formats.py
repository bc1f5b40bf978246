"""Transcripts as text: values in, text out."""

from __future__ import annotations

import json

from vivavoce.engines.recognizer import Heard, HeardToken, HeardWord
from vivavoce.recognition.listener import HeardSegment
from vivavoce.recognition.transcript import Transcript
from vivavoce.routes.transcript_formats import chunks, written

WORDS = (HeardWord(" Tom", 0.0, 0.4, 1.0, 0, 1), HeardWord(" & <Jerry>.", 0.5, 1.25, 1.0, 1, 2))
TOKENS = (HeardToken(5, b" Tom", -0.5), HeardToken(6, " & <Jerry>\u00e9".encode()[:-1], -0.1))
HEARD = Heard(
    "Tom & <Jerry>.", True, True, "pt", duration_s=1.5, words=WORDS, tokens=TOKENS, avg_logprob=-0.3, no_speech_prob=0.1
)
WHOLE = Transcript.of("transcribe", 3700.0, [HeardSegment(0, 3600.0, 3601.5, HEARD)])


def test_subtitles() -> None:
    assert written(WHOLE, "srt") == "1\n01:00:00,000 --> 01:00:01,250\nTom & <Jerry>.\n\n"
    assert written(WHOLE, "vtt") == "WEBVTT\n\n01:00:00.000 --> 01:00:01.250\nTom &amp; &lt;Jerry&gt;.\n\n"


def test_no_text_ends_a_cue() -> None:
    heard = Heard("a --> b\n\nc", True, True, "en", duration_s=1.0)
    odd = Transcript.of("transcribe", 2.0, [HeardSegment(0, 0.0, 1.0, heard)])
    assert written(odd, "srt").splitlines()[2:] == ["a -> b c", ""]
    assert written(odd, "vtt").count("-->") == 1


def test_verbose_json() -> None:
    content = json.loads(written(WHOLE, "verbose_json", granularities=("word", "segment")))
    assert (content["language"], content["duration"], content["usage"]["seconds"]) == ("portuguese", 3700.0, 3700.0)
    (segment,) = content["segments"]
    assert (segment["seek"], segment["start"], segment["end"]) == (360_000, 3600.0, 3601.25)
    assert (segment["tokens"], segment["avg_logprob"], segment["no_speech_prob"]) == ([5, 6], -0.3, 0.1)
    assert 0 < segment["compression_ratio"] < 2
    assert content["words"][0] == {"word": "Tom", "start": 3600.0, "end": 3600.4}
    assert list(json.loads(written(WHOLE, "verbose_json", granularities=("word",)))) == [
        "task", "language", "duration", "text", "words", "usage",
    ]  # fmt: skip


def test_json_with_logprobs() -> None:
    content = json.loads(written(WHOLE, "json", logprobs=True, languages=True))
    assert content["languages"] == [{"code": "pt"}]
    assert bytes(content["logprobs"][1]["bytes"]) == TOKENS[1].piece


def test_chunks() -> None:
    assert chunks(WHOLE)["chunks"] == [{"text": "Tom & <Jerry>.", "timestamp": [3600.0, 3601.25]}]
    assert chunks(WHOLE, words=True)["chunks"][1] == {"text": " & <Jerry>.", "timestamp": [3600.5, 3601.25]}
