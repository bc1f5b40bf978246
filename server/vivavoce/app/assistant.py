"""Settings become the assistant: its chat model, its commands, and the sessions of the Realtime protocol."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from vivavoce.assistant.brain import Brain
from vivavoce.assistant.chat_model import ChatModel
from vivavoce.assistant.embedded_chat import EmbeddedChat
from vivavoce.assistant.listening import ListenerEars
from vivavoce.assistant.realtime import RealtimeSessions
from vivavoce.assistant.turn_ear import TurnEar
from vivavoce.assistant.voice_commands import VoiceCommands
from vivavoce.config import AssistantSettings
from vivavoce.engines import smollm
from vivavoce.engines.speech import VoiceInfo
from vivavoce.errors import ConfigError, VivaVoceError
from vivavoce.hosted.chat import HostedChat
from vivavoce.machine.admission import Kind
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import Listener
from vivavoce.synthesis.speaker import Speaker

INSTRUCTIONS = (
    "You are a friendly voice assistant. What you write is spoken: answer in one to three short sentences, in the "
    "language you are spoken to in, without lists, headings, links, emoji or code."
)
EMBEDDED: Final = Kind("chat", smollm.NAME, beside=True)  # it writes while it is spoken
_THREADS: Final = 1  # it is quick enough, and the other cores speak

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assistant:
    """The parts of the assistant that live as long as the server.

    Attributes:
        sessions: what the Realtime routes carry.
    """

    sessions: RealtimeSessions

    async def preload(self) -> None:
        """Load the chat model of this machine, if it is one that is loaded; a failure is logged and told when asked."""
        chat = self.sessions.brain.chat
        if isinstance(chat, EmbeddedChat):
            try:
                await chat.load()
            except VivaVoceError as error:
                logger.warning("the embedded chat model does not answer: %s", error)

    async def aclose(self) -> None:
        """Free the chat model."""
        if self.sessions.brain.chat is not None:
            await self.sessions.brain.chat.aclose()


def build_assistant(
    settings: AssistantSettings,
    speaker: Speaker,
    listener: Listener | None,
    metrics: Metrics,
    admissions: Admissions | None,
    own_voices: Callable[[], Sequence[VoiceInfo]],
    *,
    unread_s: float = 2.0,
) -> Assistant:
    """The assistant of a server.

    Args:
        listener: None: it reads and speaks, but does not listen.
        admissions: of the machine: a conversation enters it as a whole; None: it computes nothing here.
        own_voices: those that this machine computes; the others cost it nothing.
        unread_s: a conversation whose client takes nothing for this long gives its place to others until it does.

    Raises:
        ConfigError: If the settings cannot work.
    """
    commands = None if settings.voice_commands == "none" else VoiceCommands.load(settings.commands_file())
    chat = open_chat(settings, admissions)
    brain = Brain(chat=chat, commands=commands, instructions=settings.instructions or INSTRUCTIONS)

    def voice_kinds(voice: str) -> Sequence[Kind]:
        info = speaker.choose(voice).info
        own = any(each.id == info.id and each.engine == info.engine for each in own_voices())
        return (Kind(info.engine, info.id),) if own else ()

    sessions = RealtimeSessions(
        speaker=speaker,
        brain=brain,
        metrics=metrics,
        admissions=admissions,
        voice_kinds=voice_kinds,
        brain_kinds=(EMBEDDED,) if isinstance(chat, EmbeddedChat) else (),
        unread_s=unread_s,
    )
    if listener is not None:
        ears = ListenerEars(listener)
        sessions = dataclasses.replace(sessions, make_ear=lambda owner, carrier: TurnEar(ears, owner, carrier))
    return Assistant(sessions)


def open_chat(settings: AssistantSettings, admissions: Admissions | None = None) -> ChatModel | None:
    """The chat model that the settings name: at an address, the embedded one, or none.

    Args:
        admissions: told what the embedded one costs.

    Raises:
        ConfigError: If the settings cannot work.
    """
    if settings.chat_url:
        if settings.chat_model in ("embedded", "none"):
            raise ConfigError("chat_url needs the name of a model there: set chat_model")
        return HostedChat(settings.chat_url, settings.chat_model, settings.chat_key)
    if settings.chat_model == "none" or (settings.chat_model == "embedded" and not smollm.is_installed()):
        return None
    if settings.chat_model != "embedded":
        raise ConfigError(f"chat_model is '{settings.chat_model}', but chat_url does not say where it is")

    def measured(core_s: float, spoken_s: float) -> None:
        if admissions is not None:
            admissions.measured(EMBEDDED, core_s, spoken_s)

    return EmbeddedChat(lambda: smollm.SmolLM(threads=_THREADS), smollm.NAME, measured=measured, threads=_THREADS)
