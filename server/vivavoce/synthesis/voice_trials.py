"""Does a voice still speak? One that has failed again and again says a word that nobody hears, and is told by it.

A voice that does not is listed as one that cannot speak, is no default, and is refused with its reason; so readiness
follows from what speaks now. Kept by `synthesizer.py`; on the event loop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Hashable

from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import EngineError, VivaVoceError, VoiceUnavailable
from vivavoce.machine.trials import Trials
from vivavoce.synthesis.speaker import ResolvedVoice
from vivavoce.synthesis.utterance import Utterance
from vivavoce.synthesis.voice_library import VoiceLibrary


class VoiceTrials:
    """The trials of one synthesizer's voices.

    Args:
        say: lets a voice say a word; raises what keeps it from that.
    """

    def __init__(self, library: VoiceLibrary, say: Callable[[ResolvedVoice], Awaitable[None]]) -> None:
        self._library = library
        self._health = library.health
        self._say = say
        self._trials = Trials(library.health, self._attempt, self._suspect_the_next)

    def note(self, utterance: Utterance) -> None:
        """Learn from an utterance that is over."""
        key = _key(utterance.voice.info)
        if utterance.spent.sound_s > 0:
            self._health.worked(key)
        elif isinstance(utterance.error, EngineError) and not isinstance(utterance.error, VoiceUnavailable):
            self._health.failed(key, time.monotonic())

    def tried(self, voice: ResolvedVoice, error: VivaVoceError) -> None:
        """A voice did not say what it was asked to say when it was loaded."""
        if isinstance(error, EngineError):
            self._health.tried(_key(voice.info), error, time.monotonic())

    def look(self, now_s: float) -> None:
        """Begin the trials that are due."""
        self._trials.look(now_s)

    async def aclose(self) -> None:
        """Try nothing more."""
        await self._trials.aclose()

    async def _attempt(self, key: Hashable) -> None:
        voices = await asyncio.to_thread(self._library.list)  # it may look at the disk
        info = next((each for each in voices if _key(each) == key), None)
        if info is not None:
            await self._say(ResolvedVoice(dataclasses.replace(info, problem=None)))

    async def _suspect_the_next(self, _: Hashable) -> None:
        """The default now is perhaps one of the same engine, and nobody has heard it yet."""
        voices, default = await asyncio.to_thread(lambda: (self._library.list(), self._library.default_id()))
        for info in voices:
            if info.id == default and not self._health.is_known(_key(info)):
                self._health.suspect(_key(info), time.monotonic())


def _key(info: VoiceInfo) -> Hashable:
    return (info.engine, info.id)
