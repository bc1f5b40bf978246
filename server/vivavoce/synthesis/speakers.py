"""Several speakers as one: the synthesizer, and whoever speaks besides it. Names are asked for in their order."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from vivavoce.engines.speech import VoiceInfo
from vivavoce.machine.admission import Place
from vivavoce.synthesis.speaker import ResolvedVoice, Speaker, SpeechRequest, Spoken


class Speakers:
    """A `Speaker` of all their voices.

    Args:
        first: answers for whatever is no voice of the others: "default", OpenAI's names, unknown ones.
        others: speak only when one of their voices is named; a name the first has already is the first's.
    """

    def __init__(self, first: Speaker, *others: Speaker) -> None:
        self._first = first
        self._others = others

    def voices(self) -> list[VoiceInfo]:
        """Every voice, each name once."""
        found: dict[str, VoiceInfo] = {}
        for speaker in (self._first, *self._others):
            for info in speaker.voices():
                found.setdefault(info.id, info)
        return [*found.values()]

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        """Who speaks: the voice that is named, or the one that `model` names, or whom the first chooses.

        Raises:
            UnknownVoice, UnknownModel: If nobody knows the name.
        """
        own = {info.id for info in self._first.voices()}
        for name in (voice, model):
            wanted = (name or "").strip().lower().partition("/")[0]
            if wanted in own:
                break
            for speaker in self._others:
                if any(info.id == wanted for info in speaker.voices()):
                    return speaker.choose(wanted)
        return self._first.choose(voice, model)

    def stream(self, request: SpeechRequest, place: Place | None = None) -> AbstractAsyncContextManager[Spoken]:
        """Speak with the speaker whose voice it is."""
        chosen = request.voice if isinstance(request.voice, ResolvedVoice) else self.choose(request.voice)
        for speaker in self._others:
            if any(info.id == chosen.info.id and info.engine == chosen.info.engine for info in speaker.voices()):
                return speaker.stream(request, place)
        return self._first.stream(request, place)
