"""The speech that is no message yet: the part that is being heard, and the silence that may be its end.

Asks for words when they may be wanted: at every soft end, and from time to time in an interruption. Knows no clock;
places are samples of the sound of the ear that is lent. Called by `turn_ear.py`.
"""

from __future__ import annotations

from typing import Final, assert_never

from vivavoce.assistant.drafts import Drafts
from vivavoce.assistant.ear import LentEar
from vivavoce.assistant.heard_parts import LONG, LONGEST, HeardPart, TurnWords
from vivavoce.assistant.input_decoder import RATE
from vivavoce.recognition.turn_events import (
    BackChannel,
    FalseAlarm,
    SoftEnd,
    TurnEnds,
    TurnEvent,
    UserBegins,
    UserIsIdle,
    UserResumes,
    Words,
)

_TAIL: Final = 1024  # samples of silence that the recognizer gets with the speech: what a soft end has
_GLANCE: Final = 11_200  # samples of speech between two looks at the words of an interruption: 0.7 s


class OpenSpeech:
    """The speech of one connection that is no message yet.

    Args:
        ear: hears it.

    Attributes:
        soft: the silence that lasts; None while somebody speaks.
        drafts: what was told of its words already.
    """

    def __init__(self, ear: LentEar) -> None:
        self._ear = ear
        self.soft: SoftEnd | None = None
        self._words = TurnWords()
        self._part: HeardPart | None = None  # that is being heard
        self._drafted = False  # the words up to the silence were asked for
        self._glanced = 0  # up to where they were, in mid-speech
        self.drafts = Drafts()

    def begin(self, start_s: float) -> None:
        """Somebody speaks from there on."""
        start = _place(start_s)
        self._part = self._words.open(self._ear, start)
        self._glanced, self.soft = start, None

    def soften(self, soft: SoftEnd, written: int) -> range | None:
        """Perhaps its end: ask for the words.

        Args:
            written: samples that the ear has got.

        Returns:
            Where the speech lies; None where there is none.
        """
        self.soft = soft
        if self._part is None:
            return None
        end = self._end(soft.end_s, written)
        self._part.draft(end)
        self._drafted = True
        return range(self._words.parts[0].start, end)

    def resume(self) -> None:
        """The speaker goes on: the silence was not the end."""
        self.soft = None

    def finish(self, end_s: float, written: int) -> None:
        """The speech ends at `end_s`, in seconds: its final words are asked for."""
        part, self._part, self.soft = self._part, None, None
        if part is not None:
            part.finish(self._end(end_s, written))

    def follow(self, event: TurnEvent, written: int) -> None:
        """What a turn event means where whatever was heard counts."""
        match event:
            case UserBegins(_, start_s):
                self.begin(start_s)
            case SoftEnd():
                self.soften(event, written)
            case UserResumes():
                self.resume()
            case TurnEnds(_, end_s) | FalseAlarm(_, end_s) | BackChannel(_, end_s):
                self.finish(end_s, written)
            case UserIsIdle():
                pass
            case _:
                assert_never(event)

    def drop(self) -> None:
        """It was none that counts."""
        self._words.drop()
        self._part = self.soft = None
        self.drafts = Drafts()

    def hand_over(self) -> TurnWords:
        """What was heard becomes a message; what comes is the next one's."""
        words, self._words = self._words, TurnWords()
        words.drafts, self.drafts = self.drafts, Drafts()
        return words

    def cut_if_long(self, written: int) -> None:
        """Long speech is heard in parts: recognizers hear half a minute at most."""
        if self._part is None:
            return
        length = written - self._part.start
        if length >= LONGEST or (length >= LONG and self.soft is not None):
            end = written if self.soft is None else self._end(self.soft.end_s, written)
            self._part.finish(end)
            self._part = self._words.open(self._ear, end)

    def glance(self, written: int) -> None:
        """In mid-speech, look at the words from time to time: they may be an echo, or waited for."""
        if self._part is not None and self.soft is None and written - self._glanced >= _GLANCE:
            self._glanced, self._drafted = written, False
            self._part.draft(written)

    def take(self, turn: int) -> Words | None:
        """All of its words, where there are new ones.

        Args:
            turn: that they belong to.
        """
        news = [part.take() for part in self._words.parts]
        if self._part is None:
            return None
        place = self._words.parts.index(self._part)
        begins_in_silence = self.soft is not None and place > 0 and self._part.start >= _place(self.soft.end_s)
        latest = news[place - 1] if begins_in_silence else news[place]
        if latest is None or not latest.is_whole:
            return None
        soft_end = self.soft.soft_end if self.soft is not None and self._drafted else None  # None: asked in mid-speech
        return Words(turn, self._words.text, soft_end, latest.closed, latest.language, latest.marked)

    @staticmethod
    def _end(end_s: float, written: int) -> int:
        return min(_place(end_s) + _TAIL, written)


def _place(seconds: float) -> int:
    return round(seconds * RATE)
