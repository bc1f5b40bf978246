"""One utterance of a live conversation, from its first text to its end, and the sink its sound goes to.

An utterance may be written before it speaks (another one is speaking): what it is told until then waits here. Used by
`live_session.py`; the transports implement `Sink`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.speech import SpeechOptions
from vivavoce.protocols.native.messages import SessionConfig, Word
from vivavoce.protocols.native.outbox import Outbox
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk
from vivavoce.synthesis.utterance import Utterance
from vivavoce.synthesis.voice_library import VoiceLibrary

PIECE_S = 0.4  # longest piece of sound that leaves at once


class Sink(Protocol):
    """Where one utterance's sound goes."""

    @property
    def sent_s(self) -> float:
        """Seconds of audio taken so far."""
        ...

    @property
    def position_s(self) -> float:
        """What the listener has heard of it, in seconds, as far as is known."""
        ...

    async def send(self, chunk: SpokenChunk) -> None:
        """Take a chunk; returns when the next one may come.

        Raises:
            ClientTooSlow: If the listener has stood still for too long.
        """
        ...

    async def finish(self) -> None:
        """The utterance is complete; returns when its end may be told."""
        ...

    def played(self, position_s: float) -> None:
        """The listener's own word on what it has heard."""
        ...

    def stop(self) -> None:
        """Cancelled: be silent now."""
        ...


@dataclass(slots=True, eq=False)
class Turn:
    """One utterance.

    Attributes:
        index: its number in the session.
        config: how it is to be spoken.
        waiting_chars: code points written and not yet handed to an utterance.
        utterance, sink, task: set when it begins to speak.
    """

    index: int
    config: SessionConfig
    waiting_chars: int = 0
    utterance: Utterance | None = None
    sink: Sink | None = None
    task: asyncio.Task[None] | None = None
    _waiting: list[Callable[[Utterance], None]] = field(default_factory=list)

    def write(self, text: str) -> None:
        """More text, now or when it begins to speak.

        Raises:
            TextTooLong: If the utterance takes no more; nothing of `text` was taken.
        """
        if self.utterance is not None:
            self.utterance.write(text)
        else:
            self.waiting_chars += len(text)
            self._waiting.append(lambda utterance: utterance.write(text))

    def tell(self, what: Callable[[Utterance], None]) -> None:
        """`Utterance.flush` or `Utterance.end`, now or when it begins to speak."""
        if self.utterance is not None:
            what(self.utterance)
        else:
            self._waiting.append(what)

    def begin(self, utterance: Utterance, sink: Sink) -> None:
        """It speaks: hand over what waited."""
        self.utterance, self.sink = utterance, sink
        for tell in self._waiting:
            tell(utterance)
        self._waiting.clear()
        self.waiting_chars = 0

    def played(self, position_s: float, *, is_open: bool) -> None:
        """The listener's own word on what it has heard."""
        if self.utterance is None or self.sink is None:
            return
        self.sink.played(position_s)
        if is_open:
            self.utterance.played(position_s)

    def heard(self) -> tuple[str, int] | None:
        """The written text that was heard, and the milliseconds of sound; None before it speaks."""
        if self.utterance is None or self.sink is None:
            return None
        position_s = self.sink.position_s
        return self.utterance.heard(position_s), round(position_s * 1000)

    @property
    def sent_ms(self) -> int:
        """Milliseconds of sound sent so far."""
        return 0 if self.sink is None else round(self.sink.sent_s * 1000)


def speech_request(
    config: SessionConfig,
    voices: VoiceLibrary,
    *,
    owner: str,
    transport: str,
    ahead_s: float,
    sample_rate: int | None,
) -> SpeechRequest:
    """What a session's configuration asks of the synthesizer; a `model` that names a voice speaks, as over HTTP.

    Args:
        sample_rate: Hz, where the transport decides it.
    """
    model = config.model if config.model is not None and voices.knows(config.model) else None
    options = SpeechOptions(
        language=config.language or "auto",
        speed=config.speed or 1.0,
        seed=config.seed,
        temperature=config.temperature,
        top_k=config.top_k,
        top_p=config.top_p,
        repetition_penalty=config.repetition_penalty,
        instructions=config.instructions,
    )
    return SpeechRequest(
        voice=config.voice or model or "default",
        options=options,
        sample_rate=sample_rate or config.sample_rate,
        ahead_s=ahead_s,
        paced=config.pace != "burst",
        owner=owner,
        transport=transport,
    )


def pieces(chunk: SpokenChunk, longest_s: float = PIECE_S) -> Iterator[SpokenChunk]:
    """A chunk in pieces that are short beside what a listener holds, each with the words that begin in it.

    An engine may make a whole sentence at once: sent as one message, it would have to wait until all of the listener's
    audio is played, and come too late.
    """
    audio, rate = chunk.audio, chunk.audio.sample_rate
    length = max(1, round(longest_s * rate))
    words = deque(audio.words)
    for begin in range(0, max(1, len(audio.samples)), length):
        end = begin + length
        is_last = end >= len(audio.samples)
        end_s = chunk.start_s + end / rate
        mine = []
        while words and (is_last or words[0].start_s < end_s):
            mine.append(words.popleft())
        yield SpokenChunk(
            AudioChunk(audio.samples[begin:end], rate, tuple(mine)),
            chunk.sentence,
            chunk.start_s + begin / rate,
            chunk.begins_sentence and begin == 0,
            chunk.ends_sentence and is_last,
        )


def announce_chunk(
    outbox: Outbox, index: int, chunk: SpokenChunk, config: SessionConfig, *, format: str, rate: int
) -> None:
    """What goes before a chunk's sound: its sentence where it begins one, its words where they were asked for."""
    if chunk.begins_sentence:
        sentence = chunk.sentence
        outbox.start_sentence(index, sentence.index, sentence.text, format=format, sample_rate=rate)
    words = chunk.audio.words
    if words and config.timestamps == "word":
        outbox.send_words(
            index,
            (Word(each.text, round(each.start_s * 1000), round(each.end_s * 1000)) for each in words),
            estimated=any(each.estimated for each in words),
            start_ms=round(chunk.start_s * 1000),
        )
