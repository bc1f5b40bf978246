"""One wish to speak, spoken sentence by sentence by Mouths: text in here, sound made there, placed and kept here.

The counterpart of `synthesis/utterance.py`. A sentence is asked for when the one before it is made, while that one is
still being heard. A Mouth that is lost before anybody heard of its sentence is replaced by another; one that is lost in
mid-sentence ends the utterance with an error, never as if it were whole. Made by `remote_speaker.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from vivavoce.audio.chunk import AudioChunk
from vivavoce.errors import EmptyInput, EngineCrashed, EngineError, EngineTimeout, UnspeakableText, VivaVoceError
from vivavoce.synthesis.playout_clock import PlayoutClock
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.script import Script
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, SpokenChunk, Unspoken
from vivavoce.synthesis.speech_job import PAUSE_S
from vivavoce.text.sentences import Sentence, SentenceSplitter
from vivavoce.words import WordTiming

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One sentence to be made. See `mouths.Line`."""

    sentence: Sentence
    buffered_s: float
    begun: bool
    whole: str | None


Source = Callable[[Wanted], AsyncGenerator[SpokenChunk | PreparedText, None]]  # asks a Mouth


class RemoteSpoken:
    """The audio of one request; an async iterator of `SpokenChunk`. See `speaker.Spoken`.

    Args:
        source: asks a Mouth.
        max_buffered: code points written and not heard of.
        clock: seconds that do not go back.
    """

    def __init__(
        self,
        request: SpeechRequest,
        voice: ResolvedVoice,
        source: Source,
        *,
        max_buffered: int,
        clock: Callable[[], float],
    ) -> None:
        self.request = request
        self.voice = voice
        self.sample_rate = request.sample_rate or voice.info.sample_rate
        self.first_chunk_s: float | None = None  # from the request, or from its first sentence, to its first chunk
        self.outcome = "cancelled"
        self._source = source
        self._clock = clock
        self._script = Script(max_buffered)
        self._prepared: PreparedText | None = None
        self._asked_s: float | None = None  # when there was something to say
        self._sentences: deque[Sentence] = deque()  # bounded by `max_buffered`
        self._changed = asyncio.Event()  # for the maker: text came, room came
        self._woken = asyncio.Event()  # for the reader
        self._chunks: deque[SpokenChunk] = deque()  # made and not read
        self._unread = 0  # samples in it
        self._produced = 0  # samples
        self._playout = PlayoutClock()
        self._last_ending: str | None = None
        self._taken = 0  # chunks the reader has had
        self._refused: UnspeakableText | None = None
        self._error: VivaVoceError | None = None
        self._done = False
        if request.text is not None:
            splitter = SentenceSplitter()
            self._script.take_whole(request.text)
            self._take([*splitter.feed(request.text), *splitter.flush()])
        self._maker = asyncio.create_task(self._make(), name="remote-utterance")

    # -- text in

    @property
    def written(self) -> int:
        """Code points taken in so far."""
        return self._script.written

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        self._take(self._script.write(delta))

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        self._take(self._script.flush())

    def end(self) -> None:
        """No more text will come. Any number of times."""
        self._take(self._script.end())

    async def start(self) -> None:
        """Nothing more: a Mouth is asked as soon as there is a sentence."""

    async def looked_at(self) -> bool:
        """Returns when a Mouth has looked at the whole text, while it makes the first sentence. False: it got nothing.

        Raises:
            VivaVoceError: If it cannot be spoken, or not now.
        """
        while self._prepared is None and not self._done:
            self._woken.clear()
            await self._woken.wait()
        if self._prepared is None and self._error is not None:
            self.outcome = "error"
            raise self._error
        return self._prepared is not None

    # -- the listener

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        return self._produced / self.sample_rate

    @property
    def unspoken(self) -> tuple[Unspoken, ...]:
        """Parts of a whole text that the voice has no letters for."""
        return self._prepared.unspoken if self._prepared is not None else ()

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        self._playout.heard(position_s, self._clock())
        self._changed.set()

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        return self._script.heard(position_s)

    # -- sound out

    def __aiter__(self) -> RemoteSpoken:
        return self

    async def __anext__(self) -> SpokenChunk:
        while not self._chunks:
            if self._error is not None:
                self.outcome = "error"
                raise self._error
            if self._done:
                self._end()
            self._woken.clear()
            await self._woken.wait()
        chunk = self._chunks.popleft()
        self._unread -= len(chunk.audio.samples)
        self._taken += 1
        if self.first_chunk_s is None and self._asked_s is not None:
            self.first_chunk_s = self._clock() - self._asked_s
        self._script.leaves(chunk)
        self._changed.set()
        return chunk

    async def aclose(self) -> None:
        """It ended, however: stop the Mouth that speaks."""
        self._script.ended = True
        self._maker.cancel()
        await asyncio.gather(self._maker, return_exceptions=True)
        self._chunks.clear()

    def _end(self) -> None:
        if not self._taken and self.request.text is not None:
            self.outcome = "error"
            raise self._refused or EmptyInput
        if not self._taken and self._refused is not None:
            self.outcome = "error"
            raise self._refused
        self.outcome = "completed"
        raise StopAsyncIteration

    def _take(self, sentences: list[Sentence]) -> None:
        if sentences and self._asked_s is None:
            self._asked_s = self._clock()
        self._sentences.extend(sentences)
        self._changed.set()

    # -- the maker

    async def _make(self) -> None:
        """Have one sentence after another spoken, while there is room."""
        try:
            while (sentence := await self._next_sentence()) is not None:
                if sentence.spoken:
                    await self._have_said(sentence)
        except VivaVoceError as error:
            self._error = error
        except Exception:
            logger.exception("a sentence could not be had from a Mouth")
            self._error = EngineCrashed("the speech could not be fetched from the machine that makes it")
        finally:
            self._done = True
            self._woken.set()

    async def _next_sentence(self) -> Sentence | None:
        while not self._sentences:
            if self._script.ended:
                return None
            await self._change()
        return self._sentences.popleft()

    async def _have_said(self, sentence: Sentence) -> None:
        """One sentence; tried once more where its Mouth fails before anybody heard of it."""
        for again in (False, True):
            await self._room()
            begun, taken = self._produced, self._taken + len(self._chunks)
            try:
                whole = self.request.text if self._prepared is None else None
                wanted = Wanted(sentence, self._buffered_s(), begun > 0, whole)
                async with aclosing(self._source(wanted)) as chunks:
                    await self._collect(sentence, chunks)
            except (EmptyInput, UnspeakableText) as nothing:
                if isinstance(nothing, UnspeakableText):
                    self._refused = self._refused or nothing
            except EngineError as error:
                heard_of = self._taken > taken
                if again or heard_of or isinstance(error, EngineTimeout) or not error.retryable:
                    raise
                self._take_back(begun)
                continue
            return

    async def _collect(self, sentence: Sentence, chunks: AsyncGenerator[SpokenChunk | PreparedText, None]) -> None:
        pause = round((PAUSE_S[self._last_ending] if self._last_ending is not None else 0.0) * self.sample_rate)
        start = self._produced + pause
        last: SpokenChunk | None = None
        async for chunk in chunks:
            if isinstance(chunk, PreparedText):
                self._prepared = chunk
                self._woken.set()
                continue
            self._put(_placed(chunk, self._produced, start, pause if last is None else 0))
            last = chunk
            await self._room()
        if last is None:
            return
        if not last.ends_sentence:  # its end was lost on the way
            raise EngineCrashed("the machine that was speaking stopped in mid-sentence")
        self._last_ending = sentence.ending

    def _put(self, chunk: SpokenChunk) -> None:
        self._chunks.append(chunk)
        self._unread += len(chunk.audio.samples)
        self._produced += len(chunk.audio.samples)
        self._playout.add(chunk.audio.duration_s, self._clock())
        self._woken.set()

    def _take_back(self, produced: int) -> None:
        """Drop what was made of a sentence that nobody has heard of."""
        while self._produced > produced:
            samples = len(self._chunks.pop().audio.samples)
            self._unread -= samples
            self._produced -= samples
            self._playout.sound_s -= samples / self.sample_rate
        if not self._produced:
            self._playout = PlayoutClock()

    def _buffered_s(self) -> float:
        dry_at_s = self._playout.dry_at_s
        return 0.0 if dry_at_s is None else max(0.0, dry_at_s - self._clock())

    async def _room(self) -> None:
        """Wait while the reader is behind, and where it is paced, while its listener has enough."""
        while True:
            if self._unread >= self.request.ahead_s * self.sample_rate:
                await self._change()
                continue
            wait_s = self._buffered_s() - self.request.ahead_s
            if not self.request.paced or wait_s <= 0:
                return
            try:
                async with asyncio.timeout(wait_s):
                    await self._change()
            except TimeoutError:
                pass

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _placed(chunk: SpokenChunk, produced: int, start: int, pause: int) -> SpokenChunk:
    """A sentence's chunk as a part of its utterance.

    Args:
        produced: samples of the utterance before it.
        start: samples of the utterance before its sentence, the pause included.
        pause: samples of silence that go before it.
    """
    audio = chunk.audio
    samples = np.concatenate([np.zeros(pause, np.float32), audio.samples]) if pause else audio.samples
    words = tuple(_moved(word, start / audio.sample_rate) for word in audio.words)
    placed = AudioChunk(samples, audio.sample_rate, words)
    return dataclasses.replace(chunk, audio=placed, start_s=produced / audio.sample_rate)


def _moved(word: WordTiming, offset_s: float) -> WordTiming:
    return dataclasses.replace(word, start_s=word.start_s + offset_s, end_s=word.end_s + offset_s)
