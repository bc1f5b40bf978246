"""Odd bytes for every door that reads a stranger's: HTTP, WebSocket frames, session messages, SDP.

The cases are made from a seed, so that a run can be repeated; `tests/serving/test_wire_fuzz.py` throws a fixed number
of them in the gate. Longer, by hand:

    python tests/wire_fuzzer.py --kind messages --count 100000 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from vivavoce.errors import VivaVoceError
from vivavoce.protocols.bounded_json import load_object
from vivavoce.protocols.native.server_messages import Limits
from vivavoce.protocols.native.session import Session as NativeSession
from vivavoce.transports.webrtc.offer import MAX_CANDIDATES, cleaned_offer

SLOWEST_S = 0.25  # of one case, measured in the process's own time; the machine of the tests is shared

ODD_NUMBERS = (10**401, -(10**401), 10**4299, 2**53, 2**63, 2**64, -1, 0, -0.0, 1e308, 5e-324, 0.1 + 0.2)
ODD_TEXTS = (
    "", " ", "\0", "\ud800", "\udcff", "a" * 9000, "\u0301" * 20_000, "🙂" * 500, "../../etc/passwd", "%00", "NaN",
    "\u202e", "\r\n\r\n", "{", "null", "9" * 4000, "www." + "7-" * 950, "<script>", "é" * 4096,
)  # fmt: skip
ODD_VALUES: tuple[object, ...] = (
    None, True, False, [], {}, [[]], {"a": {}}, [None] * 100, *ODD_NUMBERS, *ODD_TEXTS,
)  # fmt: skip

NATIVE_FIELDS = (
    "text", "voice", "model", "language", "speed", "response_format", "sample_rate", "seed", "temperature", "top_k",
    "top_p", "repetition_penalty", "timestamps", "pace", "audio", "utterance_index", "played_ms", "instructions",
)  # fmt: skip
NATIVE_TYPES = (
    "session.config", "input.text", "input.flush", "input.done", "input.cancel", "playback.position", "session.close",
)  # fmt: skip


def deep(depth: int) -> str:
    """JSON that is nested."""
    return '{"a":' * depth + "1" + "}" * depth


# -- session messages ------------------------------------------------------------------------------------------------


def messages(random_: random.Random) -> Iterator[str | bytes]:
    """Messages of a session, nearly right ones most of all."""
    while True:
        kind = random_.choice(NATIVE_TYPES)
        chosen = random_.sample(NATIVE_FIELDS, random_.randrange(5))
        fields: dict[str, object] = {name: random_.choice(ODD_VALUES) for name in chosen}
        if kind == "input.text" and random_.random() < 0.7:
            fields["text"] = random_.choice(("Hello there. ", "One, two. ", *ODD_TEXTS))
        text = json.dumps({"type": kind, **fields})
        match random_.randrange(12):
            case 0:
                yield text[: random_.randrange(len(text))]
            case 1:
                yield text.encode()
            case 2:
                yield deep(random_.choice((1, 19, 20, 21, 500, 5000)))
            case 3:
                yield text.replace(":", ": 1e999," if random_.random() < 0.5 else ": NaN,", 1)
            case 4:
                yield json.dumps({"type": random_.choice(ODD_VALUES), **fields})
            case 5:
                yield '{"type": "session.config", "speed": ' + "9" * random_.choice((401, 5000)) + "}"
            case _:
                yield text


def try_messages(random_: random.Random, count: int) -> None:
    """One session after another; each takes what comes without raising, and every utterance has one end."""
    made = messages(random_)
    for _ in range(count // 20):
        session = NativeSession("fuzz", Limits(formats=("pcm", "mp3")), ())
        now = 0.0
        for _ in range(20):
            now += random_.choice((0.0, 0.01, 1.0))
            message = next(made)
            within(functools.partial(session.receive_message, message, now), message)
            for told in session.messages_to_send():
                assert isinstance(told, bytes) or load_object(told, max_keys=10_000)


# -- SDP -------------------------------------------------------------------------------------------------------------

OFFER_LINES = (
    "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=rtpmap:111 opus/48000/2", "a=mid:0", "a=setup:actpass",
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=end-of-candidates",
    "a=candidate:1 1 udp 2130706431 192.168.1.5 5000 typ host", "a=candidate:1 1 udp 1 8.8.8.8 5000 typ host",
    "a=candidate:1 1 udp 1 ::ffff:10.0.0.1 5000 typ host", "a=candidate:1 1 tcp 1 8.8.8.8 9 typ host",
    "a=candidate:1 1 udp 1 64:ff9b::a00:1 5000 typ host", "a=candidate:1 1 udp 1 2002:0a00:0001:: 5000 typ host",
    "a=candidate:1 1 udp 1 fec0::1 5000 typ host", "a=candidate:1 1 udp 1 x.local 5000 typ host", "a=candidate:",
)  # fmt: skip
SIGNED = "a=fingerprint:sha-256 " + ":".join(["0a"] * 32)  # nothing without one comes as far as its candidates
PRIVATE = ("192.168.", "10.0.0.1", "64:ff9b", "2002:0a00", "fec0:", ".local", " tcp ")


def offers(random_: random.Random) -> Iterator[bytes]:
    """Offers with lines missing, repeated, cut, and filled with odd bytes."""
    while True:
        lines = [SIGNED, *(random_.choice(OFFER_LINES) for _ in range(random_.randrange(60)))]
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=application 9 x"] * random_.randrange(2)
        if random_.random() < 0.2:
            lines.append("a=" + random_.choice(ODD_TEXTS))
        data = random_.choice(("\r\n", "\n", "\r", "\x85", "\u2028")).join(lines).encode("utf-8", "surrogatepass")
        yield data[: random_.randrange(len(data) + 1)] if random_.random() < 0.2 else data


def try_offers(random_: random.Random, count: int) -> None:
    """Refused with a sentence, or cleaned: never more addresses than are checked, never one inside."""
    made = offers(random_)
    for _ in range(count):
        data = next(made)
        cleaned: list[str] = []

        def clean(data: bytes = data, cleaned: list[str] = cleaned) -> None:
            with suppress(VivaVoceError):
                cleaned.append(cleaned_offer(data, allow_private=False))

        within(clean, data)
        found = {line for text in cleaned for line in text.splitlines() if line.startswith("a=candidate:")}
        assert len(found) <= MAX_CANDIDATES, data
        assert not any(private in line for line in found for private in PRIVATE), found


# -- HTTP ------------------------------------------------------------------------------------------------------------


def requests(random_: random.Random) -> Iterator[bytes]:
    """What a connection may send: requests with too much of something, cut, glued, or none at all."""
    lines = (
        b"Host: x", b"Host: [", b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999",
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked, gzip", b"Expect: 100-continue", b": x",
        b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Origin: http://[", b"\0: \0", b" folded",
        b"Authorization: Bearer \xff", b"X: " + b"y" * 9000, b"X" * 70_000, b"Cookie: " + b"a=b;" * 2000,
        b"Content-Type: application/json", b"Content-Type: multipart/form-data",
    )  # fmt: skip
    paths = (
        b"/livez", b"/v1/models", b"/v1/audio/speech", b"//v1/models", b"/" + b"a" * 9000, b"/%00", b"/%ff%fe", b"*",
        b"http://x/livez", b"/v1/audio/speech?sizes=%", b"/..%2f..%2fetc", b"\xff", b"",
    )  # fmt: skip
    trailers = b"5\r\nhello\r\n0\r\nX: " + b"t" * 20_000 + b"\r\n\r\n"
    while True:
        method = random_.choice((b"GET", b"POST", b"HEAD", b"OPTIONS", b"DELETE", b"PRI", b"BREW", b"\0"))
        version = random_.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b""))
        head = [method + b" " + random_.choice(paths) + b" " + version]
        head += [b"Host: 127.0.0.1"] * (random_.random() < 0.8)
        head += [random_.choice(lines) for _ in range(random_.choice((0, 1, 2, 3, 150)))]
        body = random_.choice((b"", b"hello", trailers, b"ffffffffff\r\n"))
        data = random_.choice((b"\r\n", b"\r\n", b"\n")).join(head) + b"\r\n\r\n" + body
        match random_.randrange(8):
            case 0:
                yield (data * 50)[: 1 << 19]
            case 1:
                yield data[: random_.randrange(len(data))]
            case 2:
                yield random_.randbytes(random_.randrange(2000))
            case _:
                yield data


def frames(random_: random.Random) -> Iterator[bytes]:
    """WebSocket frames behind a handshake: all opcodes, lengths that lie, no mask, reserved bits."""
    while True:
        out = bytearray()
        for _ in range(random_.randrange(1, 20)):
            payload = random_.choice((b"", b"x", b'{"type":"input.flush"}', b"\xff\xfe", b"y" * 200, b"z" * 70_000))
            first = random_.choice((0x81, 0x81, 0x82, 0x89, 0x8A, 0x88, 0x01, 0x00, 0x80, 0x83, 0xC1, 0xF1, 0x09))
            masked = 0x80 if random_.random() < 0.9 else 0
            length = len(payload) if random_.random() < 0.9 else random_.choice((0, 126, 2**16, 2**31, 2**63 + 5))
            out += bytes([first])
            if length < 126:
                out += bytes([masked | length])
            elif length < 2**16:
                out += bytes([masked | 126]) + length.to_bytes(2, "big")
            else:
                out += bytes([masked | 127]) + length.to_bytes(8, "big")
            out += (b"\0\0\0\0" if masked else b"") + payload
        yield bytes(out)


HANDSHAKE = (
    b"GET /v1/audio/speech/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def throw(port: int, cases: Iterator[bytes], count: int, *, before: bytes = b"", at_once: int = 16) -> None:
    """Send each case over a connection of its own, and read until the server or the patience ends."""
    left = itertools.islice(cases, count)

    async def one(data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(before + data)
            writer.write_eof()
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while await reader.read(65536):
                        pass
        finally:
            writer.close()

    async def some() -> None:
        for data in left:
            with suppress(OSError):
                await one(data)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(some())


def within(call: Callable[[], object], case: object) -> None:
    """Call it; a case that takes too long is a failure as well."""
    began = time.thread_time()
    call()
    took = time.thread_time() - began
    assert took < SLOWEST_S, f"{took:.2f} s for {str(case)[:200]!r}"


KINDS: dict[str, Callable[[random.Random, int], None]] = {"messages": try_messages, "offers": try_offers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=[*KINDS, "http", "frames"], default="messages")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--port", type=int, default=7860, help="of the server that http and frames are thrown at")
    args: Any = parser.parse_args()
    seed = random.randrange(2**32) if args.seed is None else args.seed
    print(f"seed {seed}")
    random_ = random.Random(seed)
    if args.kind in KINDS:
        KINDS[args.kind](random_, args.count)
    elif args.kind == "http":
        asyncio.run(throw(args.port, requests(random_), args.count))
    else:
        asyncio.run(throw(args.port, frames(random_), args.count, before=HANDSHAKE))
    print(f"{args.count} cases held")


if __name__ == "__main__":
    main()
