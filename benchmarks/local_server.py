"""A server of our own for a benchmark: started on a free port, warmed up, stopped at the end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from listener import TRANSPORTS, listen

START_TIMEOUT_S = 60.0
WARM_UP = ("Good morning.", "The first sentences wake up the caches, and the next ones are measured.")


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers.

    Attributes:
        url: its address.
        voice: id of the voice under test.
        pid: its process, where it is ours.
    """

    url: str
    voice: str
    pid: int | None

    def cpu_s(self) -> float | None:
        """Processor time it has used so far, all threads, in seconds; None where the process is not ours."""
        if self.pid is None or not Path("/proc").exists():
            return None
        return cpu_s(self.pid)


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far, all threads, in seconds; Linux. 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options every benchmark has."""
    parser.add_argument("--voice", default="default", help="voice id (default: the server's default voice)")
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), default="http", help="way in (default: http)")
    parser.add_argument("--url", help="measure a server that runs already, e.g. http://127.0.0.1:7860")
    parser.add_argument(
        "serve_flags", nargs="*", metavar="-- FLAG", help="flags for `vivavoce serve`, e.g. -- --voices ~/voices"
    )


@contextlib.contextmanager
def local_server(options: argparse.Namespace) -> Iterator[RunningServer]:
    """Start a server as `options` say, or take the one at `--url`; it has spoken before it is handed over.

    Raises:
        RuntimeError: If it does not become ready; the message holds the end of its log.
    """
    if options.url:
        server = RunningServer(options.url.rstrip("/"), options.voice, None)
        asyncio.run(_warm_up(server, options.transport))
        yield server
        return
    port = _free_port()
    command = [sys.executable, "-m", "vivavoce", "serve", "--port", str(port), *options.serve_flags]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            server = RunningServer(f"http://127.0.0.1:{port}", options.voice, process.pid)
            _wait_until_ready(server.url, process)
            asyncio.run(_warm_up(server, options.transport))
            yield server
        except Exception as error:
            log.seek(0)
            raise RuntimeError(f"{error}\n--- the server's log ---\n{log.read()[-2000:].decode()}") from error
        finally:
            _stop(process)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server was not ready after {START_TIMEOUT_S:.0f} s")


async def _warm_up(server: RunningServer, transport: str) -> None:
    for text in WARM_UP:
        await listen(server.url, server.voice, text, transport=transport)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=40)  # longer than the server lets its listeners finish
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
