"""What is loaded: voices and recognizers in one memory budget, each loaded once and shared by all who use it.

A model in use is never unloaded; the one that was used least recently leaves first. A load that fails is remembered for
a while, so that nobody waits for it again and it can be told. Loading runs in threads that die with the process: the
way out waits for none of them. Knows nothing of what it holds. On the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from vivavoce.errors import VivaVoceError

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30.0
MAX_LOADS = 8  # at once; one that prepares its model for half a minute holds up nobody before that


class Sized(Protocol):
    """What the budget needs to know of a model."""

    @property
    def memory_bytes(self) -> int: ...


M = TypeVar("M", bound=Sized)


@dataclass(slots=True)
class _Resident(Generic[M]):
    """A model in memory."""

    model: M
    unload: Callable[[M], None]
    users: int = 0
    last_used_s: float = 0.0
    freed: bool = False

    def free(self) -> None:
        """Unload it in a thread: unmapping some hundred megabytes takes longer than the event loop has."""
        self.freed = True
        threading.Thread(target=self.unload, args=(self.model,), name="unloader", daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Failure:
    """A load that failed, and until when nobody tries again."""

    error: VivaVoceError
    until_s: float


class Residents(Generic[M]):
    """Models in memory, by key.

    Args:
        budget_bytes: of all of them together. What is in use counts and stays, so it may be exceeded.
        clock: monotonic, in seconds.
    """

    def __init__(self, budget_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget_bytes = budget_bytes
        self._clock = clock
        self._residents: dict[Hashable, _Resident[M]] = {}
        self._loading: dict[Hashable, asyncio.Future[_Resident[M]]] = {}
        self._failures: dict[Hashable, _Failure] = {}  # as many as there are keys to ask for
        self._loads = asyncio.Semaphore(MAX_LOADS)

    def __len__(self) -> int:
        """Models in memory."""
        return len(self._residents)

    def loaded(self) -> list[Hashable]:
        """Keys of the models in memory."""
        return list(self._residents)

    def is_loaded(self, key: Hashable) -> bool:
        """True when `hold` would not wait."""
        return key in self._residents

    def is_loading(self, key: Hashable) -> bool:
        """True while somebody waits for it."""
        return key in self._loading

    def failure(self, key: Hashable) -> VivaVoceError | None:
        """Why it could not be loaded; None where it was, or was not tried lately."""
        failure = self._failures.get(key)
        return failure.error if failure is not None and self._clock() < failure.until_s else None

    def has_failed(self, key: Hashable) -> bool:
        """True when it was tried and could not be loaded, however long ago; its next load may succeed."""
        return key in self._failures

    @asynccontextmanager
    async def hold(
        self, key: Hashable, load: Callable[[], M], unload: Callable[[M], None] = lambda model: None
    ) -> AsyncIterator[M]:
        """The model, in memory for the length of the block.

        Args:
            load: makes it, in a thread; called once for all who wait for it.
            unload: frees it, in a thread, when it leaves and nobody uses it.

        Raises:
            VivaVoceError: If it cannot be loaded, or could not a moment ago.
        """
        while (resident := await self._resident(key, load, unload)).freed:  # it left before its turn came: once more
            pass
        resident.users += 1
        try:
            yield resident.model
        finally:
            resident.users -= 1
            resident.last_used_s = self._clock()
            if resident.users == 0 and self._residents.get(key) is not resident:  # forgotten while it was used
                resident.free()
            self._make_room()

    def forget(self, key: Hashable) -> None:
        """Drop a model, or the memory of its failure; whoever uses it finishes with it."""
        self._failures.pop(key, None)
        self._loading.pop(key, None)  # who waits for it gets it, whoever comes later loads anew
        resident = self._residents.pop(key, None)
        if resident is not None and resident.users == 0:
            resident.free()

    async def _resident(self, key: Hashable, load: Callable[[], M], unload: Callable[[M], None]) -> _Resident[M]:
        if (resident := self._residents.get(key)) is not None:
            return resident
        if (error := self.failure(key)) is not None:
            raise error.with_traceback(None)
        if (loading := self._loading.get(key)) is None:
            loading = self._loading[key] = asyncio.ensure_future(self._load(key, load, unload))
            loading.add_done_callback(_retrieved)
        return await asyncio.shield(loading)

    async def _load(self, key: Hashable, load: Callable[[], M], unload: Callable[[M], None]) -> _Resident[M]:
        try:
            async with self._loads:
                resident = _Resident(await in_thread(load, name="loader"), unload, last_used_s=self._clock())
        except VivaVoceError as error:
            self._failures[key] = _Failure(error, self._clock() + RETRY_AFTER_S)
            raise
        finally:
            is_current = self._loading.get(key) is asyncio.current_task()
            if is_current:
                del self._loading[key]
        if is_current:
            self._failures.pop(key, None)
            self._residents[key] = resident
            self._make_room(keep=key)
        return resident

    def _make_room(self, keep: Hashable = None) -> None:
        """Let idle models go, least recently used first, until the rest fits."""
        idle = sorted((r.last_used_s, n, k) for n, (k, r) in enumerate(self._residents.items()) if r.users == 0)
        for _, _, key in idle:
            if sum(r.model.memory_bytes for r in self._residents.values()) <= self._budget_bytes:
                return
            if key != keep and self._residents[key].model.memory_bytes:
                logger.info("%s left memory to make room", key)
                self._residents.pop(key).free()


async def in_thread(work: Callable[[], Any], *, name: str) -> Any:
    """The result of `work` in a thread of its own, which the process does not wait for at its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        result: Any = None
        failed: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


def _retrieved(loading: asyncio.Future[Any]) -> None:
    """A load whose last waiter was cancelled has failed unheard: it is remembered, not reported by asyncio."""
    if not loading.cancelled():
        loading.exception()
