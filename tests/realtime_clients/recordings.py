"""A recording of known words at known places, and what a client has to make of it."""

from __future__ import annotations

import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

RATE = 24_000
LISTS = (("Monday", "Tuesday", "Wednesday", "Thursday"), ("orange", "banana", "cherry", "lemon"))
GAP_S = 0.2  # between the words of a list
PAUSE_S = 0.8  # around the lists
QUIET = 0.01  # of full scale: below it nothing is said
TRUE_TO_S = 0.2  # of every word


@dataclass(frozen=True)
class Spoken:
    """A word, and where it sounds in the recording, in seconds."""

    word: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Recording:
    """A WAV file.

    Attributes:
        path: 24 kHz, 16 bit, mono.
            words: of it, and where they were put.
        duration_s: of the whole.
    """

    path: Path
    words: tuple[Spoken, ...]
    duration_s: float

    @property
    def text(self) -> str:
        return " ".join(each.word for each in self.words)


def record(url: str, folder: Path) -> Recording:
    """Have the server's voice say word by word, and put each where it is known to be."""
    pieces, words, at = [_silence(PAUSE_S)], list[Spoken](), round(PAUSE_S * RATE)
    for names in LISTS:
        for name in names:
            samples = _speak(url, name)
            words.append(Spoken(bare(name), at / RATE, (at + len(samples)) / RATE))
            rest = _silence(GAP_S if name != names[-1] else PAUSE_S)
            pieces += [samples, rest]
            at += len(samples) + len(rest)
    path = folder / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.concatenate(pieces).astype("<i2").tobytes())
    return Recording(path, tuple(words), at / RATE)


def _silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(seconds * RATE), np.int16)


def _speak(url: str, text: str) -> NDArray[np.int16]:
    """A word and nothing around it: int16 [n]."""
    wish = {"model": "tts-1", "voice": "default", "input": text, "response_format": "pcm"}
    answer = httpx.post(f"{url}/v1/audio/speech", json=wish, timeout=60).raise_for_status()
    samples = np.frombuffer(answer.content, "<i2")
    loud = np.flatnonzero(np.abs(samples) > QUIET * 32768)
    return samples[loud[0] : loud[-1] + 1]


def bare(text: str) -> str:
    """Words without case and marks."""
    return " ".join(re.sub(r"[^a-z0-9 ]", "", text.lower()).split())


def check_text(recording: Recording, text: str) -> None:
    assert bare(text) == bare(recording.text), text


def check_words(recording: Recording, words: Sequence[tuple[str, float, float]]) -> None:
    """Each word, and where it is: (word, start, end) in seconds."""
    assert [bare(word) for word, _, _ in words] == [each.word for each in recording.words], words
    for (word, start_s, end_s), true in zip(words, recording.words, strict=True):
        assert abs(start_s - true.start_s) <= TRUE_TO_S, (word, start_s, true)
        assert abs(end_s - true.end_s) <= TRUE_TO_S, (word, end_s, true)


def check_segments(recording: Recording, segments: Sequence[tuple[str, float, float]]) -> None:
    """(text, start, end) in seconds: each list of words is one of them."""
    check_text(recording, " ".join(text for text, _, _ in segments))
    words = iter(recording.words)
    lists = [[next(words) for _ in names] for names in LISTS]
    for (_, start_s, end_s), spoken in zip(segments, lists, strict=True):
        assert abs(start_s - spoken[0].start_s) <= TRUE_TO_S, segments
        assert abs(end_s - spoken[-1].end_s) <= TRUE_TO_S, segments


_TIME = r"(\d+):(\d\d):(\d\d)[,.](\d\d\d)"


def read_subtitles(text: str) -> list[tuple[str, float, float]]:
    """The cues of SRT or WebVTT."""
    cues = re.findall(rf"{_TIME} --> {_TIME}\n((?:.+\n?)+)", text)
    return [(said.strip(), _seconds(times[:4]), _seconds(times[4:])) for *times, said in cues]


def _seconds(parts: Sequence[str]) -> float:
    hours, minutes, seconds, milliseconds = (int(part) for part in parts)
    return 3600 * hours + 60 * minutes + seconds + milliseconds / 1000


def check_subtitles(recording: Recording, text: str, kind: str) -> None:
    """A file of SRT or WebVTT."""
    assert text.startswith("WEBVTT\n\n" if kind == "vtt" else "1\n"), text
    assert (re.search(r"\d\d,\d\d\d --> ", text) is not None) == (kind == "srt"), text
    check_segments(recording, read_subtitles(text))
