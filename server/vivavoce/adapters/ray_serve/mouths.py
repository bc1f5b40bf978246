"""What a Door knows of the Mouths: a border, whoever carries the calls, and the values that cross it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

from vivavoce.engines.speech import SpeechOptions, SpokenClip, VoiceInfo
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpokenChunk
from vivavoce.synthesis.voice_choice import VoiceNames
from vivavoce.text.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the Mouths can speak with; all of them have the same voice packs.

    Attributes:
        default: id of the voice that speaks where none is named.
        reserved: names that no new voice may have.
        is_ready: a request sent now, which names no voice, is spoken at once.
    """

    voices: tuple[VoiceInfo, ...] = ()
    default: str | None = None
    names: VoiceNames = field(default_factory=VoiceNames)
    reserved: frozenset[str] = frozenset()
    is_ready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence to be spoken by whichever Mouth has room.

    Attributes:
        options: with a seed of the whole utterance, where one was asked for.
        sample_rate: Hz of its chunks.
        ahead_s, paced, owner, transport: as in `SpeechRequest`.
        buffered_s: seconds of sound that the listener still has from before it.
        begun: its utterance is being heard: it is not refused for want of room.
        anywhere: those that have the voice loaded are full: whoever has room loads it.
        whole: the text that it is the first sentence of; what is left out of it is told before the sound.
    """

    voice: ResolvedVoice
    sentence: Sentence
    options: SpeechOptions
    sample_rate: int
    ahead_s: float
    paced: bool
    owner: str
    transport: str
    buffered_s: float = 0.0
    begun: bool = False
    anywhere: bool = False
    whole: str | None = None


class Mouths(Protocol):
    """All Mouths of a cluster. Every call goes to one of them, but `forget`."""

    async def catalogue(self) -> Catalogue:
        """What one of them can speak with."""
        ...

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        """See `Synthesizer.prepare`. Raises likewise."""
        ...

    def say(self, line: Line) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        """Speak a sentence: times and places of its words count from the utterance's text and this sentence's sound.

        Closing the generator stops the work.

        Returns:
            Its chunks; before them, of a `whole` text, what was found out about it.

        Raises:
            EmptyInput, TextTooLong, UnspeakableText: If the `whole` text cannot be spoken, or nothing of the sentence.
            Overloaded: Before the first chunk, if that Mouth has no room.
            EngineError: If it failed, or was lost.
        """
        ...

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        """See `VoiceKeeper.study`: what one of them has learned is good for all. Raises likewise."""
        ...

    async def load_voice(self, voice_id: str) -> None:
        """Have it in memory somewhere.

        Raises:
            UnknownVoice, VoiceUnavailable: If that cannot be.
        """
        ...

    async def forget(self, voice_id: str) -> None:
        """Drop a voice everywhere."""
        ...
