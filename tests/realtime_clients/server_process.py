"""The server, as its command starts it, in its own environment: the clients' libraries ask for other versions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_S = 90.0


def server_python() -> str:
    """The interpreter of the environment in which the server is installed."""
    named = os.environ.get("SERVER_PYTHON")
    own = ROOT / ".venv" / "bin" / "python"
    return named or (str(own) if own.exists() else sys.executable)


@contextmanager
def server_process(chat_url: str, log: Path, *flags: str) -> Iterator[str]:
    """Its address, once it is ready.

    Args:
        chat_url: of the chat model.
        log: file for what it writes.
        flags: of the command.

    Raises:
        RuntimeError: If it does not become ready; the message holds the end of its log.
    """
    command = [server_python(), "-m", "vivavoce", "serve", "--port", "0"]
    command += ["--chat-url", chat_url, "--chat-model", "stub", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, env=environment)
        try:
            yield _ready(process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listens on (http://\S+)", log.read_text()):
            url = found[1].rstrip("/")
            if _is_ready(url):
                return url
        time.sleep(0.2)
    raise RuntimeError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
