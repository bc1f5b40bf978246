"""Mandarin text -> opencpop symbols with tones.

Words by jieba, syllables by g2pM, overridden by a table of words with unusual readings, tone changes and r-colouring
by Genie's own rules, so that ordinary text gets exactly the symbols the voices were trained on. What makes those
rules fail (嗯, characters nobody has a reading for) is replaced or left out before they see it. Called by
`phonemes.py`.
"""

from __future__ import annotations

import logging
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.genie_modules import genie_module, library, quiet
from vivavoce.engines.genie.reading.reading import Reading, Word
from vivavoce.engines.genie.reading.symbols import PAUSES, symbol_ids
from vivavoce.text.mapped import MappedText

_MARKS = {
    **dict.fromkeys("：；，、､·・:;/—–―", ","),
    **dict.fromkeys("。．｡\n$", "."),
    **dict(zip("！？~～〜", "!?………", strict=True)),
}
# Characters without a vowel, outside the dictionaries or not Chinese -> one with that sound.
_HOMOPHONES = dict(zip("嗯呣噷唔呒嘸〇○𠮷働込峠匁辻畑", "恩母哼吾无无零零吉动入卡文十田", strict=True))
_ELLIPSIS = re.compile(r"\.{3,}|。{2,}")
_UNREAD = re.compile(r"[^一-龥!?…,.-]+")
_REPEATED = re.compile(r"([!?…,.-])\1+")
_CLAUSE = re.compile(r"[^!?…,.-]*[!?…,.-]|[^!?…,.-]+")
_DIGIT = re.compile(r"[0-9]")
_RANGE = re.compile(r"(?<![0-9-])([0-9]{1,4})[-–~～]([0-9]{1,4})(?=[一-龥])")
_LONG_NUMBER = re.compile(r"[0-9]{17,}")
_COMMA_IN_NUMBER = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_ITERATED = re.compile(r"(.)々")
_VOWEL_NAMES = {"uei": "ui", "iou": "iu", "uen": "un"}
_BARE_FINALS = {"ing": "ying", "i": "yi", "in": "yin", "u": "wu"}
_FIRST_LETTERS = {"v": "yu", "i": "y", "u": "w"}


class ChineseFrontEnd:
    """Reads Mandarin, simplified or traditional; one thread at a time inside, any number outside."""

    def __init__(self, data: GenieData) -> None:
        self._data = data
        self._tables: _Tables | None = None
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        self.read(MappedText.of("好。"))

    def read(self, text: MappedText) -> Reading:
        """Symbols and pauses, words as jieba cuts them, and the symbols of each character for the text features."""
        with self._lock:
            tables = self._tables = self._tables or _Tables.load(self._data)
            clean = _clean(text, tables)
            symbols: list[str] = []
            words: list[Word] = []
            counts: list[int] = []
            for clause in _CLAUSE.finditer(clean.text):
                at = clause.start()
                for word, sounds in _clause_sounds(clause[0], tables):
                    first = len(symbols)
                    for sound in sounds:
                        symbols += sound
                        counts.append(len(sound))
                    if len(symbols) > first and word not in PAUSES:
                        words.append((first, len(symbols), *clean.origin(at, at + len(word))))
                    at += len(word)
        return Reading(tuple(symbols), tuple(words), clean.text, tuple(counts))


@dataclass(frozen=True, slots=True)
class _Tables:
    """Everything that is loaded: libraries as they come, tables of the data folder."""

    cut: Any  # text -> [(word, part of speech)]
    syllables: Any  # text -> one syllable with tone a character
    tones: Any  # genie's ToneSandhi
    r_colouring: Any  # genie's ErhuaProcessor
    normalizer: Any  # genie's TextNormalizer
    simplified: Any  # str -> str
    characters: _Characters
    initial: Any
    final: Any
    sounds: dict[str, tuple[str, str]]
    polyphones: dict[str, tuple[str, ...]]

    @classmethod
    def load(cls, data: GenieData) -> _Tables:
        sounds, polyphones = data.pinyin_sounds(), data.polyphones()
        convert = library("pypinyin.contrib.tone_convert")
        normalization = genie_module("G2P.Chinese.Normalization.text_normlization")
        return cls(
            cut=_jieba(),
            syllables=_g2pm(),
            tones=genie_module("G2P.Chinese.ToneSandhi").ToneSandhi(),
            r_colouring=genie_module("G2P.Chinese.Erhua").ErhuaProcessor(),
            normalizer=normalization.TextNormalizer(),
            simplified=normalization.tranditional_to_simplified,
            characters=_Characters(library("pypinyin")),
            initial=convert.to_initials,
            final=convert.to_finals_tone3,
            sounds=sounds,
            polyphones=polyphones,
        )


class _Characters:
    """What pypinyin knows of single characters, remembered."""

    def __init__(self, pinyin: Any) -> None:
        self._pinyin = pinyin
        self.has_vowel = lru_cache(maxsize=8192)(self._has_vowel)
        self.readings = lru_cache(maxsize=8192)(self._readings)

    def first_reading(self, char: str) -> str:
        """Its most usual syllable with tone, as g2pM writes it."""
        return self._first(char, self._pinyin.Style.TONE3).replace("ü", "v")

    def _has_vowel(self, char: str) -> bool:
        """Whether the tone rules can handle it: they index the last letter of its final."""
        final = self._first(char, self._pinyin.Style.FINALS_TONE3)
        return final not in ("", char)

    def _readings(self, char: str) -> frozenset[str]:
        """All its syllables, without tones."""
        found: list[str] = self._pinyin.pinyin(char, style=self._pinyin.Style.NORMAL, heteronym=True)[0]
        return frozenset(syllable.replace("ü", "v") for syllable in found)

    def _first(self, char: str, style: Any) -> str:
        return str(self._pinyin.lazy_pinyin(char, style=style, neutral_tone_with_five=True)[0])


def _jieba() -> Any:
    """jieba's cutter. Its dictionary is built in memory: its own cache is a file in /tmp that anybody may write."""
    jieba = library("jieba_fast")
    jieba.setLogLevel(logging.ERROR)
    cutter = jieba.dt
    if not cutter.initialized:
        with cutter.get_dict_file() as words:
            cutter.FREQ, cutter.total = cutter.gen_pfdict(words)
        cutter.initialized = True
    return library("jieba_fast.posseg").lcut


def _g2pm() -> Any:
    """g2pM leaves its files to the garbage collector, which warns."""
    with quiet():
        return library("g2pM").G2pM()


# -- what is read ------------------------------------------------------------------------------------------------------


def _clean(text: MappedText, tables: _Tables) -> MappedText:
    """Simplified characters that have a reading, and the marks of the symbol table."""
    clean = text.sub(_ITERATED, r"\1\1").map(lambda char: _HOMOPHONES.get(char, char)).map(tables.simplified)
    clean = clean.map(_ascii_digit)
    if _DIGIT.search(clean.text):  # only where nobody made words of them before
        clean = clean.sub(_COMMA_IN_NUMBER, "").sub(_RANGE, r"\1到\2")
        clean = clean.sub(_LONG_NUMBER, lambda number: _digit_names(number[0]))
        clean = clean.rewritten("".join(tables.normalizer.normalize(clean.text)))
    clean = clean.map(lambda char: _HOMOPHONES.get(char, char)).sub(_ELLIPSIS, "…")
    clean = clean.map(lambda char: _MARKS.get(char, char)).sub(_UNREAD, "").sub(_REPEATED, r"\1")
    return clean.map(lambda char: char if char in PAUSES or tables.characters.has_vowel(char) else "")


def _ascii_digit(char: str) -> str:
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _digit_names(number: str) -> str:
    return "".join("零一二三四五六七八九"[int(digit)] for digit in number)


# -- its sounds --------------------------------------------------------------------------------------------------------


def _clause_sounds(clause: str, tables: _Tables) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """(word, the symbols of each of its characters) for a clause and the mark that ends it."""
    syllables = _syllables(clause, tables)
    at = 0
    for word, part_of_speech in tables.tones.pre_merge_for_modify(tables.cut(clause)):
        spoken = _corrected(word, syllables[at : at + len(word)], tables)
        at += len(word)
        initials = [tables.initial(s) if s[0].isalpha() else s for s in spoken]
        finals = [tables.final(s, neutral_tone_with_five=True) if s[0].isalpha() else s for s in spoken]
        finals = tables.tones.modified_tone(word, part_of_speech, finals)
        initials, finals = tables.r_colouring.merge_erhua(initials, finals, word, part_of_speech)
        yield word, [_symbols(i, f, tables) for i, f in zip(initials, finals, strict=True)]


def _syllables(clause: str, tables: _Tables) -> list[str]:
    """One syllable with its tone for each character, "v" for "ü"; a mark is its own syllable.

    g2pM gives a character it never saw an arbitrary syllable, or the character itself: there pypinyin decides.
    """
    guessed: list[str] = [syllable.replace("u:", "v") for syllable in tables.syllables(clause, char_split=True)]
    known = tables.characters
    return [
        syllable if char in PAUSES or syllable[:-1] in known.readings(char) else known.first_reading(char)
        for char, syllable in zip(clause, guessed, strict=True)
    ]


def _corrected(word: str, syllables: Sequence[str], tables: _Tables) -> list[str]:
    """The table's reading of the word, else of each character it knows alone."""
    if (whole := tables.polyphones.get(word)) and len(whole) == len(word):
        return list(whole)
    return [(tables.polyphones.get(char) or (syllable,))[0] for char, syllable in zip(word, syllables, strict=True)]


def _symbols(initial: str, final: str, tables: _Tables) -> tuple[str, ...]:
    """Symbols of a syllable; of a mark itself; none where the voices have none."""
    if initial == final:
        return (initial,) if initial in PAUSES else ()
    bare, tone = final[:-1], final[-1:]
    if initial:
        syllable = initial + _VOWEL_NAMES.get(bare, bare)
    elif bare in _BARE_FINALS:
        syllable = _BARE_FINALS[bare]
    else:
        syllable = _FIRST_LETTERS.get(bare[:1], bare[:1]) + bare[1:]
    if syllable not in tables.sounds:
        return ()
    consonant, vowel = tables.sounds[syllable]
    symbols = (consonant, vowel + tone)
    return symbols if all(symbol in symbol_ids() for symbol in symbols) else ()
