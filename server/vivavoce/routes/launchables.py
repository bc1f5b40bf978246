"""What can be launched by name: the voices of this server, and what is known but has to be fetched first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from vivavoce.errors import ModelUnavailable, UnknownModel, VivaVoceError, VoiceUnavailable
from vivavoce.models.catalogue import CATALOGUE, OPENAI_NAMES, KnownModel
from vivavoce.progress import Progress
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.synthesis.speaker import VoiceKeeper

CHAT_TTS = "chattts"
GIB = 1024


class LaunchableVoices:
    """Voices, by their ids in any case; ChatTTS is the voice of its engine."""

    ability = "text2audio"

    def __init__(self, voices: VoiceKeeper) -> None:
        self._voices = voices

    def find(self, name: str) -> str | None:
        wanted = name.strip().lower()
        known = {voice.id: voice for voice in self._voices.voices()}
        if wanted == CHAT_TTS and wanted not in known:
            raise VoiceUnavailable(
                "ChatTTS needs its extra and its engine: pip install 'vivavoce[chattts]', then "
                "the setting engines = genie,embedded,chattts",
                param="model_name",
            )
        return wanted if wanted in known else None

    async def load(self, model_id: str, progress: Progress) -> None:
        await self._voices.load_voice(model_id, progress)

    async def unload(self, model_id: str) -> None:
        if model_id not in await asyncio.to_thread(self._kept):
            self._voices.forget(model_id)

    def _kept(self) -> set[str | None]:
        """Voices that stay whoever ends a launch: the default, and those loaded at start."""
        return {self._voices.default_id(), *(voice.id for voice in self._voices.voices() if voice.preload)}


class LaunchableRecognizers:
    """Models that hear, by any name that means one that is here; OpenAI's names always mean the default."""

    ability = "audio2text"

    def __init__(self, listener: ModelKeeper) -> None:
        self._listener = listener

    def find(self, name: str) -> str | None:
        if name in OPENAI_NAMES:
            return None
        try:
            info = self._listener.choose(name).info
        except UnknownModel:
            return None
        if info.problem is not None:
            raise ModelUnavailable(f"model '{info.id}' is not available: {info.problem}", param="model_name")
        return info.id

    async def load(self, model_id: str, progress: Progress) -> None:
        await self._listener.load_model(model_id, progress)

    async def unload(self, model_id: str) -> None:
        if model_id != (await asyncio.to_thread(self._listener.choose)).info.id:
            self._listener.forget(model_id)


Fetch = Callable[[KnownModel, Progress], None]  # blocking; brings a model to this machine


class KnownElsewhere:
    """Models of the catalogue that are not here: brought at launch where a setting allows it, one at a time.

    Args:
        listener: loads what was brought.
        fetch: None: nothing is brought, and the refusal names the command that does it.
    """

    ability = "audio2text"

    def __init__(self, listener: ModelKeeper, fetch: Fetch | None = None) -> None:
        self._listener = listener
        self._fetch = fetch
        self._one = asyncio.Lock()

    def find(self, name: str) -> str | None:
        model = next((known for known in CATALOGUE.values() if known.name.lower() == name.strip().lower()), None)
        if model is None:
            return None
        if self._fetch is not None and model.form == "ctranslate2":  # others are converted, perhaps from pickles
            return model.name
        raise VoiceUnavailable(f"{model.name} is not on this machine; {how_to_get(model)}", param="model_name")

    async def load(self, model_id: str, progress: Progress) -> None:
        """Bring it, then have it in memory; cancelled, it stops at the next block of the download.

        Raises:
            ModelUnavailable: If it cannot be had.
        """
        assert self._fetch is not None
        async with self._one:
            await _stoppable(self._fetch, CATALOGUE[model_id], progress)
        await self._listener.load_model(model_id, progress)

    async def unload(self, model_id: str) -> None:
        self._listener.forget(model_id)


class _Stopped(BaseException):
    """Nobody wants the model any more; no `except Exception` on the way takes it for a broken connection."""


async def _stoppable(fetch: Fetch, model: KnownModel, progress: Progress) -> None:
    """Fetch in a thread, which notices that it is cancelled when it next tells of its progress."""
    stopped = threading.Event()

    def told(what: str, fraction: float) -> None:
        if stopped.is_set():
            raise _Stopped
        progress(what, fraction)

    fetching = asyncio.ensure_future(asyncio.to_thread(fetch, model, told))
    try:
        await asyncio.shield(fetching)
    except VivaVoceError as error:
        raise ModelUnavailable(f"{model.name} could not be fetched: {error.message}", param="model_name") from error
    finally:
        stopped.set()
        await asyncio.wait({fetching})  # what it writes is nobody else's until then
        if not fetching.cancelled():
            fetching.exception()  # seen


def how_to_get(model: KnownModel) -> str:
    """The command that fetches a model, with its size and licence."""
    size = f"{model.mib / GIB:.1f} GiB" if model.mib >= GIB else f"{model.mib} MiB"
    return f"`vivavoce models pull {model.name}` fetches it ({size}, {model.licence}, {model.repository})"
