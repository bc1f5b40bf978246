"""How soon a model elsewhere is hung up on, and how much memory its music takes on the way through.

    python benchmarks/hosted.py

The server runs in this process over a stand-in of the model's server, on loopback. A client reads the first bytes of a
sound without end and leaves; what is told is the time until the stand-in sees it. Then 25 MB of music go through, and
the process's memory is compared with what it was after a first megabyte. Prints a table, then one JSON line.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from fake_engine import FakeEngine, wait_until  # noqa: E402
from inference_stand_in import InferenceStandIn  # noqa: E402
from live_server import LiveServer, live_server  # noqa: E402

TIMES = 20


def main() -> None:
    patch = pytest.MonkeyPatch()
    with InferenceStandIn() as hub:
        patch.setattr("vivavoce.app.hosted.open_transport", hub.transport)
        with live_server([FakeEngine()], hosted=True) as server:
            gone_ms = [hung_up_ms(server, hub) for _ in range(TIMES)]
            warm = music(server, hub, "flac")
            before_mb = memory_mb()
            received = music(server, hub, "music-25")
            grown_mb = memory_mb() - before_mb
    patch.undo()
    ninety = sorted(gone_ms)[int(0.95 * TIMES)]
    print(f"hung up after          median {statistics.median(gone_ms):.0f} ms, 95 % {ninety:.0f} ms, of {TIMES}")
    print(f"25 MB through as flac  {received / 1e6:.1f} MB out, peak memory {grown_mb:+.1f} MB (first: {warm} bytes)")
    print(json.dumps({"hung_up_ms": [round(ms, 1) for ms in gone_ms], "music_memory_mb": round(grown_mb, 1)}))


def hung_up_ms(server: LiveServer, hub: InferenceStandIn) -> float:
    """From the client's leaving to the model's server noticing."""
    hub.forget()
    with httpx.stream("POST", server.url + "/v1/hosted/text-to-audio", json=body(hub, "endless"), timeout=30) as sound:
        parts = sound.iter_raw()  # kept: an iterator that is dropped closes the connection
        next(parts)
        left_s = time.monotonic()
    wait_until(lambda: hub.hung_up_s is not None)
    assert hub.hung_up_s is not None
    return max(0.0, hub.hung_up_s - left_s) * 1e3


def music(server: LiveServer, hub: InferenceStandIn, behaviour: str) -> int:
    """Bytes of a whole answer."""
    url, asked = server.url + "/v1/hosted/text-to-audio", {**body(hub, behaviour), "format": "flac"}
    with httpx.stream("POST", url, json=asked, timeout=120) as sound:
        return sum(len(part) for part in sound.iter_raw())


def body(hub: InferenceStandIn, behaviour: str) -> dict[str, str]:
    return {"api_url": hub.url(behaviour), "api_token": "hf_of_a_benchmark", "input_text": "rain on a tin roof"}


def memory_mb() -> float:
    """The most this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
