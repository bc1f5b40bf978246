"""Which voices exist and which are in memory: names to loaded voices, shared by every stream that speaks with them.

Loading and unloading is `machine/memory.py`'s part, shared with the recognizers. A voice whose load failed, or that
fails whatever it is asked to say, is listed as one that cannot speak, and is no default. Called by the synthesizer and
by the routes that list voices.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from vivavoce.engines.speech import SpeechEngine, Voice, VoiceInfo
from vivavoce.errors import UnknownVoice, VivaVoceError, VoiceUnavailable
from vivavoce.machine.admission import Kind
from vivavoce.machine.health import Health
from vivavoce.machine.memory import Residents
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.speaker import ResolvedVoice
from vivavoce.synthesis.voice_choice import DEFAULT, OPENAI_VOICES, OURSELVES, VoiceNames, choose, default_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedVoice:
    """A voice in memory with the engine that speaks it."""

    engine: SpeechEngine
    voice: Voice
    info: VoiceInfo

    @property
    def kind(self) -> Kind:
        """What its streams cost alike."""
        return Kind(self.engine.name, self.info.id)


class VoiceLibrary:
    """The voices of all engines: listed, chosen, loaded and forgotten.

    Args:
        engines: in order of preference; the first that knows a name speaks it.
        default: id of the voice that answers to "default" and to OpenAI's names while it can speak; None: the first
            that can.
        residents: the memory they are loaded into.
        names: what other names mean.

    Attributes:
        health: of the voices, by engine and id.
    """

    def __init__(
        self,
        engines: Sequence[SpeechEngine],
        *,
        default: str | None,
        residents: Residents[Any],
        metrics: Metrics,
        names: VoiceNames = VoiceNames(),  # noqa: B008  # frozen
    ) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._default = default
        self.names = names
        self.health = Health()
        self._loop: asyncio.AbstractEventLoop | None = None  # where voices are loaded and forgotten
        self._residents = residents
        self._metrics = metrics

    # -- names

    def list(self) -> list[VoiceInfo]:
        """Every voice of every engine, unavailable ones included; the first engine wins where two share an id.

        A voice that has gone from disk leaves memory, too.
        """
        seen: dict[str, VoiceInfo] = {}
        for engine in self._engines.values():
            for info in engine.voices():
                seen.setdefault(info.id, self._with_failure(info))
        self._forget_gone({key[1] for key in self._keys()} - set(seen))
        return [*seen.values()]

    def spoken_for(self) -> frozenset[str]:
        """Names that mean a voice to clients already: no new voice may have one."""
        reserved = {DEFAULT, "auto", OURSELVES, *self._engines, *self.names.aliases}
        return OPENAI_VOICES | reserved | {voice.id for voice in self.list()}

    def default_id(self) -> str | None:
        """Id of the voice that speaks where none is named: one that can."""
        return self._default_of(self.list())

    def is_ready(self) -> bool:
        """True when a request that names no voice is spoken: there is one, and nobody waits for it to be loaded."""
        info = next((v for v in self.list() if v.id == self.default_id()), None)
        return info is not None and not self._residents.is_loading((info.engine, info.id))

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        """Who speaks: see `voice_choice.choose`. Lists the voices once; may look at the disk."""
        voices = self.list()
        return choose(voices, voice, model, default=self._default_of(voices), names=self.names)

    def _default_of(self, voices: Sequence[VoiceInfo]) -> str | None:
        """A voice whose load failed is tried again by who names it; who names none is not made to try."""
        sound = [each for each in voices if not self._residents.has_failed((each.engine, each.id))]
        return default_of(sound, self._default) or default_of(voices, self._default)

    def _forget_gone(self, gone: set[str]) -> None:
        """On the event loop, wherever the listing ran."""
        for voice_id in gone:
            if self._loop is None or _running_loop() is self._loop:
                self.forget(voice_id)
            else:
                self._loop.call_soon_threadsafe(self.forget, voice_id)

    # -- loading

    @asynccontextmanager
    async def acquire(self, voice: ResolvedVoice | str, progress: Progress | None = None) -> AsyncIterator[LoadedVoice]:
        """The voice, loaded and kept in memory for the length of the block.

        Raises:
            UnknownVoice: If there is no such voice.
            VoiceUnavailable: If it cannot be loaded.
        """
        self._loop = asyncio.get_running_loop()
        info = (voice if isinstance(voice, ResolvedVoice) else self.choose(voice)).info
        if info.problem is not None:
            raise VoiceUnavailable(f"voice '{info.id}' is not available: {info.problem}", param="voice")
        engine = self._engines[info.engine]

        def load() -> Voice:
            started_s = time.monotonic()
            try:
                loaded = engine.load_voice(info.id, progress)
            except VivaVoceError:
                raise
            except Exception as error:  # whatever a loader raises, the other voices keep speaking
                logger.exception("voice '%s' could not be loaded", info.id)
                raise VoiceUnavailable(
                    f"voice '{info.id}' cannot be loaded; the log says why", param="voice"
                ) from error
            self._metrics.voice_load.observe(time.monotonic() - started_s)
            return loaded

        async with self._residents.hold((info.engine, info.id), load, engine.unload_voice) as loaded:
            self._metrics.voices_loaded.set(len(self._keys()))
            yield LoadedVoice(engine, loaded, info)
        self._metrics.voices_loaded.set(len(self._keys()))

    def to_preload(self) -> Sequence[VoiceInfo]:
        """The default voice, those marked for it and those that other names mean, the default first."""
        default, meant = self.default_id(), self._meant()
        marked = [v for v in self.list() if v.problem is None and (v.preload or v.id == default or v.id in meant)]
        return sorted(marked, key=lambda info: info.id != default)

    def _meant(self) -> set[str]:
        return {meant.partition("/")[0].casefold() for meant in self.names.aliases.values()}

    def misnamed(self) -> dict[str, str]:
        """Names of the settings that mean a voice which cannot speak now, each with the reason."""
        found: dict[str, str] = {}
        for name, meant in self.names.aliases.items():
            try:
                info = self.choose(name).info
            except UnknownVoice as error:
                found[name] = f"'{meant}': {error.message}"
                continue
            if info.problem is not None:
                found[name] = f"'{meant}', which is not available: {info.problem}"
        return found

    def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed from disk or replaced; running streams finish with it."""
        for name in self._engines:
            self._residents.forget((name, voice_id))
            self.health.forget((name, voice_id))
        self._metrics.voices_loaded.set(len(self._keys()))

    def close(self) -> None:
        """Free everything; no stream is open."""
        for _, voice_id in self._keys():
            self.forget(voice_id)

    def _keys(self) -> Sequence[tuple[str, str]]:
        """(engine, voice) of those in memory."""
        found = (key for key in self._residents.loaded() if isinstance(key, tuple) and key[0] in self._engines)
        return [(engine, voice) for engine, voice in found]

    def _with_failure(self, info: VoiceInfo) -> VoiceInfo:
        """What is known of a voice, a load that failed lately included, and a voice that does not work."""
        key = (info.engine, info.id)
        failure = self._residents.failure(key) or self.health.problem(key)
        return info if failure is None else dataclasses.replace(info, problem=failure.message)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
