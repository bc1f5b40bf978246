"""What can be launched by name: the voices of this server, and what is known but has to be fetched first."""

from __future__ import annotations

from vivavoce.errors import ModelUnavailable, UnknownModel, VoiceUnavailable
from vivavoce.models.catalogue import CATALOGUE, OPENAI_NAMES, KnownModel
from vivavoce.recognition.listener import ModelKeeper
from vivavoce.routes.launched import Progress
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

    def unload(self, model_id: str) -> None:
        if model_id != self._voices.default_id():
            self._voices.forget(model_id)


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

    def unload(self, model_id: str) -> None:
        if model_id != self._listener.choose().info.id:
            self._listener.forget(model_id)


class KnownElsewhere:
    """Models of the catalogue that are not here."""

    ability = "audio2text"

    def find(self, name: str) -> str | None:
        model = next((known for known in CATALOGUE.values() if known.name.lower() == name.strip().lower()), None)
        if model is None:
            return None
        raise VoiceUnavailable(f"{model.name} is not on this machine; {how_to_get(model)}", param="model_name")

    async def load(self, model_id: str, progress: Progress) -> None:
        raise AssertionError("nothing is found, nothing is loaded")

    def unload(self, model_id: str) -> None:
        raise AssertionError("nothing is loaded")


def how_to_get(model: KnownModel) -> str:
    """The command that fetches a model, with its size and licence."""
    size = f"{model.mib / GIB:.1f} GiB" if model.mib >= GIB else f"{model.mib} MiB"
    return f"`vivavoce models pull {model.name}` fetches it ({size}, {model.licence}, {model.repository})"
