"""Three listen, others attack: does anybody hear a gap, does a newcomer wait, does memory stay?

Each attack comes from a process of its own for `--seconds`; the listeners play in real time throughout, and a newcomer
asks for a sentence every second. The first row is the same without an attack. Client, attacker and server share the
machine, so an attacker that computes takes its part of the processor as well.

    python benchmarks/under_attack.py
    python benchmarks/under_attack.py --only pongs,headers --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import websockets
import websockets.exceptions

from listener import Heard, Refused, listen
from local_server import RunningServer, add_options, cpu_s, local_server
from report import print_report, spread
from texts import paragraph

LISTENERS = 3
RATE = 1 << 20  # bytes a second, of the floods of frames
NEWCOMER_EVERY_S = 1.0
UPGRADE = (
    b"GET /v1/audio/speech/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
# Texts that once took seconds: marks to be sorted, digits that grow when they are spoken, no place to cut.
HOSTILE = (
    "e" + "\u0301\u0323" * 16_000,
    "www." + "7-" * 950,
    "77777777 " * 455,
    "9" * 4000,
    "a" * 4096,
    "\u0301" * 4096,
)


def main() -> None:
    options = _options()
    chosen = [name for name in ATTACKS if not options.only or name in options.only.split(",")]
    with local_server(options) as server:
        rows = [asyncio.run(_measure(server, name, options.seconds)) for name in ["", *chosen]]
    usual = rows[0]
    for row in rows:
        row["memory x"] = round(row["memory MiB"] / usual["memory MiB"], 2)
        row["first x"] = round(row["first p50"] / usual["first p50"], 2) if usual["first p50"] else 0.0
    what = f"{LISTENERS} listeners for {options.seconds:.0f} s each, newcomers' first sound in milliseconds"
    print_report("under_attack", what, rows, voice=server.voice)


async def _measure(server: RunningServer, name: str, seconds: float) -> dict[str, Any]:
    heard: list[Heard] = []
    new: list[float] = []
    refused = 0
    memory: list[float] = []
    until_s = time.monotonic() + seconds

    async def play(number: int) -> None:
        nonlocal refused
        while time.monotonic() < until_s:
            try:
                text = paragraph(min(10.0, seconds), start=number)
                heard.append(await listen(server.url, server.voice, text, real_time=True))
            except (Refused, httpx.HTTPError):
                refused += 1
                await asyncio.sleep(0.5)

    async def come() -> None:
        nonlocal refused
        while time.monotonic() < until_s:
            try:
                new.append((await listen(server.url, server.voice, "Here is somebody new.")).first_audible_s)
            except (Refused, httpx.HTTPError):
                refused += 1
            memory.append(_memory_mib(server))
            await asyncio.sleep(NEWCOMER_EVERY_S)

    attacker = None
    began_s, server_s = time.monotonic(), server.cpu_s() or 0.0
    if name:
        attacker = multiprocessing.get_context("spawn").Process(target=_attack, args=(name, server.url, seconds))
        attacker.start()
    await asyncio.gather(*(play(number) for number in range(LISTENERS)), come())
    took_s, server_s = time.monotonic() - began_s, (server.cpu_s() or 0.0) - server_s
    attacker_s = 0.0
    if attacker is not None and attacker.pid is not None:
        attacker_s = cpu_s(attacker.pid)
        attacker.kill()
        attacker.join()
    stalls = [stall for each in heard for stall in each.stalls_s]
    first = spread(new, scale=1000)
    return {
        "attack": name or "none",
        "heard": len(heard),
        "refused": refused,
        "gaps": len(stalls),
        "silent ms": round(1000 * sum(stalls)),
        "newcomers": len(new),
        "first p50": first["p50"],
        "first max": first["max"],
        "memory MiB": round(max(memory, default=0.0), 1),
        "server cores": round(server_s / took_s, 2),
        "attacker cores": round(attacker_s / took_s, 2),
    }


def _memory_mib(server: RunningServer) -> float:
    if server.pid is None:
        return 0.0
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+)", status, re.M)
    return int(found[1]) / 1024 if found else 0.0


# -- the attacks, in a process of their own ----------------------------------------------------------------------------


def _attack(name: str, url: str, seconds: float) -> None:
    port = int(url.rpartition(":")[2])
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError, httpx.HTTPError):
            ATTACKS[name](port, until_s)


def _flood(port: int, until_s: float, frame: bytes) -> None:
    block = frame * max(1, RATE // 20 // len(frame))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(UPGRADE)
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            with contextlib.suppress(TimeoutError):
                raw.sendall(block)
            time.sleep(max(0.0, len(block) / RATE - (time.monotonic() - began_s)))


def _pongs(port: int, until_s: float) -> None:
    _flood(port, until_s, b"\x8a\x80\0\0\0\0")


def _fragments(port: int, until_s: float) -> None:
    _flood(port, until_s, b"\x01\x81\0\0\0\0x" + b"\x00\x81\0\0\0\0y" * 500 + b"\x80\x80\0\0\0\0")


def _half_open(port: int, until_s: float) -> None:
    head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 60000\r\n\r\n"
    with contextlib.ExitStack() as held:
        opened = [held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(250)]
        for raw in opened:
            raw.sendall(head)
        while time.monotonic() < until_s:
            for raw in opened:
                with contextlib.suppress(OSError):
                    raw.sendall(b"{")
            time.sleep(4)


def _headers(port: int, until_s: float) -> None:
    """200 MiB of header lines, over as many connections as it takes."""
    left = 200 << 20
    line = b"X-" + os.urandom(8).hex().encode() + b": " + b"y" * 1000 + b"\r\n"
    while left > 0 and time.monotonic() < until_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
            while left > 0:
                raw.sendall(line * 64)
                left -= len(line) * 64


def _texts(port: int, until_s: float) -> None:
    """Hostile texts over HTTP and WebSocket, four at once."""
    asyncio.run(_say_all(port, until_s))


async def _say_all(port: int, until_s: float) -> None:
    async def say(number: int) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            while time.monotonic() < until_s:
                text = HOSTILE[number % len(HOSTILE)]
                number += 1
                with contextlib.suppress(httpx.HTTPError):
                    await client.post(f"http://127.0.0.1:{port}/v1/audio/speech", json={"input": text})

    async def stream() -> None:
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError, TimeoutError, websockets.exceptions.WebSocketException):
                async with websockets.connect(f"ws://127.0.0.1:{port}/v1/audio/speech/stream") as client:
                    for text in HOSTILE:
                        await client.send(json.dumps({"type": "input.text", "text": text}))
                        await client.send(json.dumps({"type": "input.done"}))
                    await asyncio.sleep(2)

    await asyncio.gather(*(say(number) for number in range(3)), stream())


def _uploads(port: int, until_s: float) -> None:
    """Recordings that once ended the process: nine channels, one sample."""
    wav = b"RIFF\x36\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 9, 24_000, 24_000 * 18, 18, 16)
    wav += b"data" + struct.pack("<I", 18) + b"\1\0" * 9
    with httpx.Client(timeout=10) as client:
        while time.monotonic() < until_s:
            for path, field in (("/v1/audio/voices", "audio_sample"), ("/v1/audio/transcriptions", "file")):
                data = {"name": "Mine", "ref_text": "Hello.", "model": "whisper-1"}
                client.post(f"http://127.0.0.1:{port}{path}", data=data, files={field: ("a.wav", wav)})


ATTACKS: dict[str, Callable[[int, float], None]] = {
    "pongs": _pongs,
    "fragments": _fragments,
    "half-open": _half_open,
    "headers": _headers,
    "texts": _texts,
    "uploads": _uploads,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each attack (default: 20)")
    parser.add_argument("--only", default="", help="names, separated by commas: " + ", ".join(ATTACKS))
    add_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
