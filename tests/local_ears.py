"""Ears in this process, and what can go wrong with them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from vivavoce.adapters.ray_serve.ear import Ear
from vivavoce.adapters.ray_serve.ears import Stretch
from vivavoce.engines.recognizer import Heard, RecognizerInfo
from vivavoce.errors import EngineCrashed, Overloaded
from vivavoce.recognition.listener import HearingRequest


class LocalEars:
    """`RemoteEars` without a network: each call goes to the next one.

    Attributes:
        stretches: what was to be heard.
        attended: whoever asked for a place, whether they had been heard already, and whether any Ear was asked.
        lost: so many of the next stretches lose their Ear before its last word.
        cut: likewise, but the words just end, as if they were whole.
        full: so many of the next calls of `attend` or `hear` are refused.
        open, most_open: stretches on their way, now and at the most.
        places: held, or asked for.
    """

    def __init__(self, ears: Sequence[Ear]) -> None:
        self._turns = itertools.cycle(ears)
        self._ears = ears
        self.stretches: list[Stretch] = []
        self.attended: list[tuple[HearingRequest, bool, bool]] = []
        self.lost = self.cut = self.full = self.open = self.most_open = self.places = 0

    async def models(self) -> tuple[RecognizerInfo, ...]:
        return await next(self._turns).models()

    async def attend(
        self, request: HearingRequest, *, live: bool, begun: bool, anywhere: bool
    ) -> AsyncGenerator[bool, None]:
        self.attended.append((request, begun, anywhere))
        self._refuse()
        self.places += 1
        try:
            for _ in range(5):  # the way there takes its time: others may be quicker
                await asyncio.sleep(0)
            async with aclosing(next(self._turns).attend(request, live=live, begun=begun)) as lent:
                async for held in lent:
                    yield held
        finally:
            self.places -= 1

    async def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        self.stretches.append(stretch)
        self._refuse()
        lost, self.lost = self.lost > 0, max(0, self.lost - 1)
        cut, self.cut = self.cut > 0, max(0, self.cut - 1)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            async with aclosing(next(self._turns).hear(stretch)) as words:
                async for heard in words:
                    if lost and heard is not None and heard.is_final:
                        raise EngineCrashed("the machine is gone")
                    if cut and heard is not None and heard.is_final:
                        return
                    yield heard
        finally:
            self.open -= 1

    async def load_model(self, model_id: str) -> None:
        await next(self._turns).load_model(model_id)

    async def forget(self, model_id: str) -> None:
        for ear in self._ears:
            await ear.forget(model_id)

    def _refuse(self) -> None:
        if self.full:
            self.full -= 1
            raise Overloaded
