"""What a client that asks for it is told beside the protocol: when words are heard, and when the first were thought.

Made by `answers.py`; the session drops what its client did not ask for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from vivavoce.assistant.chat_model import ChatPiece
from vivavoce.protocols.realtime.response import Response
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.speaking.sink import SpokenChunk
from vivavoce.words import WordTiming


class Extras:
    """What one conversation's client is told beside the protocol: word times, and when words were thought.

    Args:
        wake_sender: called where the client is due something.
    """

    def __init__(self, session: RealtimeSession, wake_sender: Callable[[], None]) -> None:
        self._session = session
        self._wake_sender = wake_sender

    async def first_words(self, response: Response, pieces: AsyncIterator[ChatPiece]) -> AsyncIterator[ChatPiece]:
        """The pieces; the client is told when the first one is there, for it is heard later."""
        first = True
        async for piece in pieces:
            if first:
                first = False
                self._session.tell("metrics", response_id=response.id, stage="first_words")
                self._wake_sender()
            yield piece

    def words(self, response: Response, chunk: SpokenChunk) -> None:
        """When the words of this chunk are heard."""
        words, item_id = chunk.audio.words, response.item_id
        if words and item_id is not None and not response.is_done:
            self._session.tell(
                "words",
                response_id=response.id,
                item_id=item_id,
                start_ms=round(1000 * chunk.start_s),
                words=[_timed_word(each) for each in words],
                estimated=any(each.estimated for each in words),
            )


def _timed_word(word: WordTiming) -> dict[str, object]:
    """As the native stream writes it."""
    return {"text": word.text, "start_ms": round(1000 * word.start_s), "end_ms": round(1000 * word.end_s)}
