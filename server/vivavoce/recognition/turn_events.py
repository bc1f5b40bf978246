"""What the turn detector hears, what it tells, and how patient it is: plain values.

Positions (`start_s`, `end_s`) count seconds of the sound that came in, from the first sample of the connection on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FRAME_S: Final = 0.032  # what one probability of the speech detector stands for


# -- heard -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frames:
    """How probably each of the next 32 ms holds speech."""

    probabilities: tuple[float, ...]  # 0..1 each


@dataclass(frozen=True, slots=True)
class Verdict:
    """How probably the speaker was finished at a soft end, as a model of intonation judges it."""

    soft_end: int
    finished: float  # 0..1


@dataclass(frozen=True, slots=True)
class Words:
    """What a recognizer understood of the turn so far; empty where it listened and understood nothing.

    Attributes:
        turn: the turn that they belong to; None: heard outside of any, while the assistant speaks.
        text: all words of the turn.
        soft_end: the soft end up to which it listened; None: a partial result in mid-speech.
        closed: 0..1, how surely the recognizer ends the sentence with them; None: it does not tell.
        marked: 0..1, how surely it does so with a full stop, or a question or exclamation mark.
        language: ISO 639-1 code, where it is known.
    """

    turn: int | None
    text: str
    soft_end: int | None = None
    closed: float | None = None
    language: str = ""
    marked: float | None = None


@dataclass(frozen=True, slots=True)
class AssistantSpeaks:
    """The assistant's sound begins, or goes on with other words.

    Attributes:
        text: what sounds about now, to tell its echo from an interruption; the last few seconds of it are enough.
    """

    text: str = ""


@dataclass(frozen=True, slots=True)
class AssistantFalls:
    """The assistant's sound has ended, as far as its listener is concerned."""


TurnInput = Frames | Verdict | Words | AssistantSpeaks | AssistantFalls


# -- told ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UserBegins:
    """Somebody began to speak.

    Attributes:
        turn: counts from 0; every one ends exactly once, in `TurnEnds`, `FalseAlarm` or `BackChannel`.
        start_s: where the turn's sound begins, with some sound from before the speech.
        interrupts: the assistant was speaking: it has to fall silent now.
    """

    turn: int
    start_s: float
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class SoftEnd:
    """A short silence: perhaps the end. Time to recognize, to judge (`Verdict`), and to think ahead."""

    turn: int
    soft_end: int  # counts through the whole connection
    end_s: float  # where the silence began


@dataclass(frozen=True, slots=True)
class UserResumes:
    """It was not the end: whatever was begun at the soft end is void."""

    turn: int
    soft_end: int


@dataclass(frozen=True, slots=True)
class TurnEnds:
    """The user has finished and may be answered."""

    turn: int
    end_s: float


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """That was no turn: too short, without words, or the assistant's own voice. What it interrupted may go on."""

    turn: int
    end_s: float
    reason: Literal["short", "wordless", "echo"]


@dataclass(frozen=True, slots=True)
class BackChannel:
    """The user only showed that he listens ("uh-huh"). What it interrupted may go on."""

    turn: int
    end_s: float


@dataclass(frozen=True, slots=True)
class UserIsIdle:
    """Nothing was said for long after the assistant had finished."""

    start_s: float
    end_s: float


TurnEvent = UserBegins | SoftEnd | UserResumes | TurnEnds | FalseAlarm | BackChannel | UserIsIdle


# -- patience --------------------------------------------------------------------------------------------------------

Eagerness = Literal["low", "medium", "high", "auto"]
_MAX_SILENCE_S: Final[dict[Eagerness, float]] = {"low": 8.0, "medium": 4.0, "high": 2.0, "auto": 4.0}  # OpenAI's
_EAGER: Final[dict[Eagerness, float]] = {"low": -1.0, "medium": 0.0, "high": 1.0, "auto": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOptions:
    """When somebody speaks, and when he has finished.

    Attributes:
        threshold: probability from which a frame is speech; 0.15 less ends it.
        padding_s: sound from before the speech that belongs to the turn.
        silence_s: a silence this long ends the turn, whatever anybody judges.
        judged: end earlier where verdict and words say that the turn is over; see `patience.py`.
        eager: added to the log odds that it is.
        soft_end_s: silence after which the turn may have ended.
        certain_s: silence after which a turn that is surely over has ended.
        unjudged_s: a verdict that is not there after this long (by the clock) is not waited for.
        unworded_s: the same for words.
        onset_s: speech that begins a turn.
        interrupting_s: speech that begins one while the assistant speaks.
        interrupting_threshold: added to the threshold while it does: loudspeakers are heard by microphones.
        settle_s: so long after the assistant's very first sound only words interrupt it: echo cancellers adapt.
        interrupting_words: words of a partial result that interrupt at once.
        shortest_s: speech in a turn shorter than this is a noise.
        longest_s: a turn is ended after this long.
        wordless_s: an interruption that nobody understands a word of is a false alarm after this long, by the clock.
        stalled_s: sound that does not come for this long, by the clock, counts as silence.
        idle_s: tell when nothing was said so long after the assistant fell silent; None: never.
    """

    threshold: float = 0.5
    padding_s: float = 0.3
    silence_s: float = 4.0
    judged: bool = True
    eager: float = 0.0
    soft_end_s: float = 0.064
    certain_s: float = 0.2
    unjudged_s: float = 0.8
    unworded_s: float = 0.8
    onset_s: float = 0.128
    interrupting_s: float = 0.192  # six frames: seven would be counted for 0.2, and silence come 32 ms later
    interrupting_threshold: float = 0.2
    settle_s: float = 2.0
    interrupting_words: int = 2
    shortest_s: float = 0.15
    longest_s: float = 120.0
    wordless_s: float = 2.0
    stalled_s: float = 1.0
    idle_s: float | None = None

    @classmethod
    def server_vad(
        cls, *, threshold: float = 0.5, padding_s: float = 0.3, silence_s: float = 0.5, idle_s: float | None = None
    ) -> TurnOptions:
        """Turns end after a fixed silence, as OpenAI's `server_vad` does."""
        return cls(threshold=threshold, padding_s=padding_s, silence_s=silence_s, judged=False, idle_s=idle_s)

    @classmethod
    def semantic_vad(cls, eagerness: Eagerness = "auto") -> TurnOptions:
        """Turns end when they sound and read finished, as OpenAI's `semantic_vad`; 8, 4 or 2 s are waited at most."""
        return cls(silence_s=_MAX_SILENCE_S[eagerness], eager=_EAGER[eagerness])
