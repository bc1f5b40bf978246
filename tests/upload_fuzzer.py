"""Recordings that somebody has tampered with, thrown at the decoder process: whatever comes, it is sound or a refusal.

    python tests/upload_fuzzer.py --count 20000 --seed 7      (or `make fuzz-uploads`)

Each case is a recording in one of the containers, changed in one to three ways. The same seed gives the same cases. A
case that ends the process is no fault of the server, but it is counted and can be kept (`--keep DIR`).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recordings import CONTAINERS, encoded, recording, silence, tone, wav
from vivavoce.audio.decoders import DecodingRules
from vivavoce.decoding.service import DecodingLimits, DecodingService
from vivavoce.errors import InvalidAudio
from vivavoce.metrics import Metrics

RATE = 16_000
RULES = DecodingRules(max_s=30.0)
EDGES = (0, 1, 2, 7, 8, 9, 64, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
HEAD = 400  # bytes in which most of a header lies


@dataclass(slots=True)
class Report:
    """What came of the cases.

    Attributes:
        decoded, refused: how many.
        died: labels of those that ended the process or hung it.
        faults: labels of those that ended in any other way, with the error: there must be none.
        slowest_s: the longest a case took.
        sentences: refusals by their beginning.
    """

    decoded: int = 0
    refused: int = 0
    died: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    sentences: Counter[str] = field(default_factory=Counter)


def cases(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(label, bytes): the fixed ones first."""
    fixed = list(_fixed())
    yield from fixed[:count]
    for i in range(count - len(fixed)):
        rng = random.Random(f"{seed}/{i}")
        container = rng.choice(CONTAINERS)
        data = bytearray(recording(container, rng.choice((0.2, 1.0))))
        names = []
        for _ in range(rng.randint(1, 3)):
            mutate = rng.choice(_MUTATIONS)
            mutate(data, rng)
            names.append(mutate.__name__.lstrip("_"))
        yield f"{i}: {container}, {', '.join(names)}", bytes(data)


async def run(count: int, seed: int, keep: Path | None = None) -> Report:
    """Throw them all at one service."""
    report = Report()
    metrics = Metrics()
    service = DecodingService(metrics, DecodingLimits(file_s=20.0))
    await service.start()
    deaths = 0.0
    for label, data in cases(count, seed):
        began_s = time.perf_counter()
        try:
            decoded = await service.decode(_blocks(data), owner="fuzzer", rules=RULES)
            assert decoded.samples.dtype == np.float32
            assert len(decoded.samples) <= (RULES.max_s + 1) * RATE
            assert np.isfinite(decoded.samples).all()
            report.decoded += 1
        except InvalidAudio as error:
            report.refused += 1
            report.sentences[error.message[:40]] += 1
        except Exception as error:  # this is what the fuzzer looks for
            report.faults.append(f"{label}: {error!r}")
        report.slowest_s = max(report.slowest_s, time.perf_counter() - began_s)
        now = metrics.registry.get_sample_value("voice_decoder_deaths_total") or 0.0
        if now > deaths:
            deaths = now
            report.died.append(label)
            if keep is not None:
                (keep / f"death-{len(report.died)}.bin").write_bytes(data)
    await service.aclose()
    return report


def _fixed() -> Iterator[tuple[str, bytes]]:
    """Those that somebody has thought of."""
    yield "empty", b""
    yield "text", b"this is no sound at all"
    for channels in (0, 3, 8, 9, 64, 255, 65535):
        yield f"wav, {channels} channels", wav(tone(0.1, RATE), RATE, channels, data=bytes(max(2, channels * 2)))
    for rate in (0, 1, 7999, 384_000, 0xFFFFFFFF):
        yield f"wav, {rate} Hz", wav(tone(0.1, RATE), rate)
    for tag in (2, 0x11, 0x50, 0x55, 0x161, 0xFFFE):
        yield f"wav, codec {tag:#x}", wav(tone(0.1, RATE), RATE, tag=tag)
    for bits in (0, 1, 4, 12, 17, 40, 64, 65535):
        yield f"wav, {bits} bits", wav(tone(0.1, RATE), RATE, bits=bits, block=2)
    yield "wav, NaN", wav(tone(0.1, RATE), RATE, tag=3, bits=32, data=b"\0\0\xc0\x7f" * 999)
    yield "wav, infinite", wav(tone(0.1, RATE), RATE, tag=3, bits=64, data=struct.pack("<d", float("inf")) * 99)
    yield "flac, six channels", encoded("flac", tone(0.2, 48_000), 6)
    yield "flac, an hour of silence", silence("flac", 3600)
    yield "ogg, ten minutes of silence", silence("ogg opus", 600)
    for container in CONTAINERS:
        data = recording(container, 1.0)
        yield f"{container}, half", data[: len(data) // 2]
        yield f"{container}, its head", data[:40]
        yield f"{container}, twice", data + data
        yield f"{container}, zeros behind", data + bytes(50_000)
    for first in CONTAINERS:
        for second in ("mp3", "m4a", "webm"):
            yield f"{first} with the head of {second}", recording(second, 0.2)[:64] + recording(first, 0.2)[64:]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randint(0, len(data)) :]


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4, 32))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _lie_in_the_header(data: bytearray, rng: random.Random) -> None:
    """A number of one to four bytes becomes an edge of its range, in either byte order."""
    for _ in range(rng.choice((1, 3))):
        if len(data) < 16:
            return
        at, size = rng.randrange(min(HEAD, len(data) - 4)), rng.choice((1, 2, 4))
        value = rng.choice(EDGES) & ((1 << 8 * size) - 1)
        data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _lie_anywhere(data: bytearray, rng: random.Random) -> None:
    if len(data) >= 8:
        at = rng.randrange(len(data) - 4)
        data[at : at + 4] = rng.choice(EDGES).to_bytes(4, rng.choice(("little", "big")))


def _repeat_a_part(data: bytearray, rng: random.Random) -> None:
    if data:
        start = rng.randrange(len(data))
        part = data[start : start + rng.randint(1, 2000)]
        data[start:start] = part * rng.choice((1, 2, 50))


def _remove_a_part(data: bytearray, rng: random.Random) -> None:
    if data:
        start = rng.randrange(len(data))
        del data[start : start + rng.randint(1, 2000)]


def _fill_a_part(data: bytearray, rng: random.Random) -> None:
    if data:
        start = rng.randrange(len(data))
        size = min(rng.randint(1, 3000), len(data) - start)
        data[start : start + size] = bytes([rng.choice((0, 0xFF, 0xA5))]) * size


def _splice(data: bytearray, rng: random.Random) -> None:
    other = recording(rng.choice(CONTAINERS), 0.2)
    at = rng.randint(0, len(data))
    data[at:at] = other[: rng.randint(1, len(other))]


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _cut,
    _flip,
    _flip,
    _lie_in_the_header,
    _lie_in_the_header,
    _lie_in_the_header,
    _lie_anywhere,
    _repeat_a_part,
    _remove_a_part,
    _fill_a_part,
    _splice,
)


async def _blocks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1 << 16):
        yield data[start : start + (1 << 16)]


def main() -> None:
    """Run by hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", type=Path, help="folder for the cases that end the decoder")
    args = parser.parse_args()
    report = asyncio.run(run(args.count, args.seed, args.keep))
    print(f"seed {args.seed}: {report.decoded} decoded, {report.refused} refused, slowest {report.slowest_s:.1f} s")
    for sentence, times in report.sentences.most_common(12):
        print(f"  {times:6} {sentence}")
    for label in report.died:
        print(f"died: {label}")
    for label in report.faults:
        print(f"FAULT: {label}")
    raise SystemExit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
