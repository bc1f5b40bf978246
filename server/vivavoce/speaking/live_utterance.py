"""One utterance of a live conversation, from its first text to its end.

It may be written before it speaks (another one is speaking): what it is told until then waits here. Called by
`live_session.py`; `UtteranceTeller` is what its sink tells the client through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from vivavoce.protocols.native.client_messages import SessionConfig
from vivavoce.protocols.native.outbox import Outbox
from vivavoce.protocols.native.server_messages import Word
from vivavoce.speaking.sink import Sink
from vivavoce.synthesis.speaker import Spoken, SpokenChunk


@dataclass(slots=True, eq=False)
class LiveUtterance:
    """One utterance of a live connection, from its first text to its end.

    Attributes:
        index: its number in the session.
        config: how it is to be spoken.
        waiting_chars: code points written and not yet handed to an utterance.
        utterance, sink, task: set when it begins to speak.
    """

    index: int
    config: SessionConfig
    waiting_chars: int = 0
    utterance: Spoken | None = None
    sink: Sink | None = None
    task: asyncio.Task[None] | None = None
    _told_unspoken: int = 0  # parts
    _waiting: list[Callable[[Spoken], None]] = field(default_factory=list)

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

    def tell(self, what: Callable[[Spoken], None]) -> None:
        """Flush or end, now or when it begins to speak."""
        if self.utterance is not None:
            what(self.utterance)
        else:
            self._waiting.append(what)

    def begin(self, utterance: Spoken, sink: Sink) -> None:
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

    def tell_unspoken(self, outbox: Outbox) -> None:
        """Tell the client what its voice left out since this was called last."""
        unspoken = self.utterance.unspoken if self.utterance is not None else ()
        for part in unspoken[self._told_unspoken :]:
            outbox.tell_unspoken(self.index, part.text, part.start)
        self._told_unspoken = len(unspoken)

    @property
    def sent_ms(self) -> int:
        """Milliseconds of sound sent so far."""
        return 0 if self.sink is None else round(self.sink.sent_s * 1000)


@dataclass(frozen=True, slots=True)
class UtteranceTeller:
    """A `Teller` over the outbox of the native stream.

    Attributes:
        wake_sender: called when the outbox may have grown.
        sent: set when the client was sent all of it.
    """

    outbox: Outbox
    index: int
    config: SessionConfig
    wake_sender: Callable[[], None]
    sent: asyncio.Event

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        """What goes before a chunk's sound: its sentence where it begins one, its words where they were asked for."""
        if chunk.begins_sentence:
            sentence = chunk.sentence
            self.outbox.start_sentence(
                self.index, sentence.index, sentence.text, format=format, sample_rate=sample_rate
            )
        words = chunk.audio.words
        if words and self.config.timestamps == "word":
            self.outbox.send_words(
                self.index,
                (Word(each.text, round(each.start_s * 1000), round(each.end_s * 1000)) for each in words),
                estimated=any(each.estimated for each in words),
                start_ms=round(chunk.start_s * 1000),
            )
        self.wake_sender()

    def send_audio(self, payload: bytes) -> None:
        """Encoded audio, as binary messages or in base64."""
        self.outbox.send_audio(self.index, payload)
        self.wake_sender()

    def end_sentence(self) -> None:
        """All audio of the sentence that sounds was sent."""
        self.outbox.end_sentence(self.index)
        self.wake_sender()

    async def all_sent(self) -> None:
        """Returns when the client was sent everything it is due."""
        await self.sent.wait()
