"""A recording of ten minutes: how long does it take beside faster-whisper, and does memory grow with it?

Both hear the same sentences with pauses between them, with the same weights, threads and cores, one after the other.
faster-whisper 1.2.1 runs as everybody runs it: `WhisperModel(folder, compute_type="int8").transcribe(sound)`. Seconds
of processor are told beside those of the clock: on a machine with other work they are what compares. Memory is what the
process holds more after a recording than after one of a tenth of its length.

    python benchmarks/long_file.py --model ~/models/whisper-base
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

import jiwer
import numpy as np
from whisper_normalizer.english import EnglishTextNormalizer

from report import print_report
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.engines.whisper.own_speech import SENTENCES, own_speech
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import SAMPLE_RATE, HearingRequest
from vivavoce.recognition.transcript import Transcript

PAUSE_S = 0.8


def main() -> None:
    options = _options()
    text, sound = _recording(options.seconds)
    rows = [asyncio.run(_ours(text, sound, options.threads))]
    rows.append(_theirs(text, sound, options.model, options.threads))
    for row in rows:
        row["of theirs"] = round(row["processor s"] / rows[-1]["processor s"], 2)
    what = f"{len(sound) / SAMPLE_RATE:.0f} s of speech with pauses, whisper-base in 8 bits"
    print_report("long_file", what, rows, threads=options.threads)


async def _ours(text: str, sound: Samples, threads: int) -> dict[str, float]:
    config, metrics = Config(workers=threads, admission_share=0.0), Metrics()
    machine = build_machine(config, metrics)
    transcriber = build_transcriber(config, metrics, machine)

    async def heard(samples: Samples) -> str:
        async with transcriber.transcribe([samples], HearingRequest(model="whisper-base")) as segments:
            found = [segment async for segment in segments]
        return Transcript.of("transcribe", len(samples) / SAMPLE_RATE, found).text

    await heard(sound[: len(sound) // 10])
    before_mib, begun = _resident_mib(), (time.perf_counter(), time.process_time())
    said = await heard(sound)
    row = _row("ours", text, said, begun, before_mib)
    await transcriber.aclose()
    machine.pool.close()
    return row


def _theirs(text: str, sound: Samples, folder: Path, threads: int) -> dict[str, float]:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
    list(model.transcribe(sound[: len(sound) // 10])[0])
    before_mib, begun = _resident_mib(), (time.perf_counter(), time.process_time())
    said = " ".join(segment.text for segment in model.transcribe(sound)[0])
    return _row("faster-whisper", text, said, begun, before_mib)


def _row(name: str, text: str, said: str, begun: tuple[float, float], before_mib: float) -> dict[str, float]:
    wall_s, processor_s = time.perf_counter() - begun[0], time.process_time() - begun[1]
    normal = EnglishTextNormalizer()
    return {
        "engine": name,  # type: ignore[dict-item]
        "processor s": round(processor_s, 1),
        "clock s": round(wall_s, 1),
        "word errors %": round(100 * jiwer.wer(normal(text), normal(said)), 2),
        "more MiB": round(_resident_mib() - before_mib),
    }


def _recording(seconds: float) -> tuple[str, Samples]:
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    texts: list[str] = []
    parts: list[Samples] = []
    spoken = own_speech()
    while sum(map(len, parts)) < seconds * SAMPLE_RATE:
        k = len(texts) % len(spoken)
        texts.append(SENTENCES[k])
        parts += [spoken[k], pause]
    return " ".join(texts), np.concatenate(parts)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of whisper-base in CTranslate2's form")
    parser.add_argument("--seconds", type=float, default=600, help="of the recording (default: 600)")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
