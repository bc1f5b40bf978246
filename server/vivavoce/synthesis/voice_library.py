"""Which voices exist and which are in memory: names to loaded voices, shared by every stream that speaks with them.

Loading and unloading is `machine/memory.py`'s part, shared with the recognizers. A voice whose load failed is listed as
one that cannot speak, and is no default. Called by the synthesizer and by the routes that list voices.
"""

from __future__ import annotations

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
from vivavoce.machine.memory import Residents
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.speaker import ResolvedVoice

logger = logging.getLogger(__name__)

# OpenAI's own voices: clients send them because their forms offer nothing else; the default voice answers.
OPENAI_VOICES = frozenset(
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()  # noqa: SIM905
)


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
    """Voices by name.

    Args:
        engines: in order of preference; the first that knows a name speaks it.
        default: id of the voice that answers to "default" and to OpenAI's names while it can speak; None: the first
            that can.
        residents: the memory they are loaded into.
    """

    def __init__(
        self, engines: Sequence[SpeechEngine], *, default: str | None, residents: Residents[Any], metrics: Metrics
    ) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._default = default
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
        for voice_id in {key[1] for key in self._keys()} - set(seen):
            self.forget(voice_id)
        return [*seen.values()]

    def spoken_for(self) -> frozenset[str]:
        """Names that mean a voice to clients already: no new voice may have one."""
        return OPENAI_VOICES | {"default", "auto", "vivavoce", *self._engines, *(voice.id for voice in self.list())}

    def default_id(self) -> str | None:
        """Id of the voice that speaks where none is named: one that can."""
        able = [v.id for v in self.list() if v.problem is None]
        return self._default if self._default in able else next(iter(able), None)

    def is_ready(self) -> bool:
        """True when a request that names no voice is spoken: there is one, and nobody waits for it to be loaded."""
        info = next((v for v in self.list() if v.id == self.default_id()), None)
        return info is not None and not self._residents.is_loading((info.engine, info.id))

    def knows(self, name: str) -> bool:
        """True when `name` (with or without a `/Reference`) is the id of a voice."""
        return any(v.id == name.partition("/")[0] for v in self.list())

    def resolve(self, name: str) -> ResolvedVoice:
        """The voice and reference that `name` means.

        Raises:
            UnknownVoice: If there is no such voice, or it has no such reference.
        """
        voice_id, slash, reference = name.partition("/")
        voices = {v.id: v for v in self.list()}
        if voice_id not in voices and (voice_id == "default" or voice_id in OPENAI_VOICES):
            voice_id = self.default_id() or voice_id
        info = voices.get(voice_id)
        if info is None:
            raise UnknownVoice(name, voices)
        if not slash:
            return ResolvedVoice(info)
        for known in info.references:
            if known.casefold() == reference.casefold():
                return ResolvedVoice(info, known)
        raise UnknownVoice(name, [f"{info.id}/{known}" for known in info.references])

    # -- loading

    @asynccontextmanager
    async def acquire(self, voice: ResolvedVoice | str, progress: Progress | None = None) -> AsyncIterator[LoadedVoice]:
        """The voice, loaded and kept in memory for the length of the block.

        Raises:
            UnknownVoice: If there is no such voice.
            VoiceUnavailable: If it cannot be loaded.
        """
        info = (voice if isinstance(voice, ResolvedVoice) else self.resolve(voice)).info
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
        """The default voice and those marked for it, the default first."""
        default = self.default_id()
        marked = [v for v in self.list() if v.problem is None and (v.preload or v.id == default)]
        return sorted(marked, key=lambda info: info.id != default)

    def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed from disk or replaced; running streams finish with it."""
        for name in self._engines:
            self._residents.forget((name, voice_id))
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
        """What is known of a voice, a load that failed lately included."""
        failure = self._residents.failure((info.engine, info.id))
        return info if failure is None else dataclasses.replace(info, problem=failure.message)
