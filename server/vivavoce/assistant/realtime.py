"""Realtime sessions, ready to be carried: who speaks, who thinks, who listens, and what a client may set.

Called by the Realtime routes; the carriers get what `prepare` returns and know no session.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vivavoce.assistant.brain import Brain
from vivavoce.assistant.conversation_place import ConversationPlace
from vivavoce.assistant.ear import Ear
from vivavoce.assistant.realtime_session import RealtimeConversation
from vivavoce.errors import UnknownModel, VivaVoceError
from vivavoce.machine.admission import Kind
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics
from vivavoce.protocols.realtime.session import Limits, RealtimeSession
from vivavoce.protocols.realtime.session_config import SessionConfig
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker

DEFAULT_MODEL = "assistant"
_READING_MODELS = ("tts", "gpt-4o-mini-tts")  # names of models that speak what they are given


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeSessions:
    """Makes one session for each connection.

    Attributes:
        chat: finds the words.
        make_ear: (owner, carrier) makes what listens to one connection; None: this server does not listen.
        admissions: where a conversation gets its room; None: each piece of work is admitted by itself.
        voice_kinds: what a voice costs this machine, by its name.
        brain_kinds: what thinking costs it.
        unread_s: see `ConversationPlace`.
    """

    speaker: Speaker
    brain: Brain
    metrics: Metrics
    make_ear: Callable[[str, str], Ear] | None = None
    limits: Limits = field(default_factory=Limits)
    admissions: Admissions | None = None
    voice_kinds: Callable[[str], Sequence[Kind]] = lambda voice: ()
    brain_kinds: Sequence[Kind] = ()
    unread_s: float = 2.0

    def default_config(self, model: str | None = None, *, transcription: bool = False) -> SessionConfig:
        """The settings of a new connection.

        Args:
            model: as the client names it; a voice's name makes that voice speak what it is given.
            transcription: only words are wanted.
        """
        if transcription:
            return SessionConfig(type="transcription", model=model or "")
        name = model or DEFAULT_MODEL
        return SessionConfig(model=name, voice=name if self._is_voice(name) else "default")

    def check(self, config: SessionConfig) -> None:
        """Refuse a configuration that this server cannot serve.

        Raises:
            UnknownVoice: If there is no such voice.
        """
        if config.type == "realtime":
            self.speaker.choose(config.voice)

    def prepare(self, owner: str, config: SessionConfig) -> Callable[[Carrier], RealtimeConversation]:
        """What a carrier calls once it can say what it offers.

        Args:
            owner: whose connection it is, for admission.
            config: before the client's first update.
        """

        def carry(carrier: Carrier) -> RealtimeConversation:
            session = RealtimeSession(new_session_id(), config, self.limits, check=self.check)
            ear = self.make_ear(owner, carrier.name) if self.make_ear is not None else None
            brain = Brain(
                chat=self.brain.chat,
                commands=self.brain.commands,
                reads=self.reads,
                instructions=self.brain.instructions,
            )
            return RealtimeConversation(
                session,
                carrier,
                self.speaker,
                brain,
                ear,
                owner=owner,
                metrics=self.metrics,
                place=self._place(session, ear, owner),
            )

        return carry

    def _place(self, session: RealtimeSession, ear: Ear | None, owner: str) -> ConversationPlace | None:
        """Room for one conversation, with all that it will compute."""
        if self.admissions is None:
            return None

        async def kinds() -> Sequence[Kind]:
            speaks = session.config.type == "realtime"
            spoken = (*self.voice_kinds(session.config.voice), *self.brain_kinds) if speaks else ()
            return (*spoken, *await _heard_kinds(ear))

        return ConversationPlace(self.admissions, owner, kinds, unread_s=self.unread_s)

    def reads(self, model: str) -> bool:
        """Whether a model of that name speaks what it is given."""
        return model.startswith(_READING_MODELS) or self._is_voice(model)

    def _is_voice(self, model: str) -> bool:
        if model == DEFAULT_MODEL or model.startswith("gpt-"):
            return False
        try:
            return bool(self.speaker.choose(model))
        except VivaVoceError:
            return False


async def _heard_kinds(ear: Ear | None) -> Sequence[Kind]:
    """What listening costs; a model that does not exist costs nothing, and is refused when it is to hear something."""
    try:
        return await ear.kinds() if ear is not None else ()
    except UnknownModel:
        return ()


def new_session_id() -> str:
    """An id that nobody guesses."""
    return f"sess_{secrets.token_hex(12)}"
