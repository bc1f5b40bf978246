"""An answer begun before it is certain that the user has finished: it is thought and spoken, and nobody hears it.

At the soft end of a turn that sounds finished, thought and speech begin; the sound is held by whoever holds this. When
the turn is certain, the reply takes both over where they are; when the user goes on, they are dropped. Made by
`looking_ahead.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from vivavoce.assistant.chat_model import TextDelta
from vivavoce.assistant.mouth import Speech
from vivavoce.assistant.reply import Think
from vivavoce.assistant.thinking import Thinking
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, Spoken, SpokenChunk, Unspoken

logger = logging.getLogger(__name__)

_MOST_WRITTEN: Final = 1_000  # characters: a few sentences are more than can be heard before the turn is certain


class Ahead:
    """One answer; a `Speaker` for the one reply that takes it over.

    Args:
        said: what it answers to.
        after: id of the last item before that.
        think: finds the words.
        speech: how they are spoken; None: they are only written.
        group: parent of its tasks.
    """

    def __init__(
        self, said: str, after: str | None, think: Think, speech: Speech | None, group: asyncio.TaskGroup
    ) -> None:
        self.said = said
        self.after = after
        self.thinking = Thinking(think, group)
        self._speech = speech
        self._spoken: asyncio.Future[Spoken] = asyncio.get_running_loop().create_future()
        self._written = ""
        self._is_taken = False
        self._released = asyncio.Event()
        self.thinking.begin()
        self._task = group.create_task(self._speak(speech), name="speaking-ahead") if speech is not None else None

    def drop(self) -> None:
        """It is not wanted, or not any more."""
        self.thinking.stop()
        self._released.set()
        if self._task is not None and not self._is_taken:
            self._task.cancel()

    # -- a Speaker -------------------------------------------------------------------------------------------------

    def voices(self) -> list[VoiceInfo]:
        """Those of whoever speaks."""
        return self._speech.speaker.voices() if self._speech is not None else []

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        """As whoever speaks chooses."""
        assert self._speech is not None
        return self._speech.speaker.choose(voice, model)

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Place | None = None) -> AsyncIterator[Spoken]:
        """The speech that has begun, with what was written of it; the caller writes all of it once more."""
        self._is_taken = True
        try:
            spoken = await asyncio.shield(self._spoken)
            yield _Begun(spoken, len(self._written))
        finally:
            self._released.set()

    async def _speak(self, speech: Speech) -> None:
        """Hold the speech, and write to it until somebody takes it over."""
        try:
            place = await speech.place.take() if speech.place is not None else None
            async with speech.speaker.stream(speech.request, place) as spoken:
                writing = asyncio.create_task(self._write(spoken), name="writing-ahead")
                try:
                    self._spoken.set_result(spoken)
                    await self._released.wait()
                finally:
                    writing.cancel()
                    await asyncio.gather(writing, return_exceptions=True)
        except VivaVoceError as error:
            if not self._spoken.done():
                self._spoken.set_exception(error)
                self._spoken.exception()  # nobody may ask: then it is no news
        except Exception:
            logger.exception("speaking ahead failed unexpectedly")
            if not self._spoken.done():
                self._spoken.set_exception(EngineError("the speech failed; the server's log says why"))
                self._spoken.exception()

    async def _write(self, spoken: Spoken) -> None:
        try:
            async for piece in self.thinking.overheard():
                if self._is_taken or len(self._written) > _MOST_WRITTEN:
                    return
                if isinstance(piece, TextDelta):
                    spoken.write(piece.text)
                    self._written += piece.text
                    await spoken.start()
            if not self._is_taken and not self._released.is_set():
                spoken.flush()  # its last sentence waits for nothing more
                await spoken.start()
        except VivaVoceError:
            return  # whoever takes it over is told, and writes what was not taken


class _Begun:
    """A speech of which the beginning was written before."""

    def __init__(self, spoken: Spoken, written: int) -> None:
        self._spoken = spoken
        self._skip = written

    @property
    def sample_rate(self) -> int:
        return self._spoken.sample_rate

    @property
    def produced_s(self) -> float:
        return self._spoken.produced_s

    @property
    def unspoken(self) -> Sequence[Unspoken]:
        return self._spoken.unspoken

    def write(self, delta: str) -> None:
        """What was written already is passed over.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        rest = delta[self._skip :]
        if rest:
            self._spoken.write(rest)
        self._skip = max(0, self._skip - len(delta))

    def flush(self) -> None:
        self._spoken.flush()

    def end(self) -> None:
        self._spoken.end()

    async def start(self) -> None:
        await self._spoken.start()

    def played(self, position_s: float) -> None:
        self._spoken.played(position_s)

    def heard(self, position_s: float) -> str:
        return self._spoken.heard(position_s)

    def __aiter__(self) -> AsyncIterator[SpokenChunk]:
        return aiter(self._spoken)
