"""One admission for a whole conversation: what it costs, how long it is held, who is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from vivavoce.assistant.conversation_place import REST_S, ConversationPlace
from vivavoce.errors import Overloaded, ShuttingDown
from vivavoce.machine.admission import Admission, Kind
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics

VOICE, EAR, DETECTOR = Kind("engine", "voice"), Kind("recognizer", "base"), Kind("detector", "speech", beside=True)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Machine:
    """Two cores: a voice that needs 0.5 of one, a recognizer that needs 0.7, a detector that needs 0.02."""

    def __init__(self) -> None:
        self.books = Admission(cores=2, max_streams=100, max_streams_per_owner=100, first_audio_target_s=0.3)
        for kind, cost in ((VOICE, 0.5), (EAR, 0.7), (DETECTOR, 0.02)):
            self.books.measured(kind, cost, 1.0)
        self.admissions = Admissions(self.books, wait_s=0.01, max_waiting=8, metrics=Metrics())
        self.clock = Clock()

    def conversation(self, owner: str = "somebody") -> ConversationPlace:
        async def kinds() -> Sequence[Kind]:
            return (VOICE, EAR, DETECTOR)

        return ConversationPlace(self.admissions, owner, kinds, now=self.clock)


@pytest.fixture
def machine() -> Machine:
    return Machine()


async def test_it_pays_the_dearer_of_speaking_and_listening_and_the_detector(machine: Machine) -> None:
    place = machine.conversation()
    assert machine.books.load() == 0.0
    held = await place.take()
    assert await place.take() is held
    assert machine.books.load() == pytest.approx(0.72)


async def test_a_third_on_two_cores_is_refused_with_a_sentence(machine: Machine) -> None:
    first, second, third = (machine.conversation(owner) for owner in "abc")
    await first.take()
    await second.take()
    with pytest.raises(Overloaded, match="at capacity"):
        await third.take()
    assert third.refused is not None
    assert not third.is_held
    assert await first.take()  # in mid-dialogue nobody is


async def test_what_was_spoken_in_it_is_measured_in_the_books(machine: Machine) -> None:
    held = await machine.conversation().take()
    held.measured(VOICE, 2.0, 1.0)
    held.ran_dry(machine.clock())
    assert machine.books.load() == pytest.approx(0.8 + 0.02)  # 0.5 and a fifth of the way to 2.0


async def test_after_a_rest_others_may_have_the_room(machine: Machine) -> None:
    first, second, third = (machine.conversation(owner) for owner in "abc")
    await first.take()
    await second.take()
    machine.clock.now_s += REST_S - 1
    second.touch()
    machine.clock.now_s += 2
    await first.rest()
    await second.rest()
    assert (first.is_held, second.is_held) == (False, True)
    await third.take()
    with pytest.raises(Overloaded):
        await first.take()


async def test_a_long_answer_is_no_rest(machine: Machine) -> None:
    place = machine.conversation()
    await place.take()
    with place.working():
        machine.clock.now_s += 10 * REST_S
        await place.rest()
        assert place.is_held
    await place.rest()
    assert place.is_held
    machine.clock.now_s += REST_S
    await place.rest()
    assert not place.is_held
    await place.take()
    assert place.is_held


async def test_one_whose_client_takes_nothing_makes_room_and_may_end_while_the_server_drains(machine: Machine) -> None:
    first, second, third = (machine.conversation(owner) for owner in "abc")
    await second.take()
    await first.take()
    with first.working():
        await first.leave()
        assert not first.is_held
        async with asyncio.timeout(5):
            assert await third.take()
        await third.leave()
        machine.books.draining.begin()
        assert await first.take()
    with pytest.raises(ShuttingDown):
        await machine.conversation("d").take()


async def test_it_is_given_back_with_its_conversation(machine: Machine) -> None:
    place = machine.conversation()
    await place.take()
    task = asyncio.create_task(place.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert machine.books.load() == 0.0


async def test_work_that_may_be_for_nothing_waits_for_room(machine: Machine) -> None:
    first, second = machine.conversation("a"), machine.conversation("b")
    assert not first.may_hurry
    await first.take()
    await second.take()
    assert first.may_hurry
    machine.books.share = 0.6  # of two cores: less than what was admitted
    assert not first.may_hurry
