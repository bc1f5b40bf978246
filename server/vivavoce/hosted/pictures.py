"""Text in pictures, read on this machine: what answers offline where a model elsewhere would describe them.

A stranger's picture is decoded in a process of its own (`picture_child.py`) whose death hurts nobody; it is started by
the first picture and kept. One picture at a time: reading takes a core for a second. Needs the extra `[ocr]`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

from vivavoce.errors import HostedModelTimeout, InvalidRequest, VoiceUnavailable
from vivavoce.hosted.captions import InvalidPicture

NAME = "ocr"
READ_S = 60.0  # for one picture, the start of the process included
MAX_ANSWER = 1 << 20
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "HOME")  # no keys, no tokens


class PictureReader:
    """Reads pictures, one after the other. `aclose` at the end."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "vivavoce.hosted.picture_child")) -> None:
        self._command = command
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    @staticmethod
    def installed() -> bool:
        """True where the extra is."""
        return importlib.util.find_spec("rapidocr") is not None

    async def read(self, name: str, image: bytes) -> list[dict[str, Any]]:
        """What a picture says, in the shape of an image-to-text model's answer.

        Args:
            name: what stood after `local:`.
            image: a picture that `captions.look_at` has seen.

        Raises:
            InvalidRequest: If `name` is none of ours.
            VoiceUnavailable: If the extra is not installed.
            InvalidPicture: If the picture cannot be decoded.
            HostedModelTimeout: If reading takes too long.
        """
        if name != NAME:
            raise InvalidRequest(f"pictures are read here by `local:{NAME}`", param="api_url")
        if not self.installed():
            raise VoiceUnavailable("reading pictures needs an extra: pip install 'vivavoce[ocr]'", param="api_url")
        async with self._turn:
            try:
                async with asyncio.timeout(READ_S):
                    answer = await self._ask(image)
            except (OSError, EOFError, ValueError):
                await self.aclose()
                raise InvalidPicture("the picture cannot be read: the reader fails on it") from None
            except TimeoutError:
                await self.aclose()
                raise HostedModelTimeout("the picture takes too long to read") from None
            except asyncio.CancelledError:
                self._kill()  # it would answer the next one with this one's words
                raise
        if "error" in answer:
            raise InvalidPicture("the picture cannot be decoded")
        return [answer]

    async def aclose(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
        if process is not None:
            await process.wait()

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _ask(self, image: bytes) -> dict[str, Any]:
        process = self._process
        if process is None or process.returncode is not None:
            await self.aclose()
            process = self._process = await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(struct.pack("<I", len(image)) + image)
        await process.stdin.drain()
        (length,) = struct.unpack("<I", await process.stdout.readexactly(4))
        if length > MAX_ANSWER:
            raise ValueError(f"an answer of {length} bytes")
        answer = json.loads(await process.stdout.readexactly(length))
        if not isinstance(answer, dict):
            raise ValueError("an answer that is no object")
        return answer

    async def _start(self) -> Process:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,  # an interrupt at the terminal is the server's to handle
        )
