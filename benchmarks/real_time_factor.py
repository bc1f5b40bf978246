"""How much time does a second of speech cost?

One listener asks for paragraphs of about 3, 10 and 30 s and reads them as fast as they come. The real-time factor is
the time from request to last byte divided by the length of the speech; below 1 is faster than real time. The
processor's time is that of the whole server process, web and encoding included, for the same second of speech.

    python benchmarks/real_time_factor.py
    python benchmarks/real_time_factor.py --voice mika -- --voices ~/voices
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from listener import listen
from local_server import RunningServer, add_options, local_server
from report import print_report, spread
from texts import paragraph

LENGTHS_S = (3.0, 10.0, 30.0)


def main() -> None:
    options = _options()
    with local_server(options) as server:
        rows = [asyncio.run(_measure(server, length_s, options)) for length_s in LENGTHS_S]
    what = "time to compute and deliver a second of speech, in seconds, one listener"
    print_report("real_time_factor", what, rows, voice=server.voice, transport=options.transport)


async def _measure(server: RunningServer, length_s: float, options: argparse.Namespace) -> dict[str, Any]:
    cpu_before = server.cpu_s()
    heard = [
        await listen(server.url, server.voice, paragraph(length_s, start=turn), transport=options.transport)
        for turn in range(options.repeat)
    ]
    cpu_after = server.cpu_s()
    audio_s = sum(h.audio_s for h in heard)
    factors = spread([h.done_s / h.audio_s for h in heard])
    cpu = None if cpu_before is None or cpu_after is None else round((cpu_after - cpu_before) / audio_s, 3)
    return {
        "speech s": round(audio_s / len(heard), 1),
        "RTF p50": factors["p50"],
        "RTF p95": factors["p95"],
        "CPU": cpu,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="paragraphs of each length (default: 5)")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
