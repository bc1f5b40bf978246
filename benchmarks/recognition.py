"""How well and how quickly is speech understood, beside faster-whisper with the same weights?

Both hear the same clips in turns, in one process and with the same threads. faster-whisper 1.2.1 runs as everybody runs
it: `WhisperModel(folder, compute_type="int8").transcribe(sound)`; "whole window" is ours with silence up to 30 s behind
the sound. Errors are of words for English (whisper's own normaliser), of characters for the other languages. A hearing
is cancelled by not taking its next step, so what a cancel waits for is the step that runs: ten moments are drawn for
each length of sound.

    python benchmarks/recognition.py --model ~/models/whisper-base
    python benchmarks/recognition.py --model ~/models/whisper-base --clips ~/clips --threads 2
    python benchmarks/recognition.py --model ~/models/whisper-base --other-languages --prompts ~/prompts

`--other-languages` holds only ours in short windows against ours in whole ones: a row for each language, first where it
is told and then where it is detected, what is heard twice, and the mean time of both in turns.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from platformdirs import user_cache_path
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from recognition_clips import SAMPLE_RATE, Clip, long_clips, package_clips, prompt_clips, voice_clips
from report import format_table, print_report
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, RecognizerInfo
from vivavoce.engines.whisper.guards import says_it_twice
from vivavoce.engines.whisper.own_speech import own_speech
from vivavoce.engines.whisper.recognizer import WhisperRecognizer
from vivavoce.progress import Progress

Hear = Callable[[Samples, str | None], str]  # (sound, language or None to detect it) -> text

SHORT_S = (2.5, 3.5)
LONG_S = 29.0


class OneModel:
    """`ModelFolders` of the one folder that is measured."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def models(self) -> list[RecognizerInfo]:
        return [RecognizerInfo("measured", (), WhisperRecognizer.name)]

    def folder(self, model_id: str, progress: Progress | None = None) -> Path:
        return self._folder


class Ours:
    """Our recognizer, stepped as a worker would.

    Attributes:
        heard_twice: the last sound was heard once more in the whole window.
    """

    name = "vivavoce"

    def __init__(self, folder: Path, threads: int) -> None:
        cache = user_cache_path("vivavoce") / "recognizers"
        self._recognizer = WhisperRecognizer(OneModel(folder), cache, own_speech, threads)
        self._model = self._recognizer.load_model("measured")
        self._threads = threads
        self.heard_twice = False

    def __call__(self, sound: Samples, language: str | None) -> str:
        return self.stepped(sound, language)[0].text

    def stepped(self, sound: Samples, language: str | None) -> tuple[Heard, list[float]]:
        """What was heard, and the seconds of each step."""
        known = language if language in self._model.languages else None
        stream = self._recognizer.open(self._model, HearingOptions(language=known))
        stream.feed(sound)
        stream.end()
        heard, steps = None, []
        first, self.heard_twice = stream.attempt, False
        while stream.stage != "done":
            self.heard_twice = self.heard_twice or stream.attempt is not first
            begin = time.perf_counter()
            (heard,) = self._recognizer.step([stream], threads=self._threads)
            steps.append(time.perf_counter() - begin)
        assert heard is not None
        return heard, steps


class WholeWindow:
    """Ours in windows of 30 s: the sound with silence behind it."""

    name = "whole window"

    def __init__(self, ours: Ours) -> None:
        self._ours = ours

    def __call__(self, sound: Samples, language: str | None) -> str:
        return self._ours(np.pad(sound, (0, max(0, 30 * SAMPLE_RATE - len(sound)))), language)


class FasterWhisper:
    """faster-whisper with its defaults: beam of 5, times, temperatures, the whole window."""

    name = "faster-whisper"

    def __init__(self, folder: Path, threads: int) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def __call__(self, sound: Samples, language: str | None) -> str:
        segments, _ = self._model.transcribe(sound, language=language)
        return " ".join(segment.text.strip() for segment in segments)


def main() -> None:
    options = _options()
    if options.other_languages:
        _compare_windows(options)
        return
    ours, theirs = Ours(options.model, options.threads), FasterWhisper(options.model, options.threads)
    voice = list(voice_clips())
    clips = [*voice, *long_clips(voice, LONG_S), *package_clips(options.clips)]
    if options.languages:
        clips = [clip for clip in clips if clip.language in options.languages.split(",")]
    accuracy = _accuracy([ours, WholeWindow(ours), theirs], clips)
    speed = _speed([ours, theirs], clips, options.repeat)
    steps = _steps(ours, clips, options.repeat)
    print(f"errors in percent, {len(clips)} clips\n{format_table(accuracy)}\n")
    print(f"milliseconds for a clip, smallest of {options.repeat} runs in turns\n{format_table(speed)}\n")
    what = "milliseconds of a step, and from a random moment until the running step ends"
    facts = {"accuracy": accuracy, "speed": speed, "threads": options.threads, "model": options.model.name}
    print_report("recognition", what, steps, **facts)


def _compare_windows(options: argparse.Namespace) -> None:
    """Our short windows and our whole ones, language by language."""
    clips = [clip for clip in package_clips(options.clips) if clip.language != "en"]
    clips += prompt_clips(options.prompts) if options.prompts else ()
    ours = Ours(options.model, options.threads)
    rows = []
    for told in (True, False):
        group = [_compared(ours, WholeWindow(ours), clip, told) for clip in clips]
        for language in [*sorted({clip.language for clip in clips}), "all"]:
            rows.append(
                _language_row(language, told, [each for each in group if language in (each[0].language, "all")])
            )
    facts = {"threads": options.threads, "model": options.model.name, "clips": len(clips)}
    print_report("recognition, other languages", "errors in percent of characters, milliseconds a clip", rows, **facts)


Compared = tuple[Clip, list[tuple[str, float]], bool]  # (clip, of both windows text and seconds, heard twice)


def _compared(ours: Ours, whole: WholeWindow, clip: Clip, told: bool) -> Compared:
    language = clip.language if told else None
    begin = time.perf_counter()
    text_of_short = ours(clip.sound, language)
    middle, twice = time.perf_counter(), ours.heard_twice
    text = whole(clip.sound, language)
    end = time.perf_counter()
    return clip, [(text_of_short, middle - begin), (text, end - middle)], twice


def _language_row(language: str, told: bool, group: Sequence[Compared]) -> dict[str, Any]:
    clips = [clip for clip, _, _ in group]
    row: dict[str, Any] = {"language": language, "is": "told" if told else "detected", "clips": len(clips)}
    for window, name in enumerate(("short", "whole")):
        row[f"{name} %"] = round(100 * _error_rate(clips, [results[window][0] for _, results, _ in group]), 2)
        row[f"{name} ms"] = round(1000 * sum(results[window][1] for _, results, _ in group) / len(group))
    row["heard twice"] = sum(twice for _, _, twice in group)
    return row


def _accuracy(systems: Sequence[Ours | WholeWindow | FasterWhisper], clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """A row for each group of clips."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(f"{clip.group}, {clip.language}", []).append(clip)
    rows = []
    for name, group in groups.items():
        row: dict[str, Any] = {"clips": name, "count": len(group)}
        for system in systems:
            texts = [system(clip.sound, clip.language) for clip in group]
            row[f"{system.name} %"] = round(100 * _error_rate(group, texts), 2)
            row[f"{system.name} twice"] = sum(map(says_it_twice, texts))
        rows.append(row)
    return rows


def _error_rate(clips: Iterable[Clip], texts: Iterable[str]) -> float:
    wrong = all_of_them = 0
    for clip, text in zip(clips, texts, strict=True):
        found = [_errors(clip.language, written, text) for written in (clip.text, clip.also) if written]
        least = min(found, key=lambda pair: pair[0] / max(1, pair[1]))
        wrong, all_of_them = wrong + least[0], all_of_them + least[1]
    return wrong / max(1, all_of_them)


def _errors(language: str, said: str, heard: str) -> tuple[int, int]:
    """(errors, words or characters that were said)."""
    if language == "en":
        english = EnglishTextNormalizer()
        found: Any = jiwer.process_words(english(said), english(heard))
    else:
        basic = BasicTextNormalizer()
        found = jiwer.process_characters(basic(said).replace(" ", ""), basic(heard).replace(" ", ""))
    return (
        found.substitutions + found.deletions + found.insertions,
        found.substitutions + found.deletions + found.hits,
    )


def _speed(systems: Sequence[Hear], clips: Sequence[Clip], repeat: int) -> list[dict[str, Any]]:
    """Means over clips of the smallest times, the language detected by both."""
    rows = []
    for name, sounds in (("about 3 s", _short(clips)), ("about 30 s", [_long(clips)])):
        times = np.full((len(systems), len(sounds)), np.inf)
        for _ in range(repeat):
            for k, sound in enumerate(sounds):
                for s, system in enumerate(systems):
                    begin = time.perf_counter()
                    system(sound, None)
                    times[s, k] = min(times[s, k], time.perf_counter() - begin)
        ours, theirs = 1000 * times.mean(1)
        mean_s = sum(map(len, sounds)) / len(sounds) / SAMPLE_RATE
        row = {"sound": name, "seconds": round(mean_s, 2), "vivavoce": round(ours, 1)}
        rows.append({**row, "faster-whisper": round(theirs, 1), "ratio": round(ours / theirs, 3)})
    return rows


def _steps(ours: Ours, clips: Sequence[Clip], repeat: int) -> list[dict[str, Any]]:
    """The longest steps, and how long ten cancels at random moments wait for the running one."""
    random = np.random.default_rng(1)
    rows = []
    for name, sound in (("about 3 s", _short(clips)[0]), ("about 30 s", _long(clips))):
        runs = [ours.stepped(sound, None)[1] for _ in range(repeat)]
        steps = np.min([run for run in runs if len(run) == len(runs[0])], axis=0)
        ends = np.cumsum(steps)
        moments = random.uniform(0, ends[-1], 10)
        waits = ends[np.searchsorted(ends, moments)] - moments
        row = {"sound": name, "steps": len(steps), "longest": round(1000 * float(steps.max()), 1)}
        rows.append({**row, "cancel, longest of 10": round(1000 * float(waits.max()), 1)})
    return rows


def _short(clips: Sequence[Clip]) -> list[Samples]:
    return [clip.sound for clip in clips if SHORT_S[0] <= clip.seconds <= SHORT_S[1] and clip.language == "en"][:8]


def _long(clips: Sequence[Clip]) -> Samples:
    """Sentences one after the other."""
    return next(clip.sound for clip in clips if clip.group == "long")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a whisper model in CTranslate2's form")
    parser.add_argument("--clips", type=Path, help="folder of language/*.wav with *.txt (default: the package's)")
    parser.add_argument("--prompts", type=Path, help="Asterisk's unpacked packages, see recognition_clips.py")
    parser.add_argument("--other-languages", action="store_true", help="short windows against whole ones, by language")
    parser.add_argument("--languages", default="", help="only these, for example `en` (default: all)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each clip (default: 5)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
