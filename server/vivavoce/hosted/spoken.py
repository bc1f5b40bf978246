"""One wish to speak with a voice on another machine: text in, sentence by sentence, and its sound out.

Pulled by its reader: a sentence is asked for when the one before it has been read, and read no faster than it is taken,
so a reader that stops stops the other machine too. Made by `speaker.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

import numpy as np

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.audio.resample import EMPTY, Resampler
from vivavoce.audio.samples import guard
from vivavoce.errors import BadAudio, EmptyInput, TextTooLong, UnspeakableText
from vivavoce.hosted.voices import HostedVoice
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk, Unspoken
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.text.sentences import Sentence, SentenceSplitter
from vivavoce.text.timing import estimate_words
from vivavoce.words import WordTiming

HELD_S = 0.02  # kept back of each sentence until it is known where it ends

# Opens one sentence's sound: an iterator of float32 [n] at the voice's rate.
Source = Callable[[SpokenText], AbstractAsyncContextManager[AsyncGenerator[Samples, None]]]


class HostedSpoken:
    """The speech of one request; an async iterator of `SpokenChunk`.

    Args:
        source: asks for one sentence.
        max_buffered: code points written and not yet heard of.
        clock: seconds, of the event loop.
    """

    def __init__(
        self,
        request: SpeechRequest,
        voice: HostedVoice,
        source: Source,
        *,
        max_buffered: int,
        clock: Callable[[], float],
    ) -> None:
        self.request = request
        self.sample_rate = request.sample_rate or voice.info.sample_rate
        self.written = 0
        self._voice = voice
        self._source = source
        self._max_buffered = max_buffered
        self._clock = clock
        self._splitter = SentenceSplitter()
        self._sentences: deque[Sentence] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._produced = 0  # samples
        self._text: list[str] = []  # sentences begun, as written
        self._text_end = 0
        self._words: list[tuple[float, int]] = []  # (start_s, source_end)
        self._began_s: float | None = None  # when a listener who plays in real time would have begun
        self._chunks = self._speak()
        if request.text is not None:
            self.write(request.text)
            self.end()

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        return self._produced / self.sample_rate

    @property
    def unspoken(self) -> tuple[Unspoken, ...]:
        """Nothing that is known: a model elsewhere does not tell what it leaves out."""
        return ()

    # -- text in

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        if self._ended:
            raise RuntimeError("write() after end()")
        buffered = self.written - self._text_end + len(delta)
        if buffered > self._max_buffered:
            raise TextTooLong(buffered, self._max_buffered, param="text")
        self.written += len(delta)
        self._take(self._splitter.feed(delta))

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        self._take(self._splitter.flush())

    def end(self) -> None:
        """No more text will come. Any number of times."""
        if not self._ended:
            self._ended = True
            self._take(self._splitter.flush())

    async def start(self) -> None:
        """Nothing yet: a model elsewhere is asked, and paid, when somebody reads."""

    # -- the listener

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        self._began_s = self._clock() - position_s
        self._changed.set()

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        end = max((source_end for start_s, source_end in self._words if start_s < position_s), default=0)
        return "".join(self._text)[:end]

    # -- sound out

    def __aiter__(self) -> HostedSpoken:
        return self

    async def __anext__(self) -> SpokenChunk:
        return await anext(self._chunks)

    async def aclose(self) -> None:
        """Hang up, in mid-sentence too."""
        self._ended = True
        await self._chunks.aclose()

    def _take(self, sentences: list[Sentence]) -> None:
        self._sentences.extend(sentences)
        self._changed.set()

    async def _speak(self) -> AsyncGenerator[SpokenChunk, None]:
        while (sentence := await self._next_sentence()) is not None:
            self._text.append(sentence.text)
            self._text_end = sentence.start + len(sentence.text)
            spoken = self._spoken(sentence)
            if spoken is None:
                continue
            async with aclosing(self._say(sentence, spoken)) as chunks:  # leaving hangs up at once
                async for chunk in chunks:
                    yield chunk
        if self.request.text is not None and not self._produced:
            raise EmptyInput

    async def _say(self, sentence: Sentence, spoken: SpokenText) -> AsyncGenerator[SpokenChunk, None]:
        resampler = Resampler(self._voice.info.sample_rate, self.sample_rate)
        keep = round(HELD_S * self.sample_rate)
        held: Samples = EMPTY
        start, first = self._produced, True
        async with self._source(spoken) as parts:
            async for samples in parts:
                held = np.concatenate([held, resampler.process(_usable(samples))])
                if len(held) > keep:
                    await self._room()
                    yield self._chunk(sentence, held[:-keep], begins=first)
                    held, first = held[-keep:], False
        held = np.concatenate([held, resampler.flush()])
        duration_s = (self._produced + len(held) - start) / self.sample_rate
        words = _placed(estimate_words(spoken, duration_s), start / self.sample_rate, sentence.start)
        self._words.extend((word.start_s, word.source_end) for word in words)
        yield self._chunk(sentence, held, begins=first, ends=True, words=words)

    def _chunk(
        self,
        sentence: Sentence,
        samples: Samples,
        *,
        begins: bool,
        ends: bool = False,
        words: tuple[WordTiming, ...] = (),
    ) -> SpokenChunk:
        start_s = self.produced_s
        if self._began_s is None:
            self._began_s = self._clock()
        self._produced += len(samples)
        return SpokenChunk(AudioChunk(samples, self.sample_rate, words), sentence, start_s, begins, ends)

    async def _next_sentence(self) -> Sentence | None:
        while not self._sentences:
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._sentences.popleft()

    async def _room(self) -> None:
        """Wait until a listener who plays in real time is no more than `ahead_s` behind."""
        while self.request.paced and self._began_s is not None:
            wait_s = self.produced_s - self.request.ahead_s - (self._clock() - self._began_s)
            if wait_s <= 0:
                return
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()  # the listener reported
            except TimeoutError:
                return

    def _spoken(self, sentence: Sentence) -> SpokenText | None:
        """What is said of a sentence; None where nothing is.

        Raises:
            UnspeakableText: If the voice does not speak its language.
        """
        languages = self._voice.info.languages
        options = self.request.options
        if not sentence.spoken:
            return None
        spoken = normalize(sentence.text, options.language, preferred=languages[0])
        if not spoken.text:
            return None
        if spoken.language not in languages:
            raise UnspeakableText(self._voice.info.id, languages)
        return spoken


def _usable(samples: Samples) -> Samples:
    guarded = guard(samples)
    if guarded.unusable:
        raise BadAudio("the voice's server sent samples that are not numbers")
    return guarded.samples


def _placed(words: tuple[WordTiming, ...], start_s: float, start: int) -> tuple[WordTiming, ...]:
    """Words of a sentence at their place in the utterance."""
    return tuple(
        WordTiming(
            word.text,
            word.start_s + start_s,
            word.end_s + start_s,
            word.source_start + start,
            word.source_end + start,
            word.estimated,
        )
        for word in words
    )
