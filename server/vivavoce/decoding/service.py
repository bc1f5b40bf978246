"""Recordings that strangers send, decoded in processes of their own, by turns and with a share for each.

    decoded = await decoding.decode(blocks, owner=key, sample_rate=16_000)

One process is kept warm. A recording that ends its process is that recording's own trouble: its sender gets an error,
everybody else the next process. Live streams hold a process each for as long as they last, so they have places of their
own. Everything is bounded, and of everything bounded one owner gets a share. Called by the routes; made by `app/`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import ANY_RECORDING, Decoded, DecodingRules
from vivavoce.decoding.live_decoder import REST_S, LiveDecoder
from vivavoce.decoding.places import Places
from vivavoce.decoding.process import DecoderProcess, ProcessLimits
from vivavoce.decoding.recording import Recording
from vivavoce.errors import InvalidAudio, Overloaded, RateLimited
from vivavoce.metrics import Metrics

logger = logging.getLogger(__name__)

PENALTY_S = 2.0  # a start costs 0.1 s of a core: who ends one decoder after the other does so at most this often
RECORDINGS_PER_PROCESS = 100  # then it makes room for a fresh one: what leaks in a codec does not add up


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """How many recordings are decoded, and wait, at the same time.

    Attributes:
        files: recordings decoded at the same time.
        waiting: further ones that wait.
        files_per_owner: of both together, for one key or address.
        streams: live streams.
        streams_per_owner: of one key or address.
        file_s: seconds until a file must be decoded.
        process: what one process may use.
    """

    files: int = 2
    waiting: int = 16
    files_per_owner: int = 4
    streams: int = 16
    streams_per_owner: int = 4
    file_s: float = 60.0
    process: ProcessLimits = field(default_factory=ProcessLimits)


class DecodingService:
    """Makes, lends and replaces decoder processes. Use `start` once a loop runs, `aclose` at the end.

    Args:
        share: of what is decoded at the same time that one owner may have, 0..1.
        now: a clock in seconds that does not go back.

    Attributes:
        idle: processes that wait for a recording.
        lent: processes that decode one.
    """

    def __init__(
        self,
        metrics: Metrics,
        limits: DecodingLimits | None = None,
        *,
        share: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._limits = limits = limits or DecodingLimits()
        self._files = Places("files to decode", limits.files, limits.waiting, limits.files_per_owner, share=share)
        self._streams = Places("live streams to decode", limits.streams, 0, limits.streams_per_owner)
        self.idle: list[DecoderProcess] = []
        self.lent: set[DecoderProcess] = set()
        self._ended_one: dict[str, float] = {}  # owner -> when it may come again, by the loop's clock
        self._may_rest: list[LiveDecoder] = []
        self._now = now
        self._closed = False
        self._replacing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Warm one process."""
        if not self.idle:
            self.idle.append(await DecoderProcess.start(self._limits.process))

    async def aclose(self) -> None:
        """End all processes; what they decode ends with them."""
        self._closed = True
        await asyncio.gather(*self._replacing, return_exceptions=True)
        processes, self.idle = [*self.idle, *self.lent], []
        await asyncio.gather(*(process.aclose() for process in processes))

    async def decode(
        self,
        blocks: AsyncIterable[bytes],
        *,
        owner: str,
        sample_rate: int | None = 16_000,
        rules: DecodingRules = ANY_RECORDING,
    ) -> Decoded:
        """All samples of a recording that is already here.

        Args:
            blocks: its bytes; they come from disk or memory, never at the pace of a client.
            owner: whose share it counts on.
            sample_rate: Hz; None: the recording's own.

        Raises:
            InvalidAudio: If it is none of ours, damaged, over a limit, or too much for the decoder.
            Overloaded: If too many wait, or the process was killed.
            RateLimited: If the owner has too many, or has just sent what ended a decoder.
        """
        parts: list[Samples] = []
        async with self._files.enter(owner), self._lend(owner) as process:
            async for part in _decoded(process, blocks, sample_rate, rules, self._limits.file_s):
                parts.append(part)
            rate = process.sample_rate
        return Decoded(await asyncio.to_thread(np.concatenate, parts), rate)

    @asynccontextmanager
    async def record(
        self,
        blocks: AsyncIterable[bytes],
        *,
        owner: str,
        sample_rate: int = 16_000,
        rules: DecodingRules = ANY_RECORDING,
        within_s: float | None = None,
    ) -> AsyncIterator[Recording]:
        """The same for recordings of any length: the samples lie on disk for as long as the block lasts.

        Args:
            within_s: until when it must be decoded; None: as for `decode`.

        Raises:
            InvalidAudio, Overloaded, RateLimited: As `decode`; Overloaded also where the disk has no room.
        """
        with await asyncio.to_thread(Recording, sample_rate) as recording:
            async with self._files.enter(owner), self._lend(owner) as process:
                async for part in _decoded(process, blocks, sample_rate, rules, within_s or self._limits.file_s):
                    await asyncio.to_thread(recording.append, part)
            yield recording

    @asynccontextmanager
    async def live(
        self,
        *,
        owner: str,
        sample_rate: int | None = 16_000,
        rules: DecodingRules = ANY_RECORDING,
        may_rest: bool = False,
    ) -> AsyncIterator[LiveDecoder]:
        """A decoder for a stream that comes at the pace of its client; it holds a process until the block ends.

        Args:
            owner: whose share it counts on.
            sample_rate: Hz; None: the stream's own.
            rules: `LIVE_STREAM` for a microphone, which has no end.
            may_rest: it waits for a client, so where nothing comes for a while it gives way to who needs a decoder.

        Raises:
            Overloaded: If there are too many.
            RateLimited: If the owner has too many, or has just sent what ended a decoder.
        """
        async with AsyncExitStack() as held:
            await self._enter_live(held, owner)
            process = await held.enter_async_context(self._lend(owner))
            await process.begin(sample_rate, rules)
            decoder = LiveDecoder(process, owner, held.aclose, self._now)
            if may_rest:
                self._may_rest.append(decoder)
            try:
                yield decoder
            finally:
                if decoder in self._may_rest:
                    self._may_rest.remove(decoder)

    async def _enter_live(self, held: AsyncExitStack, owner: str) -> None:
        """A place among the live streams; one of which nothing comes gives way, an owner's own to his own share."""
        while True:
            try:
                await held.enter_async_context(self._streams.enter(owner))
                return
            except Overloaded as refused:
                own = isinstance(refused, RateLimited)
                resting = [each for each in self._may_rest if each.owner == owner or not own]
                longest = max(resting, key=lambda each: each.rests_s, default=None)
                if longest is None or longest.rests_s < REST_S:
                    raise
                self._may_rest.remove(longest)
                await longest.give_way()

    @asynccontextmanager
    async def _lend(self, owner: str) -> AsyncIterator[DecoderProcess]:
        """A process that lives; it comes back if it is still of use, and is replaced if it was the only one."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._ended_one.get(owner, 0.0):
            raise RateLimited("what you sent has just ended the decoder; wait a moment", retry_after_s=PENALTY_S)
        process = await self._fresh()
        self.lent.add(process)
        try:
            yield process
        except (InvalidAudio, Overloaded):
            if not process.usable:
                self._remember(owner)
            raise
        finally:
            self.lent.discard(process)
            await self._take_back(process)

    def _remember(self, owner: str) -> None:
        """Who ended a decoder; whose time is over is forgotten, so there are never more than die in that time."""
        now_s = asyncio.get_running_loop().time()
        self._ended_one = {name: until_s for name, until_s in self._ended_one.items() if until_s > now_s}
        self._ended_one[owner] = now_s + PENALTY_S

    async def _fresh(self) -> DecoderProcess:
        while self.idle:
            process = self.idle.pop()
            if process.usable:
                return process
            await process.aclose()
        return await DecoderProcess.start(self._limits.process)

    async def _take_back(self, process: DecoderProcess) -> None:
        if process.failed:
            self._metrics.decoder_deaths.inc()
            logger.warning("decoder process %d is replaced", process.pid)
        worn_out = process.recordings >= RECORDINGS_PER_PROCESS
        if process.usable and not worn_out and not self._closed and len(self.idle) < self._limits.files:
            self.idle.append(process)
            return
        if not self.idle and not self._closed:  # beside: whoever gives it back may have to hang up somewhere
            replacing = asyncio.create_task(self._warm_another(), name="decoder-start")
            self._replacing.add(replacing)
            replacing.add_done_callback(self._replacing.discard)
        await process.aclose()

    async def _warm_another(self) -> None:
        try:
            process = await DecoderProcess.start(self._limits.process)
        except Overloaded:
            return  # the next one who needs it starts it, or is told
        if self.idle or self._closed:
            await process.aclose()
        else:
            self.idle.append(process)


async def _decoded(
    process: DecoderProcess,
    blocks: AsyncIterable[bytes],
    sample_rate: int | None,
    rules: DecodingRules,
    within_s: float,
) -> AsyncIterator[Samples]:
    """All of a recording, as it is decoded."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    try:
        async with asyncio.timeout_at(deadline_s):
            await process.begin(sample_rate, rules)
        async for data in blocks:
            async with asyncio.timeout_at(deadline_s):
                part = await process.decode(data)
            yield part
        async with asyncio.timeout_at(deadline_s):
            rest = await process.flush()
    except TimeoutError:
        raise InvalidAudio("the file takes too long to decode", param=rules.param) from None
    for part in rest:
        yield part
