"""Viva Voce beside genie-tts 2.0.2: the same voice, the same sentences, one run, a process each.

The voice is synthetic and of the real size, so nothing is judged by ear here; its sentences end after two tokens for
every phoneme, so that both sides speak about as long. Rounds alternate between the sides, and every figure is also
given as a ratio to Genie's, since absolute times move with whatever else the machine does.

    python benchmarks/genie_peer.py
    python benchmarks/genie_peer.py --version v2 --precision int8 --streams 3
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from peer_process import PeerProcess
from report import Row, print_report

SENTENCES = (  # about 62 phonemes each: five seconds
    "きょうはとてもよいてんきなので、みんなでおおきなこうえんまでさんぽにいきましょう。",
    "あしたのあさはすこしはやくおきて、えきのまえのみせでともだちとあうやくそくです。",
    "このみずうみのむこうには、ちいさなむらとふるいきょうかいがあるとききました。",
)
PLACES = 300  # of the cache in the step rows: a reference of four seconds and half of the sentence


def main() -> None:
    options = _options()
    genie_data = _genie_data()
    with (
        PeerProcess("genie_side.py", GENIE_DATA_DIR=genie_data) as genie,
        PeerProcess("vivavoce_side.py") as ours,
    ):
        ours.ask("prepare", version=options.version, precision=options.precision)
        loads = tuple(side.ask("load", version=options.version)["load_s"] for side in (genie, ours))
        spoken = _rounds(options.rounds, genie, ours)
        steps = _steps(genie, ours, options.rounds)
        memory = genie.ask("memory"), ours.ask("memory")
        streams = _streams(ours, options)
    rows = [*_rows(loads, spoken, steps, memory), *streams]
    what = f"{options.version}, {options.precision} steps, {options.rounds} rounds, sentences of 5 s"
    print_report("genie_peer", what, rows, version=options.version, precision=options.precision)


def _rounds(rounds: int, genie: PeerProcess, ours: PeerProcess) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Sentences in turn; the first of each side warms it up and is not counted."""
    spoken: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for index in range(rounds + 1):
        for side, answers in zip((genie, ours), spoken, strict=True):
            answers.append(side.ask("speak", text=SENTENCES[index % len(SENTENCES)]))
    return spoken[0][1:], spoken[1][1:]


def _steps(genie: PeerProcess, ours: PeerProcess, rounds: int) -> dict[str, list[float]]:
    """Seconds a step: Genie's, ours for one row, ours for eight."""
    found: dict[str, list[float]] = {"genie": [], "one": [], "eight": []}
    for _ in range(rounds):
        found["genie"] += genie.ask("steps", places=PLACES, count=12)["seconds"][2:]
        found["one"] += ours.ask("steps", places=PLACES, count=12, batch=1)["seconds"][2:]
        found["eight"] += ours.ask("steps", places=PLACES, count=12, batch=8)["seconds"][2:]
    return found


def _rows(
    loads: Sequence[float],
    spoken: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    steps: dict[str, list[float]],
    memory: tuple[dict[str, Any], dict[str, Any]],
) -> list[Row]:
    genie, ours = spoken
    step = {name: float(np.median(seconds)) for name, seconds in steps.items()}
    return [
        _row("first audio, s", _median(genie, "first_s"), _median(ours, "first_s")),
        _row("sentence, s of audio", _median(genie, "audio_s"), _median(ours, "audio_s")),
        _row("real-time factor", _factor(genie), _factor(ours)),
        _row("decode step, ms", 1000 * step["genie"], 1000 * step["one"]),
        _row("tokens a second, 1 stream", 1 / step["genie"], 1 / step["one"]),
        _row("tokens a second, 8 streams", 1 / step["genie"], 8 / step["eight"]),
        _row("load a prepared voice, s", loads[0], loads[1]),
        _row("memory, MiB", memory[0]["resident"], memory[1]["resident"]),
        _row("of it its own, not files, MiB", memory[0]["own"], memory[1]["own"]),
    ]


def _streams(ours: PeerProcess, options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    for count in range(1, options.streams + 1):
        asked = {"version": options.version, "count": count, "texts": list(SENTENCES)}
        heard = ours.ask("streams", **asked)
        refused = "refused" in heard
        if refused:
            heard = ours.ask("streams", **asked, everyone=True)
        silent_s = sum(heard["stalled_s"])
        how = "not all admitted; if let in, " if refused else ""
        name = f"{count} listeners, 15 s each: {how}gaps (first audio {max(heard['first_s']):.2f} s)"
        rows.append({"": name, "genie": "-", "ours": sum(heard["stalls"]), "ratio": f"{silent_s:.2f} s silent"})
    return rows


def _row(name: str, genie: float, ours: float) -> Row:
    ratio = round(ours / genie, 3) if genie else "-"
    return {"": name, "genie": round(genie, 3), "ours": round(ours, 3), "ratio": ratio}


def _median(answers: Sequence[dict[str, Any]], key: str) -> float:
    return float(np.median([answer[key] for answer in answers]))


def _factor(answers: Sequence[dict[str, Any]]) -> float:
    return float(np.median([answer["wall_s"] / answer["audio_s"] for answer in answers]))


def _genie_data() -> str:
    import sys

    from peer_process import ROOT

    sys.path.insert(0, str(ROOT / "tests"))
    from synthetic_genie_data import genie_data

    return str(genie_data())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", choices=("v2", "v2ProPlus"), default="v2ProPlus")
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32", help="of our steps; Genie's are fp32")
    parser.add_argument("--rounds", type=int, default=3, help="sentences of each side (default: 3)")
    parser.add_argument("--streams", type=int, default=2, help="listeners at once, at most; 0: none (default: 2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
