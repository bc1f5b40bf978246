"""The answer that nobody asked for yet: begun, dropped, or handed to the response that turns out to want it.

Made by `answers.py`, which says when there is time for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

from vivavoce.assistant.ahead import Ahead
from vivavoce.assistant.brain import Brain
from vivavoce.assistant.mouth import Speech
from vivavoce.assistant.spoken_items import SpokenItems
from vivavoce.protocols.realtime.items import Content, Item
from vivavoce.protocols.realtime.response import Response, ResponseOptions
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.protocols.realtime.session_config import SessionConfig


class LookingAhead:
    """The answer that one conversation has begun before its user was certain to have finished.

    Args:
        brain: finds the words.
        items: what was heard of earlier answers.
        speech: how a response is spoken.
    """

    def __init__(
        self,
        session: RealtimeSession,
        brain: Brain,
        items: SpokenItems,
        speech: Callable[[ResponseOptions], Speech],
    ) -> None:
        self._session = session
        self._brain = brain
        self._items = items
        self._speech = speech
        self._ahead: Ahead | None = None
        self._config: SessionConfig | None = None  # with which it was begun

    @property
    def said(self) -> str | None:
        """What is being answered ahead; None: nothing is."""
        return self._ahead.said if self._ahead is not None else None

    def begin(self, said: str, group: asyncio.TaskGroup) -> None:
        """Answer what the user has perhaps finished saying."""
        options = self._session.next_options()
        items = (*self._session.conversation, Item(id="", role="user", content=(Content("input_audio", said),)))
        think = self._brain.think(self._session, dataclasses.replace(options, input=items), self._items)
        speech = self._speech(options) if "audio" in options.modalities else None
        self._ahead = Ahead(said, self._session.conversation.last, think, speech, group)
        self._config = self._session.config

    def drop(self) -> None:
        """The user goes on, or wants something else."""
        if self._ahead is not None:
            self._ahead.drop()
            self._ahead = None

    def take(self, response: Response) -> Ahead | None:
        """What was begun for this response; None, and nothing is left, where it was for another one."""
        ahead = self._ahead
        if ahead is not None and not self._fits(ahead, response):
            self.drop()
            return None
        self._ahead = None
        return ahead

    def _fits(self, ahead: Ahead, response: Response) -> bool:
        """Whether the response is the answer that was begun: to the same words, after the same, in the same way."""
        items = list(self._session.conversation)[-2:]
        before = items[0].id if len(items) == 2 else None
        same = items and items[-1].role == "user" and items[-1].text == ahead.said and before == ahead.after
        plain = dataclasses.replace(self._session.next_options(), id=response.id)
        return bool(same) and self._config is self._session.config and response.options == plain
