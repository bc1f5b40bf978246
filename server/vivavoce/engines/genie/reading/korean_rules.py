"""The rules of Korean pronunciation, from the package that the voices were trained with, and nothing else of it.

`import g2pk2` starts pip where MeCab is missing and asks a server for an English dictionary. Its tables of rules need
neither, so they are loaded one by one under a package that stands in for `g2pk2` and never runs its `__init__`; the
order in which they are applied, which that file holds, is written down here again. Latin letters are Hangul before
they come here, so the English dictionary would never be asked. Called by `korean.py`.
"""

from __future__ import annotations

import re
import sys
import types
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vivavoce.engines.genie.reading.genie_modules import KOREAN_COMMAND, quiet
from vivavoce.errors import VoiceUnavailable
from vivavoce.text.mapped import MappedText

_PACKAGE = "g2pk2"
_PARTS = ("utils", "special", "regular", "numerals")
_SPECIAL = (
    "jyeo", "ye", "consonant_ui", "josa_ui", "vowel_ui", "jamo", "rieulgiyeok", "rieulbieub", "verb_nieun", "balb",
    "palatalize", "modifying_rieul",
)  # fmt: skip
_LINKS = ("link1", "link2", "link3", "link4")
_TAG = re.compile("/[PJEB]")
_TAGS = re.compile(f"({_TAG.pattern})")
_DIGITS = "영일이삼사오육칠팔구"
_COUNTED = re.compile(r"(?<!\d)(\d[\d,]*)([ㄱ-힣]+)/B")
_MOST_DIGITS = 16  # the package has no name for what is larger


class KoreanRules:
    """Spelling to pronunciation, both in Hangul. One thread at a time.

    Raises:
        VoiceUnavailable: If a package is missing.
    """

    def __init__(self) -> None:
        modules = _modules()
        self._utils, self._special, self._regular, self._numerals = (modules[part] for part in _PARTS)
        self._table = [(re.compile(found), said) for found, said, _ in self._utils.parse_table()]
        self.idioms = _idioms()  # words said otherwise than the rules would have it
        with quiet():
            self._mecab = _imported("mecab").MeCab()
            self._letters = _imported("jamo")

    def tagged(self, text: MappedText) -> MappedText:
        """The text with numbers as words, and a tag behind each syllable whose part of speech changes how it is said.

        Numbers are counted in Korean before the counters the package knows, else in Chinese style, and said digit by
        digit where no counter follows. Nothing of `text` may look like a tag.
        """
        tagged: str = self._utils.annotate(text.text, self._mecab)
        origins: list[tuple[int, int]] = []
        done = 0
        for part in _TAGS.split(tagged):
            if _TAG.fullmatch(part):
                origins += [origins[-1]] * len(part)
            else:
                origins += text.origins[done : done + len(part)]
                done += len(part)
        counted = MappedText(tagged, tuple(origins)).sub(_COUNTED, self._counted)
        return counted.map(lambda char: _DIGITS[int(char)] if char in "0123456789" else char)

    def _counted(self, found: re.Match[str]) -> str:
        """A number with its counter. The package replaces such pairs in no order, so that of "0개, 20개" it may find
        the first inside the second.
        """
        number, counter = found[1], found[2]
        if sum(char.isdigit() for char in number) > _MOST_DIGITS:
            return number + counter
        words: str = self._numerals.process_num(number, sino=counter not in self._numerals.BOUND_NOUNS)
        return f"{words}{counter}/B"

    def untagged(self, tagged: MappedText) -> MappedText:
        """As a dictionary spells it."""
        return tagged.sub(_TAG, "")

    def pronounced(self, tagged: str) -> str:
        """As it is said: liaison, assimilation, palatalisation and the rest; spaces and marks stay where they are."""
        letters: str = self._letters.h2j(tagged)
        for name in _SPECIAL:
            letters = getattr(self._special, name)(letters)
        letters = _TAG.sub("", letters)
        for pattern, said in self._table:
            letters = pattern.sub(said, letters)
        for name in _LINKS:
            letters = getattr(self._regular, name)(letters)
        composed: str = self._utils.compose(letters)
        return composed

    def letters(self, text: str) -> str:
        """Hangul syllables as their single letters, in the block that the voices' symbols are from."""
        written: str = self._letters.j2hcj(self._letters.h2j(text))
        return written


def _modules() -> dict[str, Any]:
    """The package's modules of rules by name; `sys.modules` is as before afterwards."""
    with quiet():
        stand_in = types.ModuleType(_PACKAGE, "Stands in for g2pk2, whose own __init__ must not run.")
        stand_in.__path__ = [str(_folder())]
        before = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_part(name)}
        sys.modules[_PACKAGE] = stand_in
        try:
            return {part: _imported(f"{_PACKAGE}.{part}") for part in _PARTS}
        finally:
            for name in [name for name in sys.modules if _is_part(name)]:
                del sys.modules[name]
            sys.modules.update(before)


def _folder() -> Path:
    spec = find_spec(_PACKAGE)  # finds a top-level package without running it
    if spec is None or not spec.submodule_search_locations:
        raise VoiceUnavailable(f"{_PACKAGE} is not installed; get it with `{KOREAN_COMMAND}`")
    return Path(spec.submodule_search_locations[0])


def _is_part(name: str) -> bool:
    return name == _PACKAGE or name.startswith(f"{_PACKAGE}.")


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as missing:
        raise VoiceUnavailable(f"{missing.name or name} is not installed; get it with `{KOREAN_COMMAND}`") from missing


def _idioms() -> list[tuple[re.Pattern[str], str]]:
    """The package's list of words, read once and not at every sentence: lines of "written===said"."""
    lines = (line.split("#")[0].strip() for line in (_folder() / "idioms.txt").read_text("utf-8").splitlines())
    pairs = [line.split("===") for line in lines if "===" in line]
    return [(re.compile(written), said) for written, said in pairs]
