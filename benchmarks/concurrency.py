"""How many can listen at once without a stutter?

At each level the listeners come evenly within a second, ask for different paragraphs, and read like a player: it
starts with 80 ms of sound, holds up to 2 s, and plays at the speed of speech. An underrun is a moment at which it had
nothing to play before the speech was over. The wait is how long a listener that was ready to read waited for the next
piece. With `--arrive-within 0` all ask in the same moment. Client and server share the machine.

    python benchmarks/concurrency.py
    python benchmarks/concurrency.py --listeners 1,2,4 --seconds 20 --voice mika -- --voices ~/voices
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from listener import Heard, Refused, listen
from local_server import RunningServer, add_options, local_server
from report import print_report, spread
from texts import paragraph


def main() -> None:
    options = _options()
    with local_server(options) as server:
        rows = [asyncio.run(_measure(server, count, options)) for count in options.listeners]
    what = f"listeners in real time, about {options.seconds:.0f} s of speech each; milliseconds (first: audible sample)"
    print_report("concurrency", what, rows, voice=server.voice, transport=options.transport)


async def _measure(server: RunningServer, count: int, options: argparse.Namespace) -> dict[str, Any]:
    async def come(number: int) -> Heard:
        await asyncio.sleep(options.arrive_within * number / count)
        text = paragraph(options.seconds, start=number)
        return await listen(server.url, server.voice, text, transport=options.transport, real_time=True)

    listeners = [come(number) for number in range(count)]
    results = await asyncio.gather(*listeners, return_exceptions=True)
    faults = [r for r in results if isinstance(r, BaseException) and not isinstance(r, Refused)]
    if faults:
        raise faults[0]
    return _row(count, [r for r in results if isinstance(r, Heard)])


def _row(count: int, heard: list[Heard]) -> dict[str, Any]:
    first = spread([h.first_audible_s for h in heard], scale=1000)
    waits = spread([wait for h in heard for wait in h.waits_s], scale=1000)
    stalls = [stall for h in heard for stall in h.stalls_s]
    return {
        "listeners": count,
        "refused": count - len(heard),
        "first p50": first["p50"],
        "first p95": first["p95"],
        "wait p50": waits["p50"],
        "wait p95": waits["p95"],
        "wait max": waits["max"],
        "underruns": len(stalls),
        "silent ms": round(1000 * sum(stalls)),
    }


def _listeners(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=_listeners, default=[1, 4, 8, 16], help="levels (default: 1,4,8,16)")
    parser.add_argument("--seconds", type=float, default=12.0, help="speech of each listener (default: 12)")
    parser.add_argument("--arrive-within", type=float, default=1.0, metavar="S", help="seconds (default: 1)")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
