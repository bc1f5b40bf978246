"""What the client of a native stream is due, and the rule that an utterance which is done stays done.

The speaking side tells it what it does, utterance by utterance; whatever it still says of an utterance that is done
is dropped, so no transport can send it. Part of `session.py`; knows nothing of what the client sends.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from vivavoce.protocols.native.messages import serialize
from vivavoce.protocols.native.server_messages import (
    AudioDelta,
    AudioDone,
    AudioStart,
    AudioTimestamps,
    AudioUnspoken,
    PlaybackHeard,
    ServerMessage,
    SessionClosing,
    SessionDone,
    Status,
    Word,
)


@dataclass(slots=True)
class _Utterance:
    """What has been sent of an utterance that is not done."""

    base64: bool
    sentences: int = 0
    sentence_index: int | None = None  # of the sentence that sounds now
    sentence_bytes: int = 0


class Outbox:
    """Messages in order of sending. Grows by one utterance's chunk at a time: the caller sends before it makes more."""

    def __init__(self) -> None:
        self._open: dict[int, _Utterance] = {}  # not done, in the order they began
        self._waiting: list[tuple[int | None, str | bytes]] = []  # with the utterance a withdrawable message is of

    @property
    def open_utterances(self) -> list[int]:
        """Utterances that are not done, in the order they began."""
        return list(self._open)

    def is_open(self, utterance_index: int) -> bool:
        """Whether the utterance has begun and is not done."""
        return utterance_index in self._open

    def begin(self, utterance_index: int, *, base64: bool) -> None:
        """A new utterance; its audio goes out in base64 or as binary messages."""
        self._open[utterance_index] = _Utterance(base64)

    def start_sentence(
        self, utterance_index: int, sentence_index: int, text: str, *, format: str, sample_rate: int
    ) -> None:
        """The next audio belongs to this sentence; the one before it is done."""
        utterance = self._open.get(utterance_index)
        if utterance is None:
            return
        self.end_sentence(utterance_index)
        utterance.sentences += 1
        utterance.sentence_index, utterance.sentence_bytes = sentence_index, 0
        start = AudioStart(
            utterance_index=utterance_index,
            sentence_index=sentence_index,
            sentence_text=text,
            format=format,
            sample_rate=sample_rate,
        )
        self.send(start, utterance_index)

    def send_words(self, utterance_index: int, words: Iterable[Word], *, estimated: bool, start_ms: int) -> None:
        """The words that begin in the chunk that follows, which stands at `start_ms` in the utterance."""
        if self.is_open(utterance_index):
            message = AudioTimestamps(
                utterance_index=utterance_index, words=tuple(words), estimated=estimated, start_ms=start_ms
            )
            self.send(message, utterance_index)

    def tell_unspoken(self, utterance_index: int, text: str, start: int) -> None:
        """A part of the text that is left out."""
        if self.is_open(utterance_index):
            self.send(AudioUnspoken(utterance_index=utterance_index, text=text, start=start), utterance_index)

    def send_audio(self, utterance_index: int, payload: bytes) -> None:
        """Encoded audio, as a binary message or in base64."""
        utterance = self._open.get(utterance_index)
        if utterance is None or not payload:
            return
        utterance.sentence_bytes += len(payload)
        if utterance.base64:
            self.send(AudioDelta(base64.b64encode(payload).decode("ascii")), utterance_index)
        else:
            self._waiting.append((utterance_index, payload))

    def end_sentence(self, utterance_index: int, *, error: bool = False) -> None:
        """The sentence that sounds is complete, or broken off; nothing where none sounds."""
        utterance = self._open.get(utterance_index)
        if utterance is None or utterance.sentence_index is None:
            return
        done = AudioDone(
            utterance_index=utterance_index,
            sentence_index=utterance.sentence_index,
            total_bytes=utterance.sentence_bytes,
            error=error,
        )
        utterance.sentence_index = None
        self.send(done, utterance_index)

    def finish(self, utterance_index: int, status: Status, *, duration_ms: int, heard: str | None = None) -> None:
        """The utterance's one end; later calls for it do nothing. A cancelled one takes back what was not sent yet."""
        if not self.is_open(utterance_index):
            return
        if status == "cancelled":
            self._waiting = [(index, message) for index, message in self._waiting if index != utterance_index]
        else:
            self.end_sentence(utterance_index, error=status == "failed")
        utterance = self._open.pop(utterance_index)
        done = SessionDone(
            utterance_index=utterance_index,
            total_sentences=utterance.sentences,
            status=status,
            duration_ms=duration_ms,
            heard=heard,
        )
        self.send(done)

    def tell_heard(self, utterance_index: int, text: str, *, played_ms: int) -> None:
        """Answer a cancel with what the listener has heard."""
        self.send(PlaybackHeard(utterance_index=utterance_index, text=text, played_ms=played_ms))

    def announce_closing(self, reason: str) -> None:
        """Tell the client that the server will close the connection."""
        self.send(SessionClosing(reason))

    def send(self, message: ServerMessage, withdrawable_of: int | None = None) -> None:
        """Any message; `withdrawable_of` is the utterance whose cancellation takes it back."""
        self._waiting.append((withdrawable_of, serialize(message)))

    def take(self) -> list[str | bytes]:
        """Everything that waits, in order; each message is given once."""
        messages = [message for _, message in self._waiting]
        self._waiting.clear()
        return messages
