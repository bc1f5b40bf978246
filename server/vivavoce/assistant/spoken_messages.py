"""Messages that were spoken and whose words are on their way: the client is told when they are known, or why not.

Made by `turn_ear.py`, which reads what was understood; knows nothing of turns.
"""

from __future__ import annotations

import asyncio

from vivavoce.assistant.ear import Listened, Listening, Wishes
from vivavoce.assistant.heard_parts import TurnWords
from vivavoce.assistant.input_decoder import RATE, InputDecoder
from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.commands import HearItem


class SpokenMessages:
    """The messages of one conversation that were spoken and whose words are not known yet.

    Args:
        conversation: is told.
        listening: hears what comes whole.
    """

    def __init__(self, conversation: Listened, listening: Listening) -> None:
        self._conversation = conversation
        self._listening = listening
        self._unknown: set[str] = set()  # items whose words are not known yet
        self._none_unknown = asyncio.Event()
        self._none_unknown.set()
        self._settling: list[tuple[str, TurnWords]] = []  # that an ear still hears, and whose they are

    def expect(self, item_id: str) -> None:
        """A message was made; its words come later."""
        self._unknown.add(item_id)
        self._none_unknown.clear()

    async def all_known(self) -> None:
        """Returns when the words of every message are known."""
        await self._none_unknown.wait()

    @property
    def are_settling(self) -> bool:
        """The ear that heard them is still needed."""
        return bool(self._settling)

    def settle(self, item_id: str, words: TurnWords) -> None:
        """No more parts come to these words: they are known as soon as each is final."""
        self._settling.append((item_id, words))
        self._tell_more(item_id, words)
        words.close()

    def read(self) -> None:
        """Take what was understood by now, and tell it as it comes."""
        for item_id, words in self._settling:
            news = [part.take() for part in words.parts]
            if any(each is not None for each in news):
                self._tell_more(item_id, words)
            words.settle()

    def _tell_more(self, item_id: str, words: TurnWords) -> None:
        if all(part.is_final for part in words.parts):
            return  # the rest is told with the whole
        delta = words.drafts.feed(words.text)
        if delta:
            self._conversation.session.input.transcribing(item_id, delta)
            self._conversation.wake_sender()

    async def tell(self, item_id: str, words: TurnWords, seconds: float, *, answers: bool) -> None:
        """Tell a message's words when they are known, and answer it; one without words gives the floor back."""
        user = self._conversation.session.input
        try:
            understood = await words.understood()
            rest = words.drafts.finish(understood.text)
            if rest:
                user.transcribing(item_id, rest)
            user.transcribed(item_id, understood.text, seconds=seconds, language=understood.language)
            if answers and understood.text:
                self._conversation.answer()
            elif answers:
                self._conversation.resume()  # a noise had the floor
        except VivaVoceError as error:
            user.transcription_failed(item_id, error)
            self._conversation.report(error)
        finally:
            self._settling = [each for each in self._settling if each[1] is not words]
            self._known(item_id)

    async def hear_item(self, command: HearItem, wishes: Wishes) -> None:
        """A message that came with its sound."""
        user, place = self._conversation.session.input, (command.item_id, command.content_index)
        try:
            sound = await asyncio.to_thread(InputDecoder(command.format).decode_all, command.data)
            understood = await self._listening.transcribe(sound, wishes)
            seconds = len(sound) / RATE
            user.transcribed(place[0], understood.text, seconds=seconds, index=place[1], language=understood.language)
        except VivaVoceError as error:
            user.transcription_failed(*place[:1], error, place[1])
            self._conversation.report(error)
        finally:
            self._known(command.item_id)

    def fail_all(self, error: VivaVoceError) -> None:
        """Nothing more is heard."""
        for item_id in list(self._unknown):
            self._conversation.session.input.transcription_failed(item_id, error)
            self._known(item_id)

    def _known(self, item_id: str) -> None:
        self._unknown.discard(item_id)
        if not self._unknown:
            self._none_unknown.set()
        self._conversation.wake_sender()
