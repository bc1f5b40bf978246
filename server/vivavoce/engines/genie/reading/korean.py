"""Korean text -> single Hangul letters, as it is said and not as it is spelled.

The steps are GPT-SoVITS' own, in its order, so the symbols are those the voices were trained on: Latin letters by
their Korean names, words said against the rules, numbers, the rules of pronunciation, letters, vowels that are two
sounds as two. This module also finds which written word each sound belongs to. Called by `phonemes.py`.
"""

from __future__ import annotations

import re
import threading

from vivavoce.engines.genie.reading.korean_rules import KoreanRules
from vivavoce.engines.genie.reading.reading import Reading, ReadingWriter
from vivavoce.engines.genie.reading.symbols import symbol_ids
from vivavoce.text.mapped import MappedText

_SPACE, _UNKNOWN = "空", "停"  # how the voices know a space, and any sign that has no symbol
_MARKS = {
    **dict.fromkeys("，：；·、", ","),
    **dict.fromkeys("。\n", "."),
    **dict(zip("！？ ", f"!?{_SPACE}", strict=True)),
}
_LETTER_NAMES = {
    pair[0]: pair[1:]
    for pair in re.findall(
        r"\S+",
        "a에이 b비 c시 d디 e이 f에프 g지 h에이치 i아이 j제이 k케이 l엘 m엠 n엔 o오 p피 q큐 "
        "r아르 s에스 t티 u유 v브이 w더블유 x엑스 y와이 z제트",
    )
}
_LATIN = re.compile("[A-Za-z]")
_TWO_SOUNDS = str.maketrans(
    {
        pair[0]: pair[1:]
        for pair in re.findall(r"...", "ㅘㅗㅏㅙㅗㅐㅚㅗㅣㅝㅜㅓㅞㅜㅔㅟㅜㅣㅢㅡㅣㅑㅣㅏㅒㅣㅐㅕㅣㅓㅖㅣㅔㅛㅣㅗㅠㅣㅜ")
    }
)
_RIEUL_AFTER_EUL = re.compile("([ㅇㄹ]ㅡㄹ )ㄹ")  # "-을 ㄴ..." that the rules have made one sound with the particle
_LETTERS = re.compile("[ㄱ-ㅎㅏ-ㅣ]+")
_WRITTEN = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ\u1100-\u11ff]+")


class KoreanFrontEnd:
    """Reads Korean; one thread at a time inside, any number outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: KoreanRules | None = None

    def warm_up(self) -> None:
        self.read(MappedText.of("내일은 무엇을 읽을까요?"))

    def read(self, text: MappedText) -> Reading:
        """Letters, spaces and pauses; words are the stretches of letters between them."""
        with self._lock:
            if self._rules is None:
                self._rules = KoreanRules()
            rules = self._rules
            named = text.sub(_LATIN, lambda letter: _LETTER_NAMES[letter[0].lower()])
            for written, said in rules.idioms:
                named = named.sub(written, said) if written.search(named.text) else named
            tagged = rules.tagged(named)
            letters = rules.letters(rules.pronounced(tagged.text)).translate(_TWO_SOUNDS)
        return _reading(_RIEUL_AFTER_EUL.sub(r"\1ㄴ", letters), rules.untagged(tagged))


def _reading(letters: str, written: MappedText) -> Reading:
    """Symbols with the written words they come from: the rules move sounds within and between words, never a word."""
    words = [written.origin(*found.span()) for found in _WRITTEN.finditer(written.text)]
    sounds = list(_LETTERS.finditer(letters))
    if len(words) != len(sounds):  # signs of old or foreign Hangul between them
        whole = written.origin(0, len(written)) if len(written) else (0, 0)
        words = [whole] * len(sounds)
    writer = ReadingWriter()
    done = 0
    for sound, origin in zip(sounds, words, strict=True):
        _pauses(letters[done : sound.start()], writer)
        writer.word([letter if letter in symbol_ids() else _UNKNOWN for letter in sound[0]], origin)
        done = sound.end()
    _pauses(letters[done:], writer)
    return writer.done()


def _pauses(signs: str, writer: ReadingWriter) -> None:
    for sign in signs:
        symbol = _MARKS.get(sign, sign)
        writer.pause(symbol if symbol in symbol_ids() else _UNKNOWN)
