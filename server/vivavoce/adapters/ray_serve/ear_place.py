"""A place at the Ears for one who is heard: asked for once, held at one Ear or another until the block is left.

Without it others would be let in whenever somebody is silent, and all of them would be heard late when they speak. It
is lent for a while and taken anew before it ends, so that an Ear that is to go is free soon, one that was lost is
replaced, and new Ears get their part of those who are there already. Knows no Ray. Used by `remote_listener.py`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from vivavoce.adapters.ray_serve.asking import asked_of_another
from vivavoce.adapters.ray_serve.ears import RemoteEars
from vivavoce.assistant.conversation_place import REST_S
from vivavoce.errors import EngineCrashed, EngineTimeout, VivaVoceError
from vivavoce.recognition.listener import HearingRequest

RENEW_S: Final = 10.0  # a place is taken anew that often

logger = logging.getLogger(__name__)


class EarPlace:
    """Made by `held`.

    Args:
        request: with a `ResolvedModel`.
        live: somebody speaks now; False: a recording.
        rests: given back where nothing was heard for `REST_S`, and taken again when speech comes: a conversation.
        patience_s: an Ear that gives no sign of life for this long is lost.
        now: seconds that do not go back.
    """

    def __init__(
        self,
        ears: RemoteEars,
        request: HearingRequest,
        *,
        live: bool,
        rests: bool,
        patience_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ears, self._request, self._live, self._rests = ears, request, live, rests
        self._patience_s = patience_s
        self._now = now
        self._used_s = now()
        self._used = asyncio.Event()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[EarPlace]:
        """For the length of the block.

        Raises:
            ModelUnavailable, UnsupportedLanguage: If the model cannot do it.
            Overloaded: If there is no room.
            EngineError: If no Ear answers.
        """
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keeper = asyncio.create_task(self._keep(taken), name="place-at-an-ear")
        try:
            await taken
            yield self
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    def touch(self) -> None:
        """There is something to hear."""
        self._used_s = self._now()
        self._used.set()

    async def _keep(self, taken: asyncio.Future[None]) -> None:
        try:
            lent = await asked_of_another(lambda anywhere: self._take(begun=False, anywhere=anywhere))
        except Exception as error:
            if not taken.cancelled():
                taken.set_exception(error)
            return
        if not taken.cancelled():
            taken.set_result(None)
        try:
            while True:
                await asyncio.sleep(RENEW_S)
                if self._rests and self._now() - self._used_s >= REST_S:
                    await lent.aclose()
                    self._used.clear()
                    await self._used.wait()
                try:
                    renewed = await asked_of_another(lambda anywhere: self._take(begun=True, anywhere=anywhere))
                except VivaVoceError as error:  # what there is to hear is heard all the same, or fails by itself
                    logger.warning("a place at an Ear could not be taken anew: %s", error)
                    continue
                lent, before = renewed, lent
                await before.aclose()  # now, not earlier: whoever waits for room would have it
        finally:
            await lent.aclose()

    async def _take(self, *, begun: bool, anywhere: bool) -> AsyncGenerator[bool, None]:
        """A place that is held until what is returned is closed."""
        lent = self._ears.attend(self._request, live=self._live, begun=begun, anywhere=anywhere)
        is_held = False
        try:
            while not is_held:
                async with asyncio.timeout(self._patience_s):
                    is_held = await anext(lent)
        except StopAsyncIteration:
            raise EngineCrashed("the machine that was to listen gave no place") from None
        except TimeoutError:
            raise EngineTimeout(f"the machine that listens was silent for {self._patience_s:.0f} s") from None
        finally:
            if not is_held:
                await lent.aclose()
        return lent
