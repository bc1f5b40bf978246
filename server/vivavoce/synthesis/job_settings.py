"""How one utterance is to be made; a value that the `Synthesizer` fills in and the workers read."""

from __future__ import annotations

from dataclasses import dataclass

from vivavoce.engines.speech import SpeechOptions


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How an utterance is to be made.

    Attributes:
        options: how to say it.
        sample_rate: Hz of the chunks it delivers.
        ahead_s: unread audio it may hold.
        paced: wait also when further than `ahead_s` ahead of the listener's clock.
        live: somebody listens; False: it is made in what time the others leave.
        first_audio_target_s: how soon after its text the first sound is due.
    """

    options: SpeechOptions
    sample_rate: int
    ahead_s: float
    paced: bool = False
    live: bool = True
    first_audio_target_s: float = 0.3
