"""One wish to speak, and the audio it becomes: the event loop's side of a track.

Made by `synthesizer.py`; transports write text into it, read chunks from it and tell it what was heard.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EmptyInput, TextTooLong, VivaVoceError
from vivavoce.synthesis.admission import Admission
from vivavoce.synthesis.admission_queue import AdmissionQueue
from vivavoce.synthesis.track import SpokenChunk, Track
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.synthesis.worker import WorkerPool
from vivavoce.text.sentences import Sentence, SentenceSplitter


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One wish to speak.

    Attributes:
        voice: "mika", "mika/Sad", "default" or one of OpenAI's names.
        text: the whole text; None: it will be written piece by piece.
        options: how to say it.
        sample_rate: Hz of the audio wanted; None: the engine's own.
        ahead_s: unread audio held before the work for this stream stops.
        paced: stop computing also when more than `ahead_s` ahead of a listener who plays in real time.
        owner: whose request this is (a hash of the API key), for fair admission.
        transport: http, websocket, webrtc or cli, for the metrics.
    """

    voice: str = "default"
    text: str | None = None
    options: SpeechOptions = field(default_factory=SpeechOptions)
    sample_rate: int | None = None
    ahead_s: float = 5.0
    paced: bool = False
    owner: str = ""
    transport: str = "http"


class Utterance:
    """The audio of one request, in order; text may still be written while it speaks.

    An async iterator of `SpokenChunk`. `__anext__` raises the error that ended the synthesis, if one did.

    Attributes:
        request: what was asked for.
        sample_rate: Hz of the chunks.
        voice_id: id of the voice that speaks.
        written: code points taken in so far.
    """

    def __init__(
        self,
        request: SpeechRequest,
        loaded: LoadedVoice,
        track: Track,
        pool: WorkerPool,
        admission: Admission,
        queue: AdmissionQueue,
        ticket: int,
        max_buffered_text: int,
    ) -> None:
        self.request = request
        self.sample_rate = track.sample_rate
        self.voice_id = loaded.info.id
        self.engine_name = loaded.engine.name
        self.written = 0
        self.first_chunk_s: float | None = None
        self.outcome = "cancelled"
        self._loaded = loaded
        self._track = track
        self._pool = pool
        self._admission = admission
        self._queue = queue
        self._ticket = ticket
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

    def _begin_with(self, text: str, sentences: list[Sentence]) -> None:
        self.written = len(text)
        self._ended = True
        self._feed(sentences, ended=True)

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
            self._admission.first_chunk_took(self._loaded.kind, self.core_s)
            self._queue.sounding(self._ticket)
        if chunk.begins_sentence:
            self._text.append(chunk.sentence.text)
            self._text_end = chunk.sentence.start + len(chunk.sentence.text)
        self._words.extend((w.start_s, w.source_end) for w in chunk.audio.words)
        if chunk.ends_sentence:
            self._settle_costs()

    def _settle_costs(self) -> None:
        costs, self._track.costs = self._track.costs, []
        for cost in costs:
            self._admission.measured(self._loaded.kind, cost.core_s, cost.audio_s)
        now_s = time.monotonic()
        if self._track.underruns > self._track.underruns_told:
            self._track.underruns_told = self._track.underruns
            self._admission.underrun(now_s)
        else:
            self._admission.ample(now_s)
