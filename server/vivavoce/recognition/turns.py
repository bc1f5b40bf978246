"""Who has the floor: begins, soft ends and ends of the user's turns, from probabilities of speech.

Hears frames of the speech detector, verdicts of a model of intonation, words of a recognizer, and when the assistant
itself speaks; tells events. Pure: no clock, no model, no thread. How the frames were cut into calls changes nothing.
Silence is counted in sound, so that a file that comes faster than it plays is cut as if it were spoken; waiting for
verdicts and words is counted by the caller's clock, because those come when they come. How much silence is enough is
said by `patience.py`.

    quiet --onset--> speech --64 ms of silence--> soft end ---enough silence---> quiet, with one of three ends
                       ^---------speech----------'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, assert_never

from vivavoce.recognition.overheard import is_back_channel, is_echo, tokens
from vivavoce.recognition.patience import Evidence, patience_s, sureness
from vivavoce.recognition.speech_runs import SpeechRuns
from vivavoce.recognition.turn_events import (
    FRAME_S,
    AssistantFalls,
    AssistantSpeaks,
    BackChannel,
    FalseAlarm,
    Frames,
    SoftEnd,
    TurnEnds,
    TurnEvent,
    TurnInput,
    TurnOptions,
    UserBegins,
    UserIsIdle,
    UserResumes,
    Verdict,
    Words,
)

_TOLERANCE_S: Final = 1e-6  # sums of 32 ms are compared with it
_ECHO_TAIL_S: Final = 0.2  # so long after the assistant falls silent here loudspeakers still speak: players lag


@dataclass(slots=True)
class _Turn:
    """A turn that has begun and not ended."""

    number: int
    start_s: float  # with the padding
    begun_at_s: float  # by the clock
    interrupts: bool
    said: str  # what the assistant was saying when it began, or just before
    spoken_s: float  # sound that was speech
    soft_end: int | None = None  # of the silence that lasts
    soft_end_at_s: float = 0.0  # by the clock
    verdict: float | None = None
    words: str = ""
    words_of: int | None = None  # the soft end up to which they reach
    closed: float | None = None
    marked: float | None = None
    language: str = ""
    ended_at_s: float | None = None  # by the clock: the silence is certain, its words are waited for


class TurnDetector:
    """Tells where the turns of one speaker begin and end, from what is heard and the time.

    Args:
        options: how patient it is.
    """

    def __init__(self, options: TurnOptions) -> None:
        self._options = options
        self._sound = SpeechRuns()
        self._fed_at_s: float | None = None  # by the clock, when sound came last; moves on with a stall
        self._stalled = False
        self._turn: _Turn | None = None
        self._turns = 0
        self._soft_ends = 0
        self._ignoring = False  # this sound was found to be nothing; it has to end first
        self._floor_s = 0.0  # end of the last turn: the next one cannot begin before it
        self._assistant: str | None = None  # what it says; None: it is silent
        self._last_said = ""
        self._fell_s = 0.0  # where in the sound it fell silent
        self._first_sound_s: float | None = None  # by the clock
        self._idle_start_s: float | None = None
        self._idle_s = 0.0

    @property
    def heard_s(self) -> float:
        """Seconds of sound so far; all positions count from its beginning."""
        return self._sound.heard_s

    @property
    def turn(self) -> int | None:
        """The turn that has begun and not ended."""
        return self._turn.number if self._turn is not None else None

    def configure(self, options: TurnOptions) -> None:
        """Other options from the next frame on; a turn that has begun goes on."""
        self._options = options

    def feed(self, event: TurnInput, now_s: float) -> list[TurnEvent]:
        """Take what was heard, understood or judged.

        Args:
            event: see `turn_events`. What belongs to an earlier turn or soft end is ignored.
            now_s: the caller's clock; never goes back.
        """
        match event:
            case Frames(probabilities):
                self._fed_at_s, self._stalled = now_s, False
                return [told for each in probabilities for told in self._frame(each, now_s)]
            case Verdict(soft_end, finished):
                if self._turn is not None and self._turn.soft_end == soft_end:
                    self._turn.verdict = finished
                return self._judge(now_s)
            case Words():
                return self._understand(event, now_s)
            case AssistantSpeaks(text):
                self._assistant, self._idle_start_s = text, None
                self._first_sound_s = now_s if self._first_sound_s is None else self._first_sound_s
                return []
            case AssistantFalls():
                if self._assistant is not None:
                    self._last_said, self._fell_s = self._assistant, self._sound.heard_s
                    self._assistant, self._idle_start_s, self._idle_s = None, self._sound.heard_s, 0.0
                return []
            case _:
                assert_never(event)

    def tick(self, now_s: float) -> list[TurnEvent]:
        """Time has passed; to be called every 50 ms or so, whether or not sound comes."""
        told: list[TurnEvent] = []
        if self._fed_at_s is not None and (self._stalled or now_s - self._fed_at_s > self._options.stalled_s):
            self._stalled = True
            while now_s - self._fed_at_s >= FRAME_S and (self._turn is not None or self._idle_start_s is not None):
                self._fed_at_s += FRAME_S
                told += self._frame(0.0, now_s, real=False)
            if self._turn is None and self._idle_start_s is None:
                self._fed_at_s = now_s  # there is nothing that silence would end
        return told + self._judge(now_s)

    def end(self, now_s: float) -> list[TurnEvent]:
        """No more sound belongs to the turn that is open: the client committed or cleared it, or has gone."""
        return self._end(self._turn) if self._turn is not None else []

    # -- sound ---------------------------------------------------------------------------------------------------------

    def _frame(self, probability: float, now_s: float, *, real: bool = True) -> list[TurnEvent]:
        rise = self._options.interrupting_threshold if self._assistant is not None else 0.0
        speaks = self._sound.hear(probability, min(self._options.threshold + rise, 0.95), real=real)
        if self._turn is None:
            self._ignoring = self._ignoring and self._sound.quiet_s < self._options.certain_s
            return self._wait_for_onset(now_s)
        self._turn.spoken_s += FRAME_S if speaks else 0.0
        return self._follow(self._turn, now_s)

    def _wait_for_onset(self, now_s: float) -> list[TurnEvent]:
        options = self._options
        interrupts = self._assistant is not None
        needed_s = options.interrupting_s if interrupts else options.onset_s
        if (
            not self._ignoring
            and self._sound.run_s >= needed_s - _TOLERANCE_S
            and not (interrupts and self._settles(now_s))
        ):
            return [self._begin(now_s)]
        if options.idle_s is not None and self._idle_start_s is not None:
            self._idle_s = self._idle_s + FRAME_S if self._sound.run_s == 0.0 else 0.0
            if self._idle_s >= options.idle_s - _TOLERANCE_S:
                start_s, self._idle_start_s = self._idle_start_s, None
                return [UserIsIdle(start_s, self._sound.heard_s)]
        return []

    def _settles(self, now_s: float) -> bool:
        """Whether the echo canceller may still be learning this room."""
        return self._first_sound_s is not None and now_s - self._first_sound_s < self._options.settle_s

    def _begin(self, now_s: float) -> UserBegins:
        start_s = max(self._floor_s, self._sound.run_start_s - self._options.padding_s)
        lags = self._sound.run_start_s < self._fell_s + _ECHO_TAIL_S
        said, interrupts = self._assistant or (self._last_said if lags else ""), self._assistant is not None
        spoken_s = min(self._sound.run_s, self._sound.heard_s - self._floor_s)  # the last turn's speech was its own
        self._turn = _Turn(self._turns, start_s, now_s, interrupts, said, spoken_s)
        self._turns += 1
        self._idle_start_s = None
        return UserBegins(self._turn.number, start_s, interrupts)

    def _follow(self, turn: _Turn, now_s: float) -> list[TurnEvent]:
        told: list[TurnEvent] = []
        if self._sound.quiet_s == 0.0 and turn.soft_end is not None:
            told.append(UserResumes(turn.number, turn.soft_end))
            turn.soft_end, turn.verdict, turn.ended_at_s = None, None, None
        soft_s = min(self._options.soft_end_s, self._options.silence_s)
        if turn.soft_end is None and self._sound.quiet_s > 0.0 and self._sound.quiet_s >= soft_s - _TOLERANCE_S:
            turn.soft_end, turn.soft_end_at_s = self._soft_ends, now_s
            self._soft_ends += 1
            end_s = max(turn.start_s, self._sound.quiet_start_s)  # a click that words made a turn of is silence
            told.append(SoftEnd(turn.number, turn.soft_end, end_s))
        if self._sound.heard_s - turn.start_s >= self._options.longest_s:
            return told + self._end(turn)
        return told + self._judge(now_s)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _judge(self, now_s: float) -> list[TurnEvent]:
        """End the turn if it is time to."""
        turn = self._turn
        if turn is None or turn.soft_end is None:
            return []
        if turn.interrupts and turn.words_of != turn.soft_end and not self._is_meant(turn.words):
            return self._wait_for_words(turn, now_s)  # they decide whether it was a turn
        return self._end(turn) if self._is_over(turn, now_s) else []

    def _wait_for_words(self, turn: _Turn, now_s: float) -> list[TurnEvent]:
        options = self._options
        needed_s = min(options.certain_s, options.silence_s) if options.judged else options.silence_s
        if self._sound.quiet_s + _TOLERANCE_S < needed_s:
            return []
        turn.ended_at_s = now_s if turn.ended_at_s is None else turn.ended_at_s
        return self._close(turn, "wordless") if now_s - turn.ended_at_s >= options.wordless_s else []

    def _is_over(self, turn: _Turn, now_s: float) -> bool:
        options, quiet_s = self._options, self._sound.quiet_s + _TOLERANCE_S
        if quiet_s >= options.silence_s:
            return True
        if not options.judged or quiet_s < options.certain_s:
            return False
        waited_s, has_words = now_s - turn.soft_end_at_s, turn.words_of == turn.soft_end
        if turn.interrupts and has_words and not self._wants_floor(turn.words):
            return True
        if (turn.verdict is None and waited_s < options.unjudged_s) or (
            not has_words and waited_s < options.unworded_s
        ):
            return False
        known = Evidence(turn.verdict, turn.words if has_words else None, turn.language, turn.closed, turn.marked)
        return quiet_s >= patience_s(sureness(known) + options.eager, options.certain_s)

    @staticmethod
    def _wants_floor(words: str) -> bool:
        return bool(tokens(words)) and not is_back_channel(words)

    def _is_meant(self, words: str) -> bool:
        """Whether words interrupt, whatever follows them."""
        return len(tokens(words)) >= self._options.interrupting_words and not is_back_channel(words)

    def _end(self, turn: _Turn) -> list[TurnEvent]:
        """The turn's one end, by what is known of it now."""
        if turn.spoken_s < self._options.shortest_s - _TOLERANCE_S:
            return self._close(turn, "short")
        if turn.interrupts and turn.words_of is not None:
            if not tokens(turn.words):
                return self._close(turn, "wordless")
            if is_back_channel(turn.words):
                return self._close(turn, "back-channel")
        return self._close(turn, "turn")

    def _close(self, turn: _Turn, how: Literal["turn", "short", "wordless", "echo", "back-channel"]) -> list[TurnEvent]:
        sounds = turn.soft_end is None
        end_s = max(turn.start_s, self._sound.heard_s if sounds else self._sound.quiet_start_s)
        self._turn, self._floor_s = None, end_s
        self._ignoring = sounds and how not in ("turn", "short")
        if how == "turn":
            return [TurnEnds(turn.number, end_s)]
        if how == "back-channel":
            return [BackChannel(turn.number, end_s)]
        return [FalseAlarm(turn.number, end_s, how)]

    # -- words ---------------------------------------------------------------------------------------------------------

    def _understand(self, words: Words, now_s: float) -> list[TurnEvent]:
        turn = self._turn
        if turn is None:
            return self._interrupt_by_words(words, now_s)
        if words.turn != turn.number or words.soft_end not in (None, turn.soft_end):
            return []  # the user has gone on since
        turn.words, turn.words_of = words.text, words.soft_end
        turn.closed, turn.marked, turn.language = words.closed, words.marked, words.language
        lags = bool(turn.said) and len(tokens(words.text)) > 1  # "Tea or coffee?" "Coffee." is none
        if (turn.interrupts or lags) and is_echo(words.text, self._said(turn)):
            return self._close(turn, "echo")
        too_late = now_s - turn.begun_at_s >= self._options.wordless_s
        if turn.interrupts and too_late and not tokens(words.text):
            return self._close(turn, "wordless")
        return self._judge(now_s)

    def _interrupt_by_words(self, words: Words, now_s: float) -> list[TurnEvent]:
        """Words that were understood before the sound alone was enough."""
        said = self._assistant
        speaks = self._sound.run_s > 0.0 and not self._ignoring
        if words.turn is not None or said is None or not speaks or not self._is_meant(words.text):
            return []
        return [] if is_echo(words.text, said) else [self._begin(now_s)]

    def _said(self, turn: _Turn) -> str:
        """What the assistant said when the turn began, and what it says now if it still does."""
        goes_on = self._assistant is not None and self._assistant != turn.said
        return f"{turn.said} {self._assistant}" if goes_on else turn.said
