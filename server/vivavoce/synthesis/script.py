"""What was written for one utterance: sentences as they become whole, limits, and how far it was heard.

Pure. Kept by whoever speaks the utterance, here (`utterance.py`) or through another machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vivavoce.errors import SpokenTextTooLong, TextTooLong
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.text.limits import MAX_SPOKEN_GROWTH, spoken_length
from vivavoce.text.sentences import Sentence, SentenceSplitter


@dataclass(slots=True)
class Script:
    """The text of an utterance, in and out.

    Attributes:
        max_buffered: code points written of which nothing was heard yet.
        written: code points taken in so far.
        ended: no more will come.
    """

    max_buffered: int
    written: int = 0
    ended: bool = False
    _splitter: SentenceSplitter = field(default_factory=SentenceSplitter)
    _spoken_written: int = 0  # as `written`, in characters read aloud
    _spoken_begun: int = 0
    _text: list[str] = field(default_factory=list)  # sentences spoken so far, as written
    _text_end: int = 0  # code points of the text that are being heard
    _words: list[tuple[float, int]] = field(default_factory=list)  # (start_s, source_end) of every word delivered

    @property
    def backlog(self) -> int:
        """Code points written of which nothing has been heard of yet."""
        return self.written - self._text_end

    @property
    def has_begun(self) -> bool:
        """Something of it was spoken."""
        return bool(self._text)

    def write(self, delta: str) -> list[Sentence]:
        """More text, of any size. Returns the sentences that are whole now, as do `flush` and `end`.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        if self.ended:
            raise RuntimeError("write() after end()")
        buffered = self.backlog + len(delta)
        if buffered > self.max_buffered:
            raise TextTooLong(buffered, self.max_buffered, param="text")
        spoken, limit = self._spoken_written + spoken_length(delta), MAX_SPOKEN_GROWTH * self.max_buffered
        if spoken - self._spoken_begun > limit:
            raise SpokenTextTooLong(spoken - self._spoken_begun, limit, param="text")
        self.written += len(delta)
        self._spoken_written = spoken
        return self._splitter.feed(delta)

    def flush(self) -> list[Sentence]:
        """What is buffered is to be spoken now."""
        return self._splitter.flush()

    def end(self) -> list[Sentence]:
        """No more text will come. Any number of times."""
        if self.ended:
            return []
        self.ended = True
        return self._splitter.flush()

    def take_whole(self, text: str) -> None:
        """All of it was written, and cut into sentences elsewhere."""
        self.written, self.ended = self.written + len(text), True

    def leaves(self, chunk: SpokenChunk) -> None:
        """This chunk goes to the listener."""
        if chunk.begins_sentence:
            self._text.append(chunk.sentence.text)
            self._text_end = chunk.sentence.start + len(chunk.sentence.text)
            self._spoken_begun += spoken_length(chunk.sentence.text)
        self._words.extend((word.start_s, word.source_end) for word in chunk.audio.words)

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        end = max((source_end for start_s, source_end in self._words if start_s < position_s), default=0)
        return "".join(self._text)[:end]
