"""Speech that is no message yet: which stretches of sound a recognizer is asked for, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from vivavoce.assistant.ear import Heard, LentEar
from vivavoce.assistant.heard_parts import LONG, LONGEST
from vivavoce.assistant.open_speech import OpenSpeech
from vivavoce.audio.chunk import Samples
from vivavoce.recognition.turn_events import SoftEnd, TurnEnds, UserBegins, Words

RATE = 16_000


@dataclass
class Said:
    text: str
    is_whole: bool = True
    is_final: bool = False
    language: str = "en"
    closed: float | None = 0.9
    marked: float | None = None


@dataclass
class Stretch:
    start: int
    drafts: list[int] = field(default_factory=list)
    end: int | None = None
    dropped: bool = False
    news: list[Heard] = field(default_factory=list)

    def draft(self, end: int) -> None:
        self.drafts.append(end)

    def finish(self, end: int) -> None:
        self.end = end

    def drop(self) -> None:
        self.dropped = True

    def take(self) -> Sequence[Heard]:
        news, self.news = self.news, []
        return news


class FakeEar:
    def __init__(self) -> None:
        self.opened: list[Stretch] = []

    def write(self, samples: Samples) -> None: ...

    async def changed(self) -> None: ...

    def frames(self) -> list[float]:
        return []

    def open(self, start: int) -> Stretch:
        self.opened.append(Stretch(start))
        return self.opened[-1]

    async def judge(self, start: int, end: int) -> float:
        return 1.0


@pytest.fixture
def ear() -> FakeEar:
    return FakeEar()


@pytest.fixture
def speech(ear: FakeEar) -> OpenSpeech:
    lent: LentEar = ear
    return OpenSpeech(lent)


def test_a_soft_end_asks_for_the_words_and_a_little_silence(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.begin(1.0)
    assert speech.soften(SoftEnd(0, 1, 2.0), written=3 * RATE) == range(RATE, 2 * RATE + 1024)
    assert ear.opened[0].drafts == [2 * RATE + 1024]
    assert speech.soften(SoftEnd(0, 2, 3.0), written=3 * RATE) == range(RATE, 3 * RATE), "never more than there is"


def test_silence_without_speech_asks_for_nothing(speech: OpenSpeech, ear: FakeEar) -> None:
    assert speech.soften(SoftEnd(0, 1, 2.0), written=3 * RATE) is None
    assert not ear.opened


def test_words_tell_which_silence_they_reach_up_to(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.begin(0.0)
    speech.soften(SoftEnd(0, 7, 1.0), written=2 * RATE)
    assert speech.take(3) is None
    ear.opened[0].news = [Said("half", is_whole=False)]
    assert speech.take(3) is None
    ear.opened[0].news = [Said("all of it")]
    assert speech.take(3) == Words(3, "all of it", 7, 0.9, "en")
    speech.resume()
    speech.glance(2 * RATE)
    ear.opened[0].news = [Said("all of it and more")]
    assert speech.take(3) == Words(3, "all of it and more", None, 0.9, "en")


def test_an_interruption_is_looked_at_every_0_7_s(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.begin(0.0)
    for written in range(0, 3 * 11_200, 512):
        speech.glance(written)
    assert ear.opened[0].drafts == [11_264, 22_528]


@pytest.mark.parametrize(
    ("length", "silent", "cut"), [(LONG, False, False), (LONG, True, True), (LONGEST, False, True)]
)
def test_long_speech_is_heard_in_parts(speech: OpenSpeech, ear: FakeEar, length: int, silent: bool, cut: bool) -> None:
    speech.begin(0.0)
    if silent:
        speech.soften(SoftEnd(0, 1, (length - 2048) / RATE), written=length)
    speech.cut_if_long(length)
    assert [part.start for part in ear.opened] == ([0, length - 1024 if silent else length] if cut else [0])
    assert ear.opened[0].end == (ear.opened[1].start if cut else None)


def test_a_turn_becomes_a_message_and_what_follows_is_the_next_ones(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.follow(UserBegins(1, 0.5, False), written=RATE)
    speech.follow(TurnEnds(1, 1.5), written=2 * RATE)
    words = speech.hand_over()
    assert [part.start for part in words.parts] == [RATE // 2]
    assert ear.opened[0].end == round(1.5 * RATE) + 1024
    speech.begin(3.0)
    assert [part.start for part in words.parts] == [RATE // 2]


def test_what_does_not_count_is_dropped(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.begin(0.0)
    speech.drop()
    assert ear.opened[0].dropped
    assert speech.soft is None
    assert speech.hand_over().parts == []


def test_long_speech_that_is_cut_at_a_silence_still_tells_its_words(speech: OpenSpeech, ear: FakeEar) -> None:
    speech.begin(0.0)
    speech.soften(SoftEnd(0, 7, 12.0), written=13 * RATE)
    speech.cut_if_long(13 * RATE)
    assert ear.opened[0].end is not None
    ear.opened[0].news = [Said("all of it", is_final=True)]
    assert speech.take(3) == Words(3, "all of it", 7, 0.9, "en")
    speech.resume()
    ear.opened[1].news = [Said("more")]
    assert speech.take(3) == Words(3, "all of it more", None, 0.9, "en")
