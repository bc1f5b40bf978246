"""Mouths in this process, and what can go wrong with them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from vivavoce.adapters.ray_serve.mouth import Mouth
from vivavoce.adapters.ray_serve.mouths import Catalogue, Line
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.errors import EngineCrashed, Overloaded
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpokenChunk


class LocalMouths:
    """`Mouths` without a network: each call goes to the next one.

    Attributes:
        lines: what was asked for.
        lost_after: for each of the next calls of `say`, chunks after which its Mouth is lost.
        cut_after: likewise, but the stream just ends, as if it were whole.
        full: so many of the next calls of `say` are refused.
        open: calls of `say` on their way.
    """

    def __init__(self, mouths: Sequence[Mouth]) -> None:
        self._turns = itertools.cycle(mouths)
        self._mouths = mouths
        self.lines: list[Line] = []
        self.lost_after: list[int] = []
        self.cut_after: list[int] = []
        self.full = 0
        self.open = 0

    async def catalogue(self) -> Catalogue:
        return await next(self._turns).catalogue()

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        return await next(self._turns).prepare(text, voice, options)

    async def say(self, line: Line) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        self.lines.append(line)
        if self.full:
            self.full -= 1
            raise Overloaded
        lost = self.lost_after.pop(0) if self.lost_after else None
        cut = self.cut_after.pop(0) if self.cut_after else None
        self.open += 1
        try:
            async with aclosing(next(self._turns).say(line)) as chunks:
                count = 0
                async for chunk in chunks:
                    if isinstance(chunk, PreparedText):
                        yield chunk
                        continue
                    if count == lost:
                        raise EngineCrashed("the machine is gone")
                    if count == cut:
                        return
                    yield chunk
                    count += 1
        finally:
            self.open -= 1

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        return await next(self._turns).study(voice, clip)

    async def load_voice(self, voice_id: str) -> None:
        await next(self._turns).load_voice(voice_id)

    async def forget(self, voice_id: str) -> None:
        for mouth in self._mouths:
            await mouth.forget(voice_id)
