"""One wish to speak, and the audio it becomes: the event loop's side of a track.

Made by `synthesizer.py`; transports write text into it, read chunks from it and tell it what was heard.
"""

from __future__ import annotations

import time

from vivavoce.errors import EmptyInput, TextTooLong, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.synthesis.preparation import PreparedText, Unspoken
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk
from vivavoce.synthesis.track import Track
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.synthesis.worker import WorkerPool
from vivavoce.text.sentences import Sentence, SentenceSplitter


class Utterance:
    """The audio of one request, in order; text may still be written while it speaks.

    An async iterator of `SpokenChunk`. `__anext__` raises the error that ended the synthesis, if one did.

    Attributes:
        request: what was asked for.
        sample_rate: Hz of the chunks.
        voice_id: id of the voice that speaks.
        written: code points taken in so far.
        unspoken: parts of the text that the voice has no letters for; of a whole text known before its first sound.
    """

    def __init__(
        self,
        request: SpeechRequest,
        loaded: LoadedVoice,
        track: Track,
        pool: WorkerPool,
        place: Place,
        max_buffered_text: int,
    ) -> None:
        self.request = request
        self.sample_rate = track.sample_rate
        self.voice_id = loaded.info.id
        self.engine_name = loaded.engine.name
        self.written = 0
        self.unspoken: tuple[Unspoken, ...] = ()
        self.first_chunk_s: float | None = None
        self.outcome = "cancelled"
        self._loaded = loaded
        self._track = track
        self._pool = pool
        self._place = place
        self._max_buffered_text = max_buffered_text
        self._splitter = SentenceSplitter()
        self._ended = False
        self._text: list[str] = []  # sentences spoken so far, as written
        self._text_end = 0  # code points of the text that engines have begun to speak
        self._words: list[tuple[float, int]] = []  # (start_s, source_end) of every word delivered

    # -- text in

    @property
    def backlog(self) -> int:
        """Code points written of which nothing has been heard of yet."""
        return self.written - self._text_end

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        if self._ended:
            raise RuntimeError("write() after end()")
        buffered = self.backlog + len(delta)
        if buffered > self._max_buffered_text:
            raise TextTooLong(buffered, self._max_buffered_text, param="text")
        self.written += len(delta)
        self._feed(self._splitter.feed(delta))

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        self._feed(self._splitter.flush())

    def end(self) -> None:
        """No more text will come. Any number of times."""
        if not self._ended:
            self._ended = True
            self._feed(self._splitter.flush(), ended=True)

    # -- the listener

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        self._pool.played(self._track, position_s)

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        end = 0
        for start_s, source_end in self._words:
            if start_s < position_s:
                end = max(end, source_end)
        return "".join(self._text)[:end]

    # -- audio out

    def __aiter__(self) -> Utterance:
        return self

    async def __anext__(self) -> SpokenChunk:
        track = self._track
        while True:
            track.changed.clear()
            chunk = self._pool.take(track)
            if chunk is not None:
                self._note(chunk)
                return chunk
            if track.error is not None:
                self.outcome = "error"
                raise track.error
            if track.finished:
                if self.request.text is not None and not track.produced:
                    self.outcome = "error"
                    raise EmptyInput
                self.outcome = "completed"
                raise StopAsyncIteration
            await track.changed.wait()

    # -- what became of it

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        return self._track.produced / self.sample_rate

    @property
    def core_s(self) -> float:
        """Core seconds of compute spent."""
        return self._track.core_s + self._track.sentence_core_s

    @property
    def underruns(self) -> int:
        """Chunks that a real-time listener had to wait for."""
        return self._track.underruns

    @property
    def error(self) -> VivaVoceError | None:
        """What ended it early, if anything did."""
        return self._track.error

    # -- for the synthesizer

    def _begin_with(self, text: str, prepared: PreparedText) -> None:
        self.written = len(text)
        self.unspoken = prepared.unspoken
        self._ended = True
        self._feed(prepared.sentences, ended=True)

    def _close(self) -> None:
        self._ended = True
        self._settle_costs()

    def _feed(self, sentences: list[Sentence], *, ended: bool = False) -> None:
        if sentences or ended:
            self._pool.feed(self._track, sentences, ended=ended)

    def _note(self, chunk: SpokenChunk) -> None:
        """Keep the books: what was said, when, and what it cost."""
        if self.first_chunk_s is None:
            self.first_chunk_s = time.monotonic() - self._track.arrival_s
            self._place.sounding(self._loaded.kind, self.core_s)
        if chunk.begins_sentence:
            self._text.append(chunk.sentence.text)
            self._text_end = chunk.sentence.start + len(chunk.sentence.text)
        self._words.extend((w.start_s, w.source_end) for w in chunk.audio.words)
        if chunk.ends_sentence:
            self._settle_costs()

    def _settle_costs(self) -> None:
        costs, self._track.costs = self._track.costs, []
        for cost in costs:
            self._place.measured(self._loaded.kind, cost.core_s, cost.audio_s)
        now_s = time.monotonic()
        if self._track.underruns > self._track.underruns_told:
            self._track.underruns_told = self._track.underruns
            self._place.ran_dry(now_s)
        else:
            self._place.in_time(now_s)
