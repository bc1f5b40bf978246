"""How long after asking does a listener hear something?

One listener asks for short and medium sentences in turn, over a new connection each time, and notes when the first
byte and the first audible sample (above -45 dBFS) arrive, and when the voice would be heard by somebody who plays the
first byte at once: the quiet before the voice counts there. Nothing else runs on the server meanwhile.

    python benchmarks/first_audio.py
    python benchmarks/first_audio.py --voice mika -- --voices ~/voices
"""

from __future__ import annotations

import argparse
import asyncio

from listener import Heard, listen
from local_server import RunningServer, add_options, local_server
from report import print_report, spread
from texts import sentences


def main() -> None:
    options = _options()
    with local_server(options) as server:
        heard = asyncio.run(_measure(server, options))
    rows = [
        {"time": "first byte arrives", **spread([h.first_byte_s for h in heard], scale=1000)},
        {"time": "first audible sample arrives", **spread([h.first_audible_s for h in heard], scale=1000)},
        {"time": "voice heard, played at once", **spread([h.heard_s for h in heard], scale=1000)},
    ]
    what = f"milliseconds after the request, {len(heard)} requests one after another"
    print_report("first_audio", what, rows, voice=server.voice, transport=options.transport, requests=len(heard))


async def _measure(server: RunningServer, options: argparse.Namespace) -> list[Heard]:
    texts = sentences(options.requests)
    return [await listen(server.url, server.voice, text, transport=options.transport) for text in texts]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=40, help="how many (default: 40)")
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
