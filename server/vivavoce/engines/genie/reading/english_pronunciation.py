"""The sounds of one English word, however it is written: dictionary first, then its parts, then a guess.

Order as in GPT-SoVITS, so that ordinary words get exactly the sounds the voices were trained on. It adds what that
front end gets wrong: acronyms (letters, or a word such as NASA), plurals of acronyms, CamelCase, letters with digits.
Knows no sentence; called by `english.py`.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache

from vivavoce.engines.genie.reading.english_guess import SoundGuesser
from vivavoce.engines.genie.reading.english_segmentation import Segmenter
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.symbols import symbol_ids

Sounds = tuple[str, ...]

_NOT_AS_WORDS = frozenset({"ae", "ai", "ar", "ios", "hud", "os"})  # in CMUdict, but as somebody's name
# Short words written in capitals for their weight; any other of up to three capitals is read by its letters.
_CAPITAL_WORDS = re.compile(
    r"OK|ALL|AND|ANY|ARE|BUT|CAN|DID|DO|FOR|GET|GO|HAS|HE|HER|HIM|HIS|HOW|IF|IN|IS|ITS|LET|ME|MUST|MY|NEW|NO|NOT|NOW|"
    r"OF|OFF|ON|ONE|OR|OUR|OUT|SEE|SHE|SO|STOP|THE|TO|TOO|TWO|VERY|WAS|WE|WHY|YES|YET|YOU"
)
_PLURAL_ACRONYM = re.compile(r"([A-Z]{2,})s")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LONGEST_WORD = 64  # letters; longer ones are read in pieces
_HISS, _VOICELESS = ("S", "Z", "SH", "ZH", "CH", "JH"), ("P", "T", "K", "F", "TH")


class EnglishPronunciation:
    """Thread-safe; its tables are loaded at the first need or by `warm_up`."""

    def __init__(self, data: GenieData) -> None:
        self._data = data
        self._words: dict[str, str] | None = None
        self._segmenter: Segmenter | None = None
        self._guesser: SoundGuesser | None = None
        self._lock = threading.Lock()
        self.sounds = lru_cache(maxsize=4096)(self._sounds)

    def warm_up(self) -> None:
        self._load()

    def letters(self, letters: str) -> Sounds:
        """The names of the letters and digits, one after the other."""
        return tuple(sound for char in letters for sound in self._letter(char))

    def in_dictionary(self, word: str) -> bool:
        """Whether the dictionary has it, as a word that is read as one."""
        return word in self._load() and word not in _NOT_AS_WORDS

    def _sounds(self, word: str, capitals_are_words: bool = False) -> Sounds:
        """ARPAbet sounds of a word of letters, digits, apostrophes and hyphens; empty where nothing can be said.

        Args:
            word: as written, its case included.
            capitals_are_words: the sentence is all in capitals, so they mean nothing.
        """
        if len(word) > _LONGEST_WORD:
            pieces = (word[at : at + _LONGEST_WORD] for at in range(0, len(word), _LONGEST_WORD))
            return tuple(sound for piece in pieces for sound in self._sounds(piece, capitals_are_words))
        if not capitals_are_words and (acronym := self._acronym(word)):
            return acronym
        return self._known(word.lower()) or self._parts(word, capitals_are_words) or self._unknown(word.lower())

    # -- as written ------------------------------------------------------------------------------------------------

    def _acronym(self, word: str) -> Sounds:
        if plural := _PLURAL_ACRONYM.fullmatch(word):
            return _with_s(self._acronym(plural[1]))
        if len(word) < 2 or not word.isalpha() or not word.isupper() or _CAPITAL_WORDS.fullmatch(word):
            return ()
        return self._known(word.lower()) if len(word) > 3 and self.in_dictionary(word.lower()) else self.letters(word)

    def _parts(self, word: str, capitals_are_words: bool) -> Sounds:
        """Possessive, hyphens, CamelCase and digits."""
        lower = word.lower()
        if lower.endswith("'s") and len(word) > 2:
            return _with_s(self._sounds(word[:-2], capitals_are_words))
        parts = [part for part in word.split("-") if part]
        if len(parts) < 2 and not lower.isalpha():
            parts = _PARTS.findall(word)
            if len(parts) == 1 or not any(char.isdigit() for char in word):
                return ()
        elif len(parts) < 2 and word not in (lower, lower.capitalize()) and not capitals_are_words:
            parts = _PARTS.findall(word)
        if len(parts) < 2:
            return ()
        return tuple(sound for part in parts for sound in self._sounds(part, capitals_are_words))

    # -- in lower case ---------------------------------------------------------------------------------------------

    def _known(self, word: str) -> Sounds:
        entry = self._load().get(word, "") if word not in _NOT_AS_WORDS else ""
        known = symbol_ids()
        return tuple(sound for sound in entry.split() if sound in known)  # some entries end in "# foreign"

    def _unknown(self, word: str) -> Sounds:
        """Two or more words written together, else a guess, else its letters."""
        self._load()
        pieces = self._segmenter.segment(word) if self._segmenter else []
        if len(pieces) > 1 and "".join(pieces) == word:
            return tuple(sound for piece in pieces for sound in (self._known(piece) or self._unknown_alone(piece)))
        return self._unknown_alone(word)

    def _unknown_alone(self, word: str) -> Sounds:
        if self._guesser and word not in _NOT_AS_WORDS and any(char.isalpha() for char in word):
            return tuple(self._guesser.guess(word))
        return self.letters(word)

    def _letter(self, char: str) -> Sounds:
        if char.isascii() and char.isdigit():
            return self._known(_DIGITS[int(char)])
        return ("EY1",) if char in "aA" else self._known(char.lower())  # "a" alone is the article

    def _load(self) -> dict[str, str]:
        if self._words is None:
            with self._lock:
                if self._words is None:
                    counts, model = self._data.word_counts(), self._data.pronunciation_model
                    self._segmenter = Segmenter(*counts) if counts else None
                    self._guesser = SoundGuesser(model) if model else None
                    self._words = self._data.english_dictionary()
        return self._words


def _with_s(sounds: Sounds) -> Sounds:
    """A plural or possessive s, by the last sound."""
    if not sounds:
        return ()
    if sounds[-1] in _HISS:
        return (*sounds, "AH0", "Z")
    return (*sounds, "S" if sounds[-1] in _VOICELESS else "Z")
