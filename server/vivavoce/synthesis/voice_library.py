"""Which voices exist and which are in memory: names to loaded voices, shared by every stream that speaks with them.

Loading runs in a thread of its own; requests for the same voice share one load; idle voices leave, least recently
used first, when the memory budget is reached. Called by the synthesizer and by the routes that list voices.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from vivavoce.engines.speech import SpeechEngine, Voice, VoiceInfo
from vivavoce.errors import UnknownVoice, VoiceUnavailable
from vivavoce.machine.admission import Kind
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import ResolvedVoice

logger = logging.getLogger(__name__)

# OpenAI's own voices: clients send them because their forms offer nothing else; the default voice answers.
OPENAI_VOICES = frozenset(
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()  # noqa: SIM905
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class LoadedVoice:
    """A voice in memory with the engine that speaks it and the reference asked for."""

    engine: SpeechEngine
    voice: Voice
    info: VoiceInfo
    reference: str | None

    @property
    def kind(self) -> Kind:
        """What its streams cost alike."""
        return Kind(self.engine.name, self.info.id)


@dataclass(slots=True)
class _Entry:
    engine: SpeechEngine
    voice: Voice
    users: int = 0
    last_used_s: float = field(default_factory=time.monotonic)


class VoiceLibrary:
    """Voices by name.

    Args:
        engines: in order of preference; the first that knows a name speaks it.
        default: id of the voice that answers to "default" and to OpenAI's names; None: the first available one.
        memory_bytes: budget of loaded voices; what is in use is never thrown out.
    """

    def __init__(
        self, engines: Sequence[SpeechEngine], *, default: str | None, memory_bytes: int, metrics: Metrics
    ) -> None:
        self._engines = tuple(engines)
        self._default = default
        self._memory_bytes = memory_bytes
        self._metrics = metrics
        self._loaded: dict[tuple[str, str], _Entry] = {}
        self._loading: dict[tuple[str, str], asyncio.Future[Voice]] = {}
        self._failed: dict[tuple[str, str], str] = {}  # why a voice that looks right on disk could not be loaded
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice-loader")

    # -- names

    def list(self) -> list[VoiceInfo]:
        """Every voice of every engine, unavailable ones included; the first engine wins where two share an id.

        A voice that has gone from disk leaves memory, too. One whose last load failed says why until a load succeeds.
        """
        return [
            replace(info, problem=info.problem or self._failed.get((info.engine, info.id))) for info in self._found()
        ]

    def _found(self) -> Sequence[VoiceInfo]:
        """As the engines tell it: a voice that could not be loaded may have been repaired since."""
        seen: dict[str, VoiceInfo] = {}
        for engine in self._engines:
            for info in engine.voices():
                seen.setdefault(info.id, info)
        for voice_id in {loaded for _, loaded in self._loaded} - set(seen):
            self.forget(voice_id)
        return [*seen.values()]

    def spoken_for(self) -> frozenset[str]:
        """Names that mean a voice to clients already: no new voice may have one."""
        engines = (engine.name for engine in self._engines)
        return OPENAI_VOICES | {"default", "auto", "vivavoce", *engines, *(voice.id for voice in self.list())}

    def default_id(self) -> str | None:
        """Id of the voice that speaks where none is named."""
        voices = self.list()
        if self._default is not None and any(v.id == self._default for v in voices):
            return self._default
        return next((v.id for v in voices if v.problem is None), None)

    def knows(self, name: str) -> bool:
        """True when `name` (with or without a `/Reference`) is the id of a voice."""
        return any(v.id == name.partition("/")[0] for v in self._found())

    def resolve(self, name: str) -> ResolvedVoice:
        """The voice and reference that `name` means.

        Raises:
            UnknownVoice: If there is no such voice, or it has no such reference.
        """
        voice_id, slash, reference = name.partition("/")
        voices = {v.id: v for v in self._found()}
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
    async def acquire(self, voice: ResolvedVoice | str) -> AsyncIterator[LoadedVoice]:
        """The voice, loaded and kept in memory for the length of the block.

        Raises:
            UnknownVoice: If there is no such voice.
            VoiceUnavailable: If it cannot be loaded.
        """
        chosen = voice if isinstance(voice, ResolvedVoice) else self.resolve(voice)
        info = chosen.info
        key = (info.engine, info.id)
        entry = await self._entry(info)
        entry.users += 1
        try:
            yield LoadedVoice(entry.engine, entry.voice, info, chosen.reference)
        finally:
            entry.users -= 1
            entry.last_used_s = time.monotonic()
            if entry.users == 0 and self._loaded.get(key) is not entry:  # forgotten while it spoke
                entry.engine.unload_voice(entry.voice)

    async def preload(self, progress: Progress | None = None) -> None:
        """Load the default voice and those marked for it; one that fails is logged and left unavailable."""
        default = self.default_id()
        for info in self._found():
            if info.problem is None and (info.preload or info.id == default):
                try:
                    await self._entry(info, progress)
                except (VoiceUnavailable, UnknownVoice) as error:
                    named = error.message.startswith(f"voice '{info.id}'")
                    logger.warning("%s", error.message if named else f"voice '{info.id}' is not available: {error}")

    def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed from disk; running streams finish with it."""
        for key in [k for k in self._failed if k[1] == voice_id]:
            del self._failed[key]
        for key in [k for k in self._loaded if k[1] == voice_id]:
            entry = self._loaded.pop(key)
            if entry.users == 0:
                entry.engine.unload_voice(entry.voice)
        self._metrics.voices_loaded.set(len(self._loaded))

    def loaded_ids(self) -> tuple[str, ...]:
        """Ids of the voices in memory."""
        return tuple(voice_id for _, voice_id in self._loaded)

    def close(self) -> None:
        """Free everything; no stream is open."""
        self._loader.shutdown(wait=True, cancel_futures=True)
        for entry in self._loaded.values():
            entry.engine.unload_voice(entry.voice)
        self._loaded.clear()

    async def _entry(self, info: VoiceInfo, progress: Progress | None = None) -> _Entry:
        key = (info.engine, info.id)
        if info.problem is not None:
            raise VoiceUnavailable(f"voice '{info.id}' is not available: {info.problem}", param="voice")
        if (entry := self._loaded.get(key)) is not None:
            return entry
        engine = next(e for e in self._engines if e.name == info.engine)
        if (loading := self._loading.get(key)) is None:
            started = time.monotonic()
            loop = asyncio.get_running_loop()
            loading = self._loading[key] = loop.run_in_executor(self._loader, engine.load_voice, info.id, progress)
            loading.add_done_callback(lambda done: self._landed(key, engine, done, started))
        await asyncio.shield(loading)
        return self._loaded[key]

    def _landed(self, key: tuple[str, str], engine: SpeechEngine, done: asyncio.Future[Voice], started: float) -> None:
        del self._loading[key]
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            self._failed[key] = error.message if isinstance(error, VoiceUnavailable) else "it cannot be loaded"
            return
        self._failed.pop(key, None)
        self._loaded[key] = _Entry(engine, done.result())
        self._metrics.voice_load.observe(time.monotonic() - started)
        self._make_room(keep=key)
        self._metrics.voices_loaded.set(len(self._loaded))

    def _make_room(self, keep: tuple[str, str]) -> None:
        idle = sorted(
            (e.last_used_s, k) for k, e in self._loaded.items() if e.users == 0 and k != keep and e.voice.memory_bytes
        )
        for _, key in idle:
            if sum(e.voice.memory_bytes for e in self._loaded.values()) <= self._memory_bytes:
                return
            entry = self._loaded.pop(key)
            entry.engine.unload_voice(entry.voice)
            logger.info("voice '%s' left memory to make room", key[1])
