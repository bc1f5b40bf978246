"""A Mouth: the synthesizer as it stands, asked for single sentences by Doors on other machines.

Admission, scheduling and voices are the synthesizer's own. Knows no Ray; `mouth_replica.py` puts it on a machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from vivavoce.adapters.ray_serve.mouths import Catalogue, Line
from vivavoce.engines.speech import SpeechOptions, SpokenClip
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, SpokenChunk
from vivavoce.synthesis.synthesizer import Synthesizer


class Mouth:
    """What one replica of the Mouth does: it speaks with the synthesizer of its machine.

    Args:
        synthesizer: ended with it.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer

    @property
    def speaking(self) -> int:
        """Sentences on their way."""
        return self._synthesizer.speaking

    def open_work(self) -> dict[str, int]:
        """What is left of all that was begun: utterances, jobs of the workers, places in the books."""
        load = self._synthesizer.load()
        return {"utterances": load.utterances, "jobs": load.working, "places": load.admitted}

    async def start(self) -> str | None:
        """Load what is to be loaded at start. Returns the id of the default voice."""
        await self._synthesizer.preload()
        return await asyncio.to_thread(self._synthesizer.default_id)

    async def catalogue(self) -> Catalogue:
        """What it can speak with."""
        return await asyncio.to_thread(self._catalogue)  # it may look at the disk

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        """See `Mouths`."""
        return await self._synthesizer.prepare(text, voice, options)

    async def say(self, line: Line) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        """See `Mouths`."""
        request = SpeechRequest(
            voice=line.voice,
            options=line.options,
            sample_rate=line.sample_rate,
            ahead_s=line.ahead_s,
            paced=line.paced,
            owner=line.owner,
            transport=line.transport,
        )
        async with self._synthesizer.stream(request, begun=line.begun) as utterance:
            utterance.say(line.sentence, buffered_s=line.buffered_s)
            if line.whole is not None:  # while the sentence is being made
                yield await self._synthesizer.prepare(line.whole, line.voice, line.options)
            async for chunk in utterance:
                yield chunk

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        """See `Mouths`."""
        return await self._synthesizer.study(voice, clip)

    async def load_voice(self, voice_id: str) -> None:
        """See `Mouths`."""
        await self._synthesizer.load_voice(voice_id)

    async def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed or replaced."""
        self._synthesizer.forget(voice_id)

    async def drain(self, timeout_s: float) -> None:
        """Let what is being said be said."""
        await self._synthesizer.drain(timeout_s)

    async def aclose(self) -> None:
        """Free everything."""
        await self._synthesizer.aclose()

    def _catalogue(self) -> Catalogue:
        synthesizer = self._synthesizer
        return Catalogue(
            tuple(synthesizer.voices()),
            synthesizer.default_id(),
            synthesizer.library.names,
            synthesizer.spoken_for(),
            synthesizer.is_ready,
        )
