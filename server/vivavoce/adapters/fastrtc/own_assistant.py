"""The assistant of an application that is no Viva Voce server: who listens, thinks and speaks, on this machine."""

from __future__ import annotations

from vivavoce.app.assistant import build_assistant
from vivavoce.app.services import services_of_this_machine
from vivavoce.assistant.realtime import RealtimeSessions
from vivavoce.config import Config
from vivavoce.metrics import Metrics


class OwnAssistant:
    """For the handlers of one application; lives on its event loop.

    Args:
        config: voices, models, chat model; None: as `vivavoce serve` would find them.

    Attributes:
        sessions: for a `ConversationHandler`.
    """

    sessions: RealtimeSessions

    def __init__(self, config: Config | None = None) -> None:
        chosen, metrics = config or Config(), Metrics()
        self._services = services_of_this_machine(chosen, metrics)
        speaker, listener = self._services.speaker, self._services.listener
        admissions = self._services.admissions
        self._assistant = build_assistant(chosen.assistant, speaker, listener, metrics, admissions, speaker.voices)
        self.sessions = self._assistant.sessions

    async def preload(self) -> None:
        """Have the voice, the recognizer and the chat model in memory before the first conversation."""
        await self._services.speaker.preload()
        await self._services.listener.preload()
        await self._assistant.preload()

    async def aclose(self) -> None:
        """Free everything; its conversations have ended."""
        await self._services.listener.aclose()
        await self._services.speaker.aclose()
        await self._assistant.aclose()
