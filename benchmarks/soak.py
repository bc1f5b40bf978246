"""Does the server stay the same while everybody does everything to it? Mixed load over all doors, cancels and faults.

After a warm-up the load goes on for `--seconds`. Memory is read every second; descriptors, threads and tasks are read
while nobody calls, before and after. It fails where memory grows by more than 5 MiB an hour, or where anything else is
left behind. A run under half an hour allows for what has not settled yet and finds only what leaks fast.

    python benchmarks/soak.py                 half an hour
    python benchmarks/soak.py --seconds 60    the short form
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import websockets
import websockets.exceptions

from listener import Refused, listen
from local_server import RunningServer, add_options, local_server
from report import print_report

MOST_MIB_AN_HOUR = 5.0
SETTLING_MIB = 60.0  # what a short run without a leak still moves: arenas of 32 threads, caches that fill late
SETTLED_H = 0.5  # after which nothing of that is left
# Kept connections of the probes are among them; the event loop's own pool of threads grows to 32 and then stays.
LEFT = {"descriptors": 4, "threads": 32, "tasks": 3}
WARM_UP_SHARE, WARM_UP_LEAST_S = 0.2, 60.0
WORKERS = 6
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm", "ogg")
TEXTS = (
    "Good morning.",
    "It is five past ten, and the train to Rome leaves at noon.",
    "One. Two! Three? " * 4,
    "α, Δx",
    "9" * 50,
)
QUIET = (websockets.exceptions.WebSocketException, httpx.HTTPError, Refused, OSError, TimeoutError, RuntimeError)

Deed = Callable[[str, random.Random], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process holds."""

    at_s: float
    memory_mib: float
    descriptors: int
    threads: int
    tasks: int


def main() -> int:
    options = _options()
    with local_server(options) as server:
        if server.pid is None:
            raise SystemExit("the server has to be ours: its memory is read from /proc")
        done, before, after, readings = asyncio.run(_soak(server, options.seconds, options.seed))
    rows = [{"what": name, "times": count} for name, count in sorted(done.items())]
    faults = judge(before, after, readings)
    slope = slope_mib_an_hour(readings)
    left = {name: getattr(after, name) - getattr(before, name) for name in LEFT}
    print_report("soak", f"{options.seconds:.0f} s of everything, {slope:+.1f} MiB an hour, left behind: {left}", rows,
                 seconds=options.seconds, seed=options.seed, mib_an_hour=round(slope, 2), left=left,
                 memory_mib=[round(before.memory_mib, 1), round(after.memory_mib, 1)])  # fmt: skip
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    return 1 if faults else 0


# -- judging ---------------------------------------------------------------------------------------------------------


def slope_mib_an_hour(readings: list[Reading]) -> float:
    """Of a straight line through the memory of the readings."""
    if len(readings) < 2:
        return 0.0
    times = np.array([each.at_s for each in readings]) / 3600
    return float(np.polyfit(times, [each.memory_mib for each in readings], 1)[0])


def judge(before: Reading, after: Reading, readings: list[Reading]) -> list[str]:
    """What is not as it should be, in sentences."""
    faults = []
    hours = (readings[-1].at_s - readings[0].at_s) / 3600 if readings else 0.0
    grown_mib = slope_mib_an_hour(readings) * hours
    allowed_mib = MOST_MIB_AN_HOUR * hours + SETTLING_MIB * max(0.0, 1 - hours / SETTLED_H)
    if grown_mib > allowed_mib:
        faults.append(f"memory grew by {grown_mib:.1f} MiB in {hours * 60:.1f} min; {allowed_mib:.1f} are allowed")
    for name, most in LEFT.items():
        grown = getattr(after, name) - getattr(before, name)
        if grown > most:
            faults.append(f"{grown} {name} are left behind")
    return faults


async def _read(server: RunningServer, client: httpx.AsyncClient) -> Reading:
    process = Path(f"/proc/{server.pid}")
    fields = dict(re.findall(r"^(\w+):\s+(\d+)", (process / "status").read_text(), re.M))
    metrics = await _metrics(server, client)
    tasks = re.search(r"^voice_event_loop_tasks (\S+)", metrics, re.M)
    assert tasks is not None
    descriptors = len(list((process / "fd").iterdir()))
    return Reading(
        time.monotonic(), int(fields["VmRSS"]) / 1024, descriptors, int(fields["Threads"]), int(float(tasks[1]))
    )


async def _metrics(server: RunningServer, client: httpx.AsyncClient) -> str:
    """Asked for again where a machine was so busy that the kept connection was closed before it was used again."""
    try:
        return (await client.get(f"{server.url}/metrics")).text
    except httpx.TransportError:
        return (await client.get(f"{server.url}/metrics")).text


# -- the load --------------------------------------------------------------------------------------------------------


async def _soak(
    server: RunningServer, seconds: float, seed: int
) -> tuple[Counter[str], Reading, Reading, list[Reading]]:
    done: Counter[str] = Counter()
    readings: list[Reading] = []
    async with httpx.AsyncClient(timeout=30) as probe:
        await _load(server.url, max(WARM_UP_LEAST_S, WARM_UP_SHARE * seconds), seed, Counter())
        before = await _when_quiet(server, probe)
        loading = asyncio.create_task(_load(server.url, seconds, seed + 1, done))
        while not loading.done():
            await asyncio.wait([loading], timeout=1.0)
            readings.append(await _read(server, probe))
            if len(readings) % 60 == 0:
                print(f"{len(readings) // 60} min: {readings[-1]}", file=sys.stderr)
        await loading
        after = await _when_quiet(server, probe)
    return done, before, after, readings


async def _when_quiet(server: RunningServer, probe: httpx.AsyncClient) -> Reading:
    """A reading once nobody is served any more."""
    least = await _read(server, probe)
    for _ in range(20):
        await asyncio.sleep(0.5)
        now = await _read(server, probe)
        if (now.tasks, now.descriptors) >= (least.tasks, least.descriptors):
            return least
        least = now
    return least


async def _load(url: str, seconds: float, seed: int, done: Counter[str]) -> None:
    until_s = time.monotonic() + seconds

    async def work(number: int) -> None:
        random_ = random.Random(seed * 1000 + number)
        while time.monotonic() < until_s:
            deed = random_.choice(DEEDS)
            with contextlib.suppress(*QUIET):
                async with asyncio.timeout(20):
                    await deed(url, random_)
            done[deed.__name__.strip("_").replace("_", " ")] += 1

    await asyncio.gather(*(work(number) for number in range(WORKERS)))


async def _hear(url: str, random_: random.Random) -> None:
    transport = random_.choice(("http", "websocket", "words"))
    await listen(url, "default", random_.choice(TEXTS[:3]), transport=transport if transport in KNOWN else "http")


async def _call(url: str, random_: random.Random) -> None:
    """A WebRTC call, hung up somewhere."""
    async with asyncio.timeout(random_.uniform(0.3, 6)):
        await listen(url, "default", random_.choice(TEXTS[:2]), transport="webrtc")


async def _leave_early(url: str, random_: random.Random) -> None:
    body = {"input": TEXTS[2] * 8, "response_format": random_.choice(FORMATS), "sample_rate": 48_000}
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("POST", f"{url}/v1/audio/speech", json=body) as got,
    ):
        left = random_.randrange(1, 200_000)
        async for piece in got.aiter_raw():
            left -= len(piece)
            if left < 0:
                return


async def _whole_file(url: str, random_: random.Random) -> None:
    body = {"input": random_.choice(TEXTS), "response_format": random_.choice(FORMATS)}
    sizes = random_.choice(("?sizes=exact", "", "?link=1"))
    async with httpx.AsyncClient(timeout=20) as client:
        answer = await client.post(f"{url}/v1/audio/speech{sizes}", json=body)
        if answer.status_code == 201:
            await client.get(url + answer.json()["url"])


async def _cancel(url: str, random_: random.Random) -> None:
    async with websockets.connect(f"{url.replace('http', 'ws', 1)}/v1/audio/speech/stream") as stream:
        for _ in range(random_.randrange(1, 5)):
            await stream.send(json.dumps({"type": "input.text", "text": random_.choice(TEXTS) * 3}))
            await stream.send(json.dumps({"type": "input.done"}))
            await asyncio.sleep(random_.uniform(0, 0.5))
            await stream.send(json.dumps({"type": "input.cancel"}))
        if random_.random() < 0.5:
            stream.transport.abort()


async def _talk_nonsense(url: str, random_: random.Random) -> None:
    async with websockets.connect(f"{url.replace('http', 'ws', 1)}/v1/audio/speech/stream") as stream:
        for _ in range(30):
            await stream.send(
                random_.choice(('{"type":', '{"type":"x"}', '{"type":"session.config","speed":%s}' % ("9" * 401)))
            )


async def _upload_nonsense(url: str, random_: random.Random) -> None:
    files = {"audio_sample": ("a.wav", random_.randbytes(20_000)), "file": ("b.wav", b"RIFF" + random_.randbytes(9000))}
    data = {"name": "Soak", "ref_text": "Hello.", "model": "whisper-1"}
    async with httpx.AsyncClient(timeout=20) as client:
        path = random_.choice(("/v1/audio/voices", "/v1/audio/transcriptions"))
        await client.post(url + path, files=files, data=data)


async def _ask_wrongly(url: str, random_: random.Random) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        await client.get(
            f"{url}/{random_.choice(('nope', 'v1/models/x', 'docs', 'metrics', '/v1/models', 'openapi.json'))}"
        )
        await client.post(
            f"{url}/v1/audio/speech", content=random_.choice((b"{", b'{"input": ""}', b'{"input": 9}', b"\xff"))
        )
        await client.post(
            f"{url}/v1/audio/speech/calls", content=b"v=0\r\n", headers={"content-type": "application/sdp"}
        )
        await client.post(f"{url}/v1/audio/speech/token")


async def _half_open(url: str, random_: random.Random) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(
        b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{"[: random_.randrange(90)]
    )
    await writer.drain()
    await asyncio.sleep(random_.uniform(0, 2))
    writer.transport.abort()
    del reader


async def _realtime(url: str, random_: random.Random) -> None:
    async with websockets.connect(f"{url.replace('http', 'ws', 1)}/v1/realtime?model=default") as stream:
        for event in (
            {"type": "session.update", "session": {"type": "realtime"}},
            {"type": "response.create"},
            {"type": "x"},
        ):
            await stream.send(json.dumps(event))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random_.uniform(0.1, 1)):
                async for _ in stream:
                    pass


KNOWN = ("http", "websocket")
DEEDS: tuple[Deed, ...] = (
    _hear, _hear, _call, _leave_early, _leave_early, _whole_file, _cancel, _cancel, _talk_nonsense, _upload_nonsense,
    _ask_wrongly, _half_open, _realtime,
)  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800.0, help="of load after the warm-up (default: 1800)")
    parser.add_argument("--seed", type=int, default=1)
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
