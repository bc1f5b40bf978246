"""The user's side of a Realtime session: sound that waits, speech, messages that were said, and their words.

Part of the session machine. The server tells it what it hears; it tells the client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.conversation import Conversation
from vivavoce.protocols.realtime.items import Content, Item
from vivavoce.protocols.realtime.outbox import LONGEST_TEXT, Outbox

SHORTEST_MS: Final = 100.0  # of a message; OpenAI's limit
_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"


class UserInput:
    """The user's side of a conversation: what was heard, as the client is told of it.

    Args:
        outbox: where its events go.
        conversation: where its messages go.
        new_id: makes ids.

    Attributes:
        heard_ms: sound of the whole connection.
        waiting_ms: sound that is not a message yet.
        item_id: the message that it will be, where speech has begun; known to the client.
        speaks: `speech_started` was told, its `speech_stopped` was not.
        tells_words: the client wants to know the words that were understood.
    """

    def __init__(self, outbox: Outbox, conversation: Conversation, new_id: Callable[[str], str]) -> None:
        self.heard_ms = 0.0
        self.waiting_ms = 0.0
        self.item_id: str | None = None
        self.speaks = False
        self.tells_words = False
        self._outbox = outbox
        self._conversation = conversation
        self._new_id = new_id

    # -- sound

    def hear(self, duration_ms: float) -> None:
        """More sound came, in events or on a track."""
        self.heard_ms += duration_ms
        self.waiting_ms += duration_ms

    def speech_started(self, start_ms: float) -> str:
        """The user begins to speak, so far into the connection's sound. Returns the id of the message it will be."""
        item_id = self._message_id()
        if not self.speaks:
            self.speaks = True
            kind = "input_audio_buffer.speech_started"
            self._outbox.send(kind, item_id=item_id, audio_start_ms=round(start_ms))
        return item_id

    def speech_stopped(self, end_ms: float) -> None:
        """The user has finished; nothing where no start was told."""
        if self.speaks:
            self.speaks = False
            kind = "input_audio_buffer.speech_stopped"
            self._outbox.send(kind, item_id=self._message_id(), audio_end_ms=round(end_ms))

    def commit(self) -> str:
        """The sound so far is a message of the user. Returns its id; its words follow."""
        self.speech_stopped(self.heard_ms)
        item = Item(id=self._message_id(), role="user", content=(Content("input_audio"),))
        self.waiting_ms, self.item_id = 0.0, None
        after = self._conversation.last
        self._outbox.send("input_audio_buffer.committed", previous_item_id=after, item_id=item.id)
        self._conversation.add(item, after)
        return item.id

    def idle(self, start_ms: float, end_ms: float) -> str:
        """The user has said nothing for long: the silence is a message, which can be answered. Returns its id."""
        times = {"audio_start_ms": round(start_ms), "audio_end_ms": round(end_ms)}
        self._outbox.send("input_audio_buffer.timeout_triggered", item_id=self._message_id(), **times)
        return self.commit()

    def clear(self) -> None:
        """The sound so far is nothing."""
        self.speech_stopped(self.heard_ms)
        self.waiting_ms, self.item_id = 0.0, None
        self._outbox.send("input_audio_buffer.cleared")

    def _message_id(self) -> str:
        if self.item_id is None:
            self.item_id = self._new_id("item")
        return self.item_id

    # -- words

    def transcribing(self, item_id: str, delta: str, index: int = 0) -> None:
        """More of the words of a message that was said."""
        if self.tells_words:
            for at in range(0, len(delta), LONGEST_TEXT):
                piece = delta[at : at + LONGEST_TEXT]
                self._outbox.send(f"{_TRANSCRIPTION}.delta", item_id=item_id, content_index=index, delta=piece)

    def transcribed(
        self, item_id: str, text: str, *, seconds: float, index: int = 0, language: str | None = None
    ) -> None:
        """All words of a message are known.

        Args:
            seconds: length of its sound.
            index: the part of the message.
            language: ISO code, where it was detected.
        """
        item = self._conversation.get(item_id)
        if item is not None:
            self._conversation.replace(item.with_text(text, index))
        if self.tells_words:
            known: dict[str, object] = {"languages": [{"code": language}]} if language else {}
            usage = {"type": "duration", "seconds": round(seconds, 3)}
            place: dict[str, object] = {"item_id": item_id, "content_index": index}
            self._outbox.send(f"{_TRANSCRIPTION}.completed", **place, transcript=text, usage=usage, **known)

    def transcription_failed(self, item_id: str, error: VivaVoceError, index: int = 0) -> None:
        """Its words could not be understood."""
        if self.tells_words:
            body = {"type": error.type, "code": error.code, "message": error.message}
            self._outbox.send(f"{_TRANSCRIPTION}.failed", item_id=item_id, content_index=index, error=body)
