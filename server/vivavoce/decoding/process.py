"""One decoder process as the event loop sees it: it takes a recording in pieces and gives samples back.

What comes out of it is trusted no more than what went in: lengths are bounded, sentences are cut. Once it has died,
missed a deadline or answered nonsense it is of no use any more, and `usable` says so. Used by `service.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import DecodingRules
from vivavoce.decoding.frames import HEADER, MAX_FRAME_BYTES, pack, unpack_header
from vivavoce.errors import InvalidAudio, Overloaded

NICENESS = 5
DYING_S = 1.0  # between the end of its output and the end of the process
MAX_SENTENCE = 300  # characters of a refusal that are passed on
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")  # no keys, no tokens
# Importing the codecs is the dear part of a start, and speech that is due comes before it.
_PROGRAM = f"import os; os.nice({NICENESS}); from vivavoce.decoding.child import run; run()"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_OWN_FAULT = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU})


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one decoder process may use.

    Attributes:
        memory_bytes: address space beyond the program itself.
        cpu_s: processor time for one recording.
        cpu_share: further time for each second of sound that came of it.
        answer_s: seconds until a piece must have been decoded.
    """

    memory_bytes: int = 384 << 20
    cpu_s: float = 20.0
    cpu_share: float = 0.1
    answer_s: float = 30.0


class DecoderProcess:
    """A running process. Made by `start`; one recording at a time: `begin`, `decode` any number of times, `flush`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        to_it: asyncio.StreamWriter,
        from_it: asyncio.StreamReader,
        limits: ProcessLimits,
    ) -> None:
        self._process, self._to_it, self._from_it = process, to_it, from_it
        self._limits = limits
        self._idle = True  # no answer is owed
        self._param = ""
        self._may_send = 0  # bytes of samples that this recording may still become
        self.recordings = 0  # begun so far
        self.failed = False  # it died, or was too slow; not: its client left in the middle
        self.sample_rate = 0  # Hz of the recording's samples, once known
        self.duration_s = 0.0  # counted while decoding

    @classmethod
    async def start(cls, limits: ProcessLimits) -> DecoderProcess:
        """A new process; it is warm when it answers its first `begin`.

        Raises:
            Overloaded: If the machine has no room for one.
        """
        try:
            process = await asyncio.to_thread(_spawn, limits)  # on a busy machine this takes a while
        except OSError as error:
            raise Overloaded("no decoder could be started") from error
        loop = asyncio.get_running_loop()
        from_it = asyncio.StreamReader(limit=2 * MAX_FRAME_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(from_it), process.stdout)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, process.stdin)
        return cls(process, asyncio.StreamWriter(transport, protocol, None, loop), from_it, limits)

    @property
    def usable(self) -> bool:
        """It lives and owes no answer."""
        return self._idle and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def begin(self, sample_rate: int | None, rules: DecodingRules) -> None:
        """The next recording begins."""
        self.recordings += 1
        self.sample_rate, self.duration_s = 0, 0.0
        self._param = rules.param
        self._may_send = rules.max_pcm_bytes + round(4 * rules.max_s * (sample_rate or 0)) + MAX_FRAME_BYTES
        wish = {"sample_rate": sample_rate, "rules": dataclasses.asdict(rules)}
        await self._ask(b"B", json.dumps(wish).encode())

    async def decode(self, data: bytes) -> Samples:
        """Samples of what has come so far, float32 [n]."""
        parts = [
            part
            for start in range(0, len(data), MAX_FRAME_BYTES)
            for part in await self._ask(b"D", data[start : start + MAX_FRAME_BYTES])
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    async def flush(self) -> list[Samples]:
        """The rest, in pieces that the caller joins where it has time."""
        return await self._ask(b"E")

    async def aclose(self) -> None:
        """End it and wait until it is gone; any number of times."""
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self._to_it.close()

    async def _ask(self, kind: bytes, content: bytes = b"") -> list[Samples]:
        """Send a frame and collect the answer.

        Raises:
            InvalidAudio: If the recording is refused, or the process died of it or was too slow.
            Overloaded: If the process was killed from outside.
        """
        self._idle = False
        try:
            async with asyncio.timeout(self._limits.answer_s):
                parts = await self._exchange(pack(kind, content))
        except TimeoutError:
            self.failed = True
            self._process.kill()
            raise InvalidAudio("the file takes too long to decode", param=self._param) from None
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self.failed = True
            raise await self._died() from None
        except InvalidAudio:
            self._idle = True
            raise
        self._idle = True
        return parts

    async def _exchange(self, frame: bytes) -> list[Samples]:
        self._to_it.write(frame)
        await self._to_it.drain()
        parts: list[Samples] = []
        while True:
            kind, length = unpack_header(await self._from_it.readexactly(HEADER.size))
            content = await self._from_it.readexactly(length)
            if kind == b"S":
                self._may_send -= length
                if self._may_send < 0:
                    raise ValueError("more samples than the rules allow")
                parts.append(np.frombuffer(content, np.float32))
                continue
            answer = json.loads(content)
            if kind != b"A":
                raise InvalidAudio(_plain(str(answer["message"])), param=self._param)
            self.sample_rate, self.duration_s = int(answer["sample_rate"]), float(answer["duration_s"])
            return parts

    async def _died(self) -> InvalidAudio | Overloaded:
        try:
            await asyncio.to_thread(self._process.wait, DYING_S)
        except subprocess.TimeoutExpired:  # it lives and answers nonsense
            self._process.kill()
        if -(await asyncio.to_thread(self._process.wait)) in _OWN_FAULT:
            return InvalidAudio("the file cannot be decoded: the decoder fails on it", param=self._param)
        return Overloaded("the decoder was ended while it read this file; send it again")


def _spawn(limits: ProcessLimits) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, (limits.memory_bytes, limits.cpu_s, limits.cpu_share))],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | _ONE_THREAD,
        start_new_session=True,  # an interrupt at the terminal is the server's to handle
    )


def _plain(sentence: str) -> str:
    return "".join(c for c in sentence[:MAX_SENTENCE] if c.isprintable())
