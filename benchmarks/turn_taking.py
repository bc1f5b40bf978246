"""How often is a user cut short who only paused, and how long does one who has finished wait for the decision?

The real detector of speech, model of intonation, recognizer and turn machine hear clips without a socket; the clock is
the sound's own, so the result is the same on any machine, as busy as it may be. Verdicts and words are there as long
after a soft end as an idle machine needs. Cut: the turn ended inside. Decided: from the last audible sample of a whole
turn, or of one that was not cut, until the turn ends.

    python benchmarks/turn_taking.py --model ~/models/whisper-base
    python benchmarks/turn_taking.py --model ~/models/whisper-base --groups "pauses held out" --kokoro ~/kokoro-js
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from platformdirs import user_cache_path

from conversation_clips import PAUSES_S, paused_turns, turns
from conversation_clips import RATE as CONVERSATION_RATE
from recognition import OneModel
from report import print_report, spread
from turn_clips import RATE, TurnClip, turn_clips
from turn_speakers import SPEEDS, speakers_clips
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.engines.silero import FRAME, SILENCE, SileroDetector
from vivavoce.engines.turn_end import TurnEndJudge
from vivavoce.engines.whisper.own_speech import own_speech
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.recognition.turn_events import (
    FRAME_S,
    Frames,
    SoftEnd,
    TurnEnds,
    TurnInput,
    TurnOptions,
    UserBegins,
    Verdict,
    Words,
)
from vivavoce.recognition.turns import TurnDetector

VERDICT_AFTER_S = 0.06
WORDS_AFTER_S = 0.2  # the recognizer's 200 to 250 ms, less what is over before the soft end is noticed
LEAD_S, TAIL_S = 1.0, 4.5  # of silence around every clip
TAIL = 1024  # samples of silence that judge and recognizer get with the speech


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one clip.

    Attributes:
        cut: the turn ended inside.
        decided_s: after the last audible sample; None where it was cut.
    """

    clip: TurnClip
    cut: bool
    decided_s: float | None


class Listener:
    """The models, and what they say of a stretch of sound."""

    def __init__(self, folder: Path, threads: int) -> None:
        cache = user_cache_path("vivavoce") / "recognizers"
        self._recognizer = WhisperRecognizer(OneModel(folder), cache, own_speech, threads)
        self._model = self._recognizer.load_model("measured")
        self._threads = threads
        self._judge = TurnEndJudge()
        self._detector = SileroDetector()

    def frames(self, sound: Samples) -> list[float]:
        """Probabilities of speech."""
        return self._detector.hear(SILENCE, sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME))[0]

    def finished(self, stretch: Samples) -> float:
        """How finished it sounds."""
        return self._judge.finished([stretch])[0]

    def words(self, stretch: Samples) -> Heard:
        """A draft, as at a soft end."""
        stream = self._recognizer.open(self._model, HearingOptions(language="en"))
        stream.feed(stretch)
        stream.draft()
        while True:
            (heard,) = self._recognizer.step([stream], threads=self._threads)
            if heard is not None and heard.is_whole:
                stream.close()
                return heard


def main() -> None:
    options = _options()
    listener = Listener(options.model, options.threads)
    rows: list[dict[str, Any]] = []
    for name, clips in _groups(options.groups, options.kokoro):
        outcomes = [hear(listener, clip, TurnOptions.semantic_vad(options.eagerness)) for clip in clips]
        rows += _rows(name, outcomes)
    print_report("turn taking", "cut: turns that ended at a pause; decided: s after the last sample", rows)


def hear(listener: Listener, clip: TurnClip, options: TurnOptions) -> Outcome:
    """What the turn machine makes of a clip."""
    sound, end_s = _laid_out(clip)
    detector, due = TurnDetector(options), list[tuple[float, int, Callable[[], TurnInput]]]()
    begun_s, order = 0.0, 0
    frames = listener.frames(sound)
    for place, probability in enumerate(frames):
        now_s = (place + 1) * FRAME_S
        inputs = [heapq.heappop(due)[2]() for _ in range(sum(at_s <= now_s for at_s, _, _ in due))]
        for each in [Frames((probability,)), *inputs]:
            for told in detector.feed(each, now_s):
                if isinstance(told, UserBegins):
                    begun_s = told.start_s
                elif isinstance(told, SoftEnd):
                    for after_s, ask in _questions(listener, sound, begun_s, told):
                        heapq.heappush(due, (now_s + after_s, order, ask))
                        order += 1
                elif isinstance(told, TurnEnds):
                    goes_on = any(later >= options.threshold for later in frames[place + 1 :])
                    cut = goes_on and told.end_s < end_s - 0.25  # breath and reverberation are no speech
                    return Outcome(clip, cut, None if cut else now_s - end_s)
    return Outcome(clip, False, TAIL_S)


def _questions(
    listener: Listener, sound: Samples, begun_s: float, soft: SoftEnd
) -> Iterator[tuple[float, Callable[[], TurnInput]]]:
    stretch = sound[round(begun_s * RATE) : round(soft.end_s * RATE) + TAIL]

    def words() -> TurnInput:
        heard = listener.words(stretch)
        return Words(soft.turn, heard.text, soft.soft_end, heard.closed, heard.language, heard.marked)

    yield VERDICT_AFTER_S, lambda: Verdict(soft.soft_end, listener.finished(stretch))
    yield WORDS_AFTER_S, words


def _laid_out(clip: TurnClip) -> tuple[Samples, float]:
    """The clip in silence, and the second in which it ends."""
    pause = np.zeros(round(clip.pause_s * RATE), np.float32)
    parts = [np.zeros(round(LEAD_S * RATE), np.float32)]
    for part in clip.parts:
        parts += [part, pause]
    sound = np.concatenate(parts[:-1])
    return np.concatenate([sound, np.zeros(round(TAIL_S * RATE), np.float32)]), len(sound) / RATE


def _groups(wanted: Sequence[str], kokoro: Path | None) -> Iterator[tuple[str, Sequence[TurnClip]]]:
    for name in wanted:
        if name == "conversation":
            yield name, list(_of_conversation())
        else:
            yield name, list(speakers_clips(name, kokoro) if name in SPEEDS else turn_clips(name))


def _of_conversation() -> Iterator[TurnClip]:
    """Those of `conversation.py`: one voice."""
    said = turns(40)
    for turn in said:
        yield TurnClip("whole", "heart", turn.text, (_at_16k(turn.sound),))
    for n, paused in enumerate(paused_turns(said)):
        yield TurnClip("cut", "heart", paused.text, (_at_16k(paused.sound),), PAUSES_S[n % len(PAUSES_S)])


def _at_16k(sound: Samples) -> Samples:
    resampled: Samples = soxr.resample(sound, CONVERSATION_RATE, RATE).astype(np.float32)
    return resampled


def _rows(name: str, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    kinds: dict[str, Callable[[TurnClip], bool]] = {
        "whole": lambda clip: clip.kind == "whole",
        "pause up to 0.8 s": lambda clip: 0 < clip.pause_s <= 0.8,
        "longer pause": lambda clip: clip.pause_s > 0.8,
        "all": lambda clip: True,
    }
    for kind, belongs in kinds.items():
        some = [each for each in outcomes if belongs(each.clip)]
        decided = [each.decided_s for each in some if each.decided_s is not None]
        row = {"clips": name, "kind": kind, "count": len(some), "cut": sum(each.cut for each in some)}
        yield {**row, "decided p25": round(float(np.percentile(decided, 25)), 3) if decided else 0.0, **spread(decided)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="whisper in CTranslate2's form")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--eagerness", choices=("low", "medium", "high", "auto"), default="auto")
    parser.add_argument(
        "--groups",
        nargs="+",
        choices=("conversation", "fitted", "held out", *SPEEDS),
        default=["conversation", "held out"],
    )
    parser.add_argument("--kokoro", type=Path, help="what kokoro-js packs, unpacked: its voices")
    return parser.parse_args()


if __name__ == "__main__":
    main()
