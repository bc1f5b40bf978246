"""A sentence -> phoneme ids and text features, for the voices' 732 symbols.

Cuts a mixed sentence by script, sends each run to the front end of its language, and joins what they say. Knows which
languages can be spoken here and what is missing for the others; knows no model of sound. Called by the engine for
every sentence, and by the reference for what its clip says. A few milliseconds a sentence.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, assert_never, get_args

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.reading.chinese import ChineseFrontEnd
from vivavoce.engines.genie.reading.chinese_features import ChineseFeatures
from vivavoce.engines.genie.reading.english import EnglishFrontEnd
from vivavoce.engines.genie.reading.genie_data import PULL_COMMAND, GenieData, genie_data_dir
from vivavoce.engines.genie.reading.genie_modules import INSTALL_COMMAND, KOREAN_COMMAND
from vivavoce.engines.genie.reading.japanese import JapaneseFrontEnd
from vivavoce.engines.genie.reading.korean import KoreanFrontEnd
from vivavoce.engines.genie.reading.reading import FrontEnd, Reading
from vivavoce.engines.genie.reading.spoken_runs import script_runs, spoken
from vivavoce.engines.genie.reading.symbols import PAUSES, SENTENCE_ENDS, symbol_ids
from vivavoce.engines.genie.shape import BERT_WIDTH
from vivavoce.errors import EmptyInput, InvalidRequest, UnspeakableText, VoiceUnavailable
from vivavoce.text.language import detect_language
from vivavoce.text.mapped import MappedText

Language = Literal["ja", "en", "zh", "ko"]

_log = logging.getLogger(__name__)
_LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_SHORT_CLAUSE = 4  # characters; a shorter first clause gets a mark before it, as in the voices' training
_FEWEST_SYMBOLS = 6
_MOST_SYMBOLS_A_CHARACTER = 20
_FIRST_CLAUSE = re.compile(r"(?:[^,.!?;:，。！？；：、…]|(?<=\d)[.,](?=\d))*")


@dataclass(frozen=True, slots=True)
class Phonemes:
    """A sentence as the voice reads it.

    Attributes:
        ids: int64 [1, P], each 0..731.
        bert: float32 [P, 1024]: features of Chinese characters, zeros elsewhere.
        words: (first phoneme, end phoneme, text start, text end), in order, text in code points of the input; marks
            and pauses belong to no word.
        language: ISO 639-1 code of the sentence's main language.
    """

    ids: NDArray[np.int64]
    bert: NDArray[np.float32]
    words: tuple[tuple[int, int, int, int], ...]
    language: str


class PhonemeFrontEnd:
    """All front ends over one data folder. Any number of threads may call it at once.

    Args:
        data_dir: the GenieData folder; None: `GENIE_DATA_DIR`, else the user's data folder. It need not exist:
            Japanese needs nothing of it, English has its tables from packages too.
        feature_threads: threads of one run of the Chinese text features.
    """

    def __init__(self, data_dir: Path | GenieData | None = None, *, feature_threads: int = 1) -> None:
        self.data = data_dir if isinstance(data_dir, GenieData) else GenieData(data_dir or genie_data_dir())
        self._feature_threads = feature_threads
        self._front_ends: dict[Language, FrontEnd] = {}
        self._features: ChineseFeatures | Literal["unknown"] | None = "unknown"
        self._lock = threading.Lock()
        self._warned: set[str] = set()

    # -- what can be spoken ----------------------------------------------------------------------------------------

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes of what can be spoken now; looked up at each call, data may arrive while the server runs."""
        problems = self.problems
        return tuple(language for language in _LANGUAGES if language not in problems)

    @property
    def problems(self) -> Mapping[str, str]:
        """Language -> why it cannot be spoken, with the command that helps."""
        checked = {language: self._problem(language) for language in _LANGUAGES}
        return {language: problem for language, problem in checked.items() if problem}

    def warm_up(self, language: str) -> None:
        """Load all a language needs; 0.3 to 2 s once, nothing later.

        Raises:
            UnspeakableText: If no front end speaks it.
            VoiceUnavailable: If something it needs is missing.
        """
        code = self._code(language, "genie")
        self.front_end(code).warm_up()
        if code == "zh":
            self._chinese_features()

    # -- speaking --------------------------------------------------------------------------------------------------

    def phonemize(self, text: str, language: str = "auto", *, prompt: bool = False, voice: str = "genie") -> Phonemes:
        """The phonemes of a sentence.

        Args:
            text: what is to be said; numbers and the like are best words already, what is not becomes so here.
            language: main language, "auto": told by the script. Runs in another script are read in their own.
            prompt: it is what a reference clip says: no mark goes before it.
            voice: named in errors.

        Raises:
            EmptyInput: If nothing of it can be spoken.
            UnspeakableText: If nothing of it is in a language that can be spoken.
            VoiceUnavailable: If it could be, were its data here.
            InvalidRequest: If it explodes into more than 20 symbols a character.
        """
        if not any(char.isalnum() for char in text):
            raise EmptyInput
        main = self._code(detect_language(text, self._preferred()) if language == "auto" else language, voice)
        self.front_end(main)
        plain = MappedText.of(text)
        if main != "ko":  # whose front end reads figures as the voices heard them read
            plain = spoken(plain, main)
        parts = self._read_runs(plain, main)
        if not any(reading.words for _, reading in parts):
            if any(char.isalpha() for char in text):
                raise UnspeakableText(voice, self.languages)
            raise EmptyInput
        if not prompt and _needs_leading_mark(plain.text, parts):
            parts.insert(0, (main, Reading((".",))))
        if parts[-1][1].symbols[-1] not in (SENTENCE_ENDS if prompt else PAUSES):
            parts.append((main, Reading((".",))))  # the voices were trained on texts that end
        return self._joined(parts, main, len(text))

    def _read_runs(self, text: MappedText, main: Language) -> list[tuple[Language, Reading]]:
        readings = []
        for start, end, language in script_runs(text.text, main):
            spoken_by = self._reader(language, main)
            run = text[start:end] if spoken_by == main else spoken(text[start:end], language)
            reading = self.front_end(spoken_by).read(run)
            if spoken_by != language and not reading.words and any(char.isalnum() for char in run.text):
                self._warn(language)
            readings.append((spoken_by, reading))
        return [(language, reading) for language, reading in readings if reading.symbols]

    def _reader(self, language: str, main: Language) -> Language:
        """Who reads a run: its own front end, or the main one where that is missing (Japanese reads letters too)."""
        return language if language in _LANGUAGES and not self._problem(language) else main

    def _joined(self, parts: list[tuple[Language, Reading]], main: Language, characters: int) -> Phonemes:
        ids = symbol_ids()
        numbers = [ids[symbol] for _, reading in parts for symbol in reading.symbols]
        if len(numbers) > _MOST_SYMBOLS_A_CHARACTER * max(characters, 8):
            raise InvalidRequest(f"{characters} characters become {len(numbers)} sounds: too many", param="input")
        bert = np.zeros((len(numbers), BERT_WIDTH), np.float32)
        words: list[tuple[int, int, int, int]] = []
        first = 0
        for language, reading in parts:
            words += [(first + a, first + b, start, end) for a, b, start, end in reading.words]
            if language == "zh" and reading.words and (features := self._chinese_features()):
                found = features.of(reading)
                bert[first : first + len(reading.symbols)] = 0.0 if found is None else found
            first += len(reading.symbols)
        return Phonemes(np.array([numbers], np.int64), bert, tuple(words), main)

    # -- front ends ------------------------------------------------------------------------------------------------

    def _code(self, language: str, voice: str) -> Language:
        """One of ours for "zh", "zh-CN", "JP" ..."""
        code = re.split(r"[-_]", language.strip().lower())[0]
        code = {"jp": "ja", "cn": "zh", "kr": "ko"}.get(code, code)
        for known in _LANGUAGES:
            if code == known:
                return known
        raise UnspeakableText(voice, self.languages)

    def _preferred(self) -> str:
        """Who reads kanji without kana, and digits: Chinese, or Japanese where there is no Chinese."""
        return "en" if "zh" in self.languages else "ja"

    def front_end(self, language: Language) -> FrontEnd:
        """The reader of one language, made when it is first asked for.

        Raises:
            VoiceUnavailable: If its data or an extra is missing.
        """
        if problem := self._problem(language):
            raise VoiceUnavailable(problem)
        with self._lock:
            if language not in self._front_ends:
                self._front_ends[language] = self._made(language)
            return self._front_ends[language]

    def _made(self, language: Language) -> FrontEnd:
        match language:
            case "ja":
                return JapaneseFrontEnd()
            case "en":
                return EnglishFrontEnd(self.data)
            case "zh":
                return ChineseFrontEnd(self.data)
            case "ko":
                return KoreanFrontEnd()
            case _:
                assert_never(language)

    def _problem(self, language: Language) -> str | None:
        for package in ("genie_tts", *_PACKAGES[language]):
            if not _is_installed(package):
                if language == "ko" and sys.version_info >= _NO_KOREAN:
                    return "Korean needs Python 3.11 or 3.12: its dictionary cannot be read by later ones yet"
                command = KOREAN_COMMAND if language == "ko" else INSTALL_COMMAND
                return f"{_NAMES[language]} needs the package {package}; get it with `{command}`"
        if (language == "en" and not self.data.has_english) or (language == "zh" and not self.data.has_chinese):
            return f"{_NAMES[language]} needs GenieData, absent from '{self.data.root}'; get it with `{PULL_COMMAND}`"
        return None

    def _chinese_features(self) -> ChineseFeatures | None:
        with self._lock:
            if self._features == "unknown":
                present = self.data.roberta.is_file() and self.data.roberta_tokenizer.is_file()
                self._features = ChineseFeatures(self.data, self._feature_threads) if present else None
            return self._features

    def _warn(self, language: str) -> None:
        if language not in self._warned:
            self._warned.add(language)
            _log.warning("left out text in language '%s': %s", language, self.problems.get(language, "nobody reads it"))


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


_NO_KOREAN = (3, 13)  # python-mecab-ko has no wheel for it, see pyproject.toml
_NAMES = {"ja": "Japanese", "en": "English", "zh": "Chinese", "ko": "Korean"}
_PACKAGES: dict[Language, tuple[str, ...]] = {
    "ja": ("pyopenjtalk",),
    "en": (),
    "zh": ("jieba_fast", "g2pM", "pypinyin"),
    "ko": ("g2pk2", "jamo", "mecab", "mecab_ko_dic"),
}


def _needs_leading_mark(text: str, parts: list[tuple[Language, Reading]]) -> bool:
    """Very short beginnings are babbled or swallowed without a pause before them.

    Source: GPT-SoVITS, which puts a full stop before a first clause of fewer than 4 characters, and before a whole
    text of fewer than 6 symbols.
    """
    if parts[0][1].symbols[0] in PAUSES:
        return False
    clause = _FIRST_CLAUSE.match(text.strip())
    short = clause is not None and len(clause[0]) < _SHORT_CLAUSE
    return short or sum(len(reading.symbols) for _, reading in parts) < _FEWEST_SYMBOLS
