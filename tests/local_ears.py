"""Ears in this process, and what can go wrong with them."""

from __future__ import annotations

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
        welcomed: who was, and whether that was asked of any Ear.
        lost: so many of the next stretches lose their Ear before its last word.
        cut: likewise, but the words just end, as if they were whole.
        full: so many of the next calls of `welcome` or `hear` are refused.
        open: stretches on their way.
    """

    def __init__(self, ears: Sequence[Ear]) -> None:
        self._turns = itertools.cycle(ears)
        self._ears = ears
        self.stretches: list[Stretch] = []
        self.welcomed: list[tuple[HearingRequest, bool]] = []
        self.lost = self.cut = self.full = self.open = 0

    async def models(self) -> tuple[RecognizerInfo, ...]:
        return await next(self._turns).models()

    async def welcome(self, request: HearingRequest, *, live: bool, anywhere: bool) -> None:
        self.welcomed.append((request, anywhere))
        self._refuse()
        await next(self._turns).welcome(request, live=live)

    async def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        self.stretches.append(stretch)
        self._refuse()
        lost, self.lost = self.lost > 0, max(0, self.lost - 1)
        cut, self.cut = self.cut > 0, max(0, self.cut - 1)
        self.open += 1
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
