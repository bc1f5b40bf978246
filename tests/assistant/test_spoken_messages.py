"""The words of a message that was committed are told as they come, whoever committed it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from vivavoce.assistant.ear import Heard
from vivavoce.assistant.heard_parts import TurnWords
from vivavoce.assistant.spoken_messages import SpokenMessages


@dataclass
class Said:
    text: str
    is_whole: bool = False
    is_final: bool = False
    language: str = "en"
    closed: float | None = None
    marked: float | None = None


@dataclass
class Stretch:
    news: list[Heard] = field(default_factory=list)

    def draft(self, end: int) -> None: ...
    def finish(self, end: int) -> None: ...
    def drop(self) -> None: ...

    def take(self) -> Sequence[Heard]:
        news, self.news = self.news, []
        return news


class Client:
    """What is told of the user's words."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.completed: list[str] = []
        self.answered = 0
        self.session: Any = SimpleNamespace(input=self)

    def transcribing(self, item_id: str, delta: str, index: int = 0) -> None:
        self.told.append(delta)

    def transcribed(self, item_id: str, text: str, **_: Any) -> None:
        self.completed.append(text)

    def wake_sender(self) -> None: ...

    def answer(self) -> None:
        self.answered += 1


class Ear:
    def __init__(self) -> None:
        self.opened: list[Stretch] = []

    def open(self, start: int) -> Stretch:
        self.opened.append(Stretch())
        return self.opened[-1]


async def test_words_are_told_while_the_recognizer_writes_them() -> None:
    client, ear, words = Client(), Ear(), TurnWords()
    listener: Any = client
    messages = SpokenMessages(listener, None)  # type: ignore[arg-type]
    lent: Any = ear
    words.open(lent, 0)
    messages.expect("item_1")
    messages.settle("item_1", words)
    telling = asyncio.create_task(messages.tell("item_1", words, 2.0, answers=True))
    for text in ("What", "What time", "What time is", "What time is it"):
        ear.opened[0].news = [Said(text)]
        messages.read()
    assert client.told == ["What", " time", " is"]
    ear.opened[0].news = [Said("What time is it?", is_whole=True, is_final=True)]
    messages.read()
    await telling
    assert "".join(client.told) == "What time is it?" == client.completed[0]
    assert client.answered == 1
    assert not messages.are_settling


async def test_parts_that_are_known_are_told_before_the_last_one_is() -> None:
    client, ear, words = Client(), Ear(), TurnWords()
    listener: Any = client
    messages = SpokenMessages(listener, None)  # type: ignore[arg-type]
    lent: Any = ear
    words.open(lent, 0)
    words.open(lent, 100)
    messages.settle("item_1", words)
    ear.opened[0].news = [Said("A long story.", is_whole=True, is_final=True)]
    messages.read()
    ear.opened[1].news = [Said("And")]
    messages.read()
    assert client.told == ["A long story."]
    messages.read()
    assert client.told == ["A long story."], "nothing new, nothing told"
