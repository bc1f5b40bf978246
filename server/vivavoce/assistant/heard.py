"""Which words of a spoken text somebody has heard: places in the sound to places in the text. Pure.

A listener who interrupts has heard some of the words; the conversation goes on from there. Words are cut at words
(Han and kana: at characters), never inside one.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from vivavoce.text.language import is_unspaced
from vivavoce.words import WordTiming


class SpokenText:
    """A text in the order it is spoken, and when its words sound.

    Attributes:
        text: as written, as far as it has begun to be spoken.
        duration_s: seconds of sound so far.
    """

    def __init__(self) -> None:
        self.text = ""
        self.duration_s = 0.0
        self._middles_s: list[float] = []  # of the words, ascending
        self._ends: list[int] = []  # where they end in the text, ascending

    def add(self, text: str, words: Iterable[WordTiming], duration_s: float) -> None:
        """Note the next piece of sound, and the text and words that sound in it.

        Args:
            text: that begins to be spoken with this sound; empty where a sentence goes on.
            words: that sound, with times from the first sample on and places from the first character on.
            duration_s: how long the sound is by now.
        """
        self.text += text
        for word in words:
            middle_s = (word.start_s + word.end_s) / 2
            self._middles_s.append(max(middle_s, self._middles_s[-1] if self._middles_s else 0.0))
            self._ends.append(max(word.source_end, self._ends[-1] if self._ends else 0))
        self.duration_s = max(self.duration_s, duration_s)

    def heard(self, position_s: float) -> str:
        """The text up to the last word of which at least half was heard.

        Args:
            position_s: how far the listener has come; beyond the end it is everything.
        """
        if position_s >= self.duration_s:
            return self.text
        if not self._ends:  # an engine that tells no words: share the time among the characters
            share = max(position_s, 0.0) / self.duration_s
            return cut_at_word(self.text, round(share * len(self.text)))
        count = bisect.bisect_right(self._middles_s, position_s)
        return self.text[: self._ends[count - 1]] if count else ""


def cut_at_word(text: str, length: int) -> str:
    """At most so many characters of a text, without half a word at the end.

    A word is what stands between blanks; Han and kana may be cut behind every character.
    """
    if length >= len(text):
        return text
    end = max(length, 0)
    while end > 0 and _is_inside_a_word(text, end):
        end -= 1
    return text[:end].rstrip()


def _is_inside_a_word(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if before.isspace() or after.isspace():
        return False
    between_characters = is_unspaced(after) or (is_unspaced(before) and after.isalnum())
    return not between_characters  # letters of one word, or a mark that belongs to what stands before it
