"""A place at an Ear: given back where a conversation rests, and taken again without asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from vivavoce.adapters.ray_serve import ear_place
from vivavoce.adapters.ray_serve.ear_place import EarPlace
from vivavoce.assistant.conversation_place import REST_S
from vivavoce.errors import EngineCrashed, EngineTimeout, ModelUnavailable, Overloaded, VivaVoceError
from vivavoce.recognition.listener import HearingRequest


class OnlyPlaces:
    """`RemoteEars` that give places and hear nothing.

    Attributes:
        asked: for each that was asked for, whether its owner had been heard already.
        held: at the moment.
        errors: of the next that are asked for; None: it is given.
        signs: of life before each.
    """

    def __init__(self, *errors: VivaVoceError | None, signs: int = 0) -> None:
        self.asked: list[bool] = []
        self.held = 0
        self.errors = [*errors]
        self.signs = signs
        self.changed = asyncio.Event()

    async def attend(
        self, request: HearingRequest, *, live: bool, begun: bool, anywhere: bool
    ) -> AsyncGenerator[bool, None]:
        self.asked.append(begun)
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        for _ in range(self.signs):
            yield False
        self._hold(1)
        try:
            yield True
        finally:
            self._hold(-1)

    async def until_held(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.held != count:
                self.changed.clear()
                await self.changed.wait()

    def _hold(self, more: int) -> None:
        self.held += more
        self.changed.set()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def place(ears: Any, *, rests: bool = False, clock: Clock | None = None, patience_s: float = 20.0) -> EarPlace:
    now = clock or Clock()
    return EarPlace(ears, HearingRequest(), live=True, rests=rests, patience_s=patience_s, now=now)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear_place, "RENEW_S", 0.0)


async def test_a_conversation_that_rests_gives_it_back_and_gets_it_again() -> None:
    ears, clock = OnlyPlaces(), Clock()
    async with place(ears, rests=True, clock=clock).held() as held:
        await ears.until_held(1)
        clock.now_s = REST_S
        await ears.until_held(0)
        asked = len(ears.asked)
        held.touch()
        await ears.until_held(1)
        assert ears.asked[asked] is True, "whoever was heard before is not asked to wait"
    assert ears.held == 0


async def test_who_came_alone_keeps_it_however_long_the_silence() -> None:
    ears, clock = OnlyPlaces(), Clock()
    async with place(ears, clock=clock).held():
        clock.now_s = 10 * REST_S
        asked = len(ears.asked)
        async with asyncio.timeout(20):
            while len(ears.asked) < asked + 3:
                assert ears.held > 0
                await asyncio.sleep(0)
    assert ears.held == 0


async def test_a_model_that_is_being_loaded_is_waited_for() -> None:
    ears = OnlyPlaces(signs=3)
    async with place(ears).held():
        assert ears.held == 1
        assert ears.asked == [False]


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ((Overloaded("full"), None), None),
        ((Overloaded("full"), Overloaded("full")), Overloaded),
        ((EngineCrashed("gone"), None), None),
        ((EngineCrashed("gone"), EngineCrashed("gone")), EngineCrashed),
        ((ModelUnavailable("none", param="model"),), ModelUnavailable),
    ],
)
async def test_who_is_full_or_lost_is_passed_over_once(
    errors: tuple[VivaVoceError | None, ...], told: type[VivaVoceError] | None
) -> None:
    ears = OnlyPlaces(*errors)
    if told is None:
        async with place(ears).held():
            assert ears.asked[:2] == [False, False]
    else:
        with pytest.raises(told):
            async with place(ears).held():
                pass
    assert ears.held == 0


async def test_an_ear_that_says_nothing_is_not_waited_for_for_ever() -> None:
    class Silent(OnlyPlaces):
        async def attend(self, *args: Any, **wishes: Any) -> AsyncGenerator[bool, None]:
            await asyncio.Event().wait()
            yield True

    with pytest.raises(EngineTimeout):
        async with place(Silent(), patience_s=0.01).held():
            pass


async def test_whoever_leaves_while_asking_holds_nothing() -> None:
    class Slow(OnlyPlaces):
        async def attend(self, *args: Any, **wishes: Any) -> AsyncGenerator[bool, None]:
            self._hold(1)
            try:
                await asyncio.Event().wait()
                yield True
            finally:
                self._hold(-1)

    ears = Slow()

    async def ask() -> None:
        async with place(ears).held():
            pass

    asking = asyncio.create_task(ask())
    await ears.until_held(1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert ears.held == 0
    assert "place-at-an-ear" not in {task.get_name() for task in asyncio.all_tasks()}
