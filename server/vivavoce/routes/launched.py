"""Models that clients have launched: voices loaded at their wish, under a name of their choosing, until they end it.

A launch loads into memory what is on this machine and keeps a name for it; ending it takes the name away, and the voice
out of memory where nobody else launched it and it does not speak by default. What a client launches is its own. Used by
`launching.py`, and by the speech routes for the names.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from vivavoce.errors import (
    EngineError,
    InvalidRequest,
    NotFound,
    RateLimited,
    UnknownModel,
    VivaVoceError,
    VoiceUnavailable,
)
from vivavoce.progress import Progress

logger = logging.getLogger(__name__)

MAX_LAUNCHED = 64
MAX_OF_ONE = 16  # owner
RETRY_AFTER_S = 2.0
_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

State = Literal["LOADING", "READY", "ERROR"]


class NotLaunched(NotFound):
    """No such model was launched."""

    status = 400  # what Xinference's clients expect

    def __init__(self, uid: str) -> None:
        printable = "".join(c for c in uid[:64] if c.isprintable())
        super().__init__(f"Model not found in the model list, uid: {printable}", param="model_uid")


class StillLoading(VoiceUnavailable):
    """The model is being loaded."""

    retryable = True


class Launchable(Protocol):
    """One kind of model that can be launched.

    Attributes:
        ability: what Xinference's clients call it.
    """

    ability: str

    def find(self, name: str) -> str | None:
        """The id of the model that a name means; None where it is none of this kind. May look at the disk.

        Raises:
            VivaVoceError: If it is known and cannot be had; the sentence says what helps.
        """
        ...

    async def load(self, model_id: str, progress: Progress) -> None:
        """Bring it into memory."""
        ...

    async def unload(self, model_id: str) -> None:
        """Let it leave memory, unless it is what speaks or listens where nothing is named."""
        ...


@dataclass(slots=True)
class Launched:
    """One launch of a model, and how far its loading is.

    Attributes:
        uid: the client's name for it.
        model_id: what speaks or listens.
        progress: 0..1 of the loading.
    """

    uid: str
    model_id: str
    kind: Launchable
    owner: str
    created: int
    state: State = "LOADING"
    stage: str = ""
    progress: float = 0.0
    error: VivaVoceError | None = None
    loading: asyncio.Task[None] | None = field(default=None, repr=False)


class LaunchedModels:
    """All launches of this process. `aclose` at the end."""

    def __init__(self, kinds: Sequence[Launchable]) -> None:
        self._kinds = tuple(kinds)
        self._launched: dict[tuple[str, str], Launched] = {}  # by owner and uid: nobody takes a name from another

    async def launch(self, name: str, uid: str | None, owner: str, *, wait: bool) -> Launched:
        """Load a model and give it a name; the same launch again is the same model.

        Args:
            uid: the name wanted; None: the model's own.
            wait: until it is loaded.

        Raises:
            UnknownModel: If there is no such model.
            InvalidRequest: If the name is another launch's of this owner, or no name.
            RateLimited: If the owner has launched too many.
            VivaVoceError: What loading raises.
        """
        kind, model_id = await asyncio.to_thread(self._find, name)
        uid = uid or model_id
        if not _UID.fullmatch(uid):
            raise InvalidRequest("model_uid has letters, digits, dot, - and _", param="model_uid")
        known = self._launched.get((owner, uid))
        if known is not None and known.model_id != model_id:
            raise InvalidRequest("that model_uid is taken", param="model_uid")
        if known is None or known.state == "ERROR":
            self._make_room(owner)
            known = self._launched[owner, uid] = Launched(uid, model_id, kind, owner, int(time.time()))
            known.loading = asyncio.create_task(self._load(known), name="launch")
        if wait and known.loading is not None:
            await asyncio.wait({known.loading})
            if known.error is not None:
                self._drop(known)
                raise known.error
        return known

    async def end(self, uid: str, owner: str) -> None:
        """Take a launch back, in the middle of loading too.

        Raises:
            NotLaunched: If this owner launched no such model.
        """
        launched = self.of(uid, owner)
        self._drop(launched)
        if launched.loading is not None:
            launched.loading.cancel()
        if not any(other.model_id == launched.model_id for other in self._launched.values()):
            await launched.kind.unload(launched.model_id)

    def of(self, uid: str, owner: str) -> Launched:
        """A launch of this owner.

        Raises:
            NotLaunched: If there is none.
        """
        launched = self._launched.get((owner, uid))
        if launched is None:
            raise NotLaunched(uid)
        return launched

    def all(self, owner: str) -> list[Launched]:
        """What this owner has launched."""
        return [launched for launched in self._launched.values() if launched.owner == owner]

    def model_of(self, name: str, owner: str) -> str:
        """The model that a name means, where it is one of this owner's launches; else the name."""
        launched = self._launched.get((owner, name))
        return launched.model_id if launched is not None else name

    def loaded_model_of(self, name: str, owner: str) -> str:
        """The same, for who asks whether it is ready.

        Raises:
            StillLoading: If it is not yet.
        """
        launched = self._launched.get((owner, name))
        if launched is not None and launched.state == "LOADING":
            raise StillLoading(f"the model is being loaded: {launched.progress:.0%}", retry_after_s=RETRY_AFTER_S)
        return self.model_of(name, owner)

    async def aclose(self) -> None:
        """Stop what is being loaded."""
        loading = [launched.loading for launched in self._launched.values() if launched.loading is not None]
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)

    def _find(self, name: str) -> tuple[Launchable, str]:
        for kind in self._kinds:
            if (model_id := kind.find(name)) is not None:
                return kind, model_id
        raise UnknownModel(name, ["GET /v1/model_registrations/audio lists them"])

    def _drop(self, launched: Launched) -> None:
        """Forget it, unless its name is another launch's by now. Any number of times."""
        if self._launched.get((launched.owner, launched.uid)) is launched:
            del self._launched[launched.owner, launched.uid]

    def _make_room(self, owner: str) -> None:
        if len(self.all(owner)) >= MAX_OF_ONE or len(self._launched) >= MAX_LAUNCHED:
            raise RateLimited(f"{MAX_OF_ONE} models are launched already; terminate one first")

    async def _load(self, launched: Launched) -> None:
        def told(what: str, fraction: float) -> None:  # from the loader's thread
            launched.stage, launched.progress = what, min(max(fraction, 0.0), 1.0)

        try:
            await launched.kind.load(launched.model_id, told)
        except VivaVoceError as error:
            launched.state, launched.error = "ERROR", error
        except Exception as error:  # nothing waits for a model for ever
            logger.error("model '%s' could not be launched: %s", launched.model_id, type(error).__name__)
            launched.state, launched.error = "ERROR", EngineError("the model could not be loaded; the log says why")
        else:
            launched.state, launched.progress = "READY", 1.0
