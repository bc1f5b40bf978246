"""When somebody elsewhere is asked what was said, called off, or asked again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import EngineCrashed, EngineError
from vivavoce.machine.admission import Kind
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.recognition.distant_hearer import DistantHearer, DistantWork, Question

KIND = Kind("elsewhere", "desk")
SECOND = np.full(16_000, 0.25, np.float32)
NOW = 1.0  # a deadline that is none of "when there is room"


class Elsewhere:
    """Answers when the test says so: the number of samples it heard."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.questions: list[Question] = []
        self.called_off = 0
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()

    async def ask(self, question: Question) -> Heard:
        self.questions.append(question)
        self.asked.append(len(question.sound))
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.called_off += 1
            raise
        if self.error is not None:
            raise self.error
        return Heard(str(len(question.sound)), is_whole=True, is_final=False, language="en")


class Books:
    """Where costs are told.

    Attributes:
        seconds: of sound that was heard.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        assert (kind, core_s) == (KIND, 0.0)
        self.seconds += real_s


def unforeseen(error: Exception) -> EngineCrashed:
    return EngineCrashed(type(error).__name__)


@asynccontextmanager
async def working(
    *, glances: bool = False, books: Books | None = None
) -> AsyncIterator[tuple[Elsewhere, DistantWork, asyncio.Event]]:
    there, woken = Elsewhere(), asyncio.Event()
    async with DistantHearer.opened(KIND, there.ask, unforeseen=unforeseen, glances=glances) as hearer:
        yield there, hearer.begin(HearingOptions(), books or Books(), woken.set, live=True), woken


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_draft_that_was_right_is_the_result_and_asked_once() -> None:
    books = Books()
    async with working(books=books) as (there, work, woken):
        work.hear(SECOND, "draft", NOW)
        await turn()
        work.hear(SECOND[:0], "end", NOW)
        there.may_answer.set()
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", True)]
        assert there.asked == [16_000]
    assert books.seconds == 1.0


async def test_a_draft_that_was_answered_before_the_end_came() -> None:
    async with working() as (there, work, woken):
        there.may_answer.set()
        work.hear(SECOND, "draft", NOW)
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", False)]
        work.hear(SECOND[:0], "end", NOW)
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", True)]
        assert there.asked == [16_000]


async def test_speech_that_goes_on_calls_the_draft_off() -> None:
    async with working() as (there, work, woken):
        work.hear(SECOND, "draft", NOW)
        await turn()
        work.hear(SECOND, "end", NOW)
        await turn()
        there.may_answer.set()
        await woken.wait()
        assert [h.text for h in work.take()] == ["32000"]
        assert (there.asked, there.called_off) == ([16_000, 32_000], 1)


async def test_a_glance_asks_nothing_where_each_question_has_its_price() -> None:
    async with working() as (there, work, _):
        work.hear(SECOND, "draft", WHEN_THERE_IS_ROOM)
        await turn()
        assert there.asked == []
        assert not work.is_idle(), "so nobody asks for more of them"


async def test_a_glance_is_asked_without_hurry_and_asked_again_where_it_matters() -> None:
    async with working(glances=True) as (there, work, woken):
        assert work.is_idle()
        work.hear(SECOND, "draft", WHEN_THERE_IS_ROOM)
        await turn()
        assert not work.is_idle()
        work.hear(SECOND[:0], "draft", WHEN_THERE_IS_ROOM)
        await turn()
        assert [question.due_in_s for question in there.questions] == [WHEN_THERE_IS_ROOM], "one glance is enough"
        work.hear(SECOND[:0], "end", NOW)
        await turn()
        assert [question.due_in_s for question in there.questions] == [WHEN_THERE_IS_ROOM, 0.0]
        assert there.called_off == 1
        there.may_answer.set()
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16000", True)]
        assert work.is_idle()


async def test_beginnings_of_the_words_are_told_and_are_never_final() -> None:
    async with working() as (there, work, woken):
        work.hear(SECOND, "end", NOW)
        await turn()
        there.questions[0].begins(Heard("16", is_whole=False, is_final=True, language="en"))
        await woken.wait()
        assert [(h.text, h.is_final) for h in work.take()] == [("16", False)]


async def test_a_draft_that_failed_is_asked_again_when_it_matters() -> None:
    async with working() as (there, work, woken):
        there.error = EngineError("busy")
        there.may_answer.set()
        work.hear(SECOND, "draft", NOW)
        await turn()
        assert work.take() == []
        there.error = None
        work.hear(SECOND[:0], "end", NOW)
        await woken.wait()
        assert [h.is_final for h in work.take()] == [True]
        assert there.asked == [16_000, 16_000]


@pytest.mark.parametrize("error", [EngineCrashed("gone"), KeyError("odd")])
async def test_a_failure_at_the_end_is_told(error: Exception) -> None:
    async with working() as (there, work, woken):
        there.error = error
        there.may_answer.set()
        work.hear(SECOND, "end", NOW)
        await woken.wait()
        with pytest.raises(EngineCrashed, match="KeyError" if isinstance(error, KeyError) else "gone"):
            work.take()


async def test_leaving_calls_off() -> None:
    async with working() as (there, work, _):
        work.hear(SECOND, "end", NOW)
        await turn()
    assert there.called_off == 1
    async with working() as (there, work, _):
        work.hear(SECOND, "end", NOW)
        await turn()
        work.close()
        work.close()
        await turn()
        assert there.called_off == 1
