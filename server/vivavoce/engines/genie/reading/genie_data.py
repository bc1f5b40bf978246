"""Finds the GenieData folder and reads its text tables, in a safe way.

GenieData is what every GPT-SoVITS voice of Genie shares: the models that listen to a reference clip, and the
dictionaries of the front ends. This module knows the folder's layout and the formats of its tables; it does not know
what they are used for. `phonemes.py` and its front ends read the tables, `reference.py` asks for the model files.

English needs no GenieData: packages ship the same dictionary (`pronouncing`, CMUdict 0.7b, BSD: 99 % of the ordinary
words of GenieData's own, 99.7 % of those with equal sounds) and the same word counts (`wordsegment`, Apache-2.0).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeGuard

import platformdirs

from vivavoce.errors import VoiceUnavailable
from vivavoce.safe_pickle import UnsafePickle, read_plain_pickle

PULL_COMMAND = "vivavoce voices pull geniedata"

_LONGEST_ENTRY = 64  # sounds or syllables of one dictionary entry; the longest real one has 34


def genie_data_dir(data_dir: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where GenieData is, or would be: `GENIE_DATA_DIR`, as for Genie itself, else in the server's data folder.

    Args:
        data_dir: the server's data folder; None: the user's.
        environ: read for `GENIE_DATA_DIR`.
    """
    if named := environ.get("GENIE_DATA_DIR"):
        return Path(named).expanduser()
    return (data_dir or Path(platformdirs.user_data_dir("vivavoce"))) / "GenieData"


@dataclass(frozen=True, slots=True)
class GenieData:
    """A GenieData folder, whole or in part.

    Attributes:
        root: the folder; need not exist.
        packages: whether tables that a Python package ships too may come from there.
    """

    root: Path
    packages: bool = True

    # -- models ----------------------------------------------------------------------------------------------------

    @property
    def hubert(self) -> Path:
        """Graph of the model that hears the reference clip; its weights lie beside it."""
        return self.root / "chinese-hubert-base" / "chinese-hubert-base.onnx"

    @property
    def hubert_weights(self) -> Path:
        return self.root / "chinese-hubert-base" / "chinese-hubert-base_weights_fp16.bin"

    @property
    def speaker_encoder(self) -> Path:
        """Needed by V2ProPlus voices only."""
        return self.root / "speaker_encoder.onnx"

    @property
    def roberta(self) -> Path:
        """Graph of the Chinese text features; optional, all zeros without it."""
        return self.root / "RoBERTa" / "RoBERTa.onnx"

    @property
    def roberta_tokenizer(self) -> Path:
        return self.root / "RoBERTa" / "roberta_tokenizer" / "tokenizer.json"

    # -- what is there ---------------------------------------------------------------------------------------------

    @property
    def _english(self) -> Path:
        return self.root / "G2P" / "EnglishG2P"

    @property
    def _chinese(self) -> Path:
        return self.root / "G2P" / "ChineseG2P"

    @property
    def has_english(self) -> bool:
        return bool(self._dictionary_texts()) or (self._english / "engdict_cache.pickle").is_file()

    @property
    def has_chinese(self) -> bool:
        return (self._chinese / "opencpop-strict.txt").is_file() and (self._chinese / "polyphonic.pickle").is_file()

    def files(self, *, v2_pro_plus: bool, chinese_features: bool) -> dict[str, Path]:
        """Name below the root -> file, of all that is read from it and there.

        Args:
            v2_pro_plus: a voice of this version is among those it serves.
            chinese_features: with RoBERTa, which takes more room than all the rest.
        """
        wanted = [self.hubert, self.hubert_weights]
        wanted += [self.speaker_encoder] if v2_pro_plus else []
        wanted += [self.roberta, self.roberta_tokenizer] if chinese_features else []
        wanted += [self._chinese / "opencpop-strict.txt", self._chinese / "polyphonic.pickle"]
        texts = self._dictionary_texts()
        wanted += (
            texts if self._english in {path.parent for path in texts} else [self._english / "engdict_cache.pickle"]
        )
        wanted += [self._english / name for name in ("engdict-hot.rep", "checkpoint20.npz")]
        wanted += [self._english / "wordsegment" / name for name in ("unigrams.txt", "bigrams.txt")]
        return {path.relative_to(self.root).as_posix(): path for path in wanted if path.is_file()}

    # -- English ---------------------------------------------------------------------------------------------------

    def english_dictionary(self) -> dict[str, str]:
        """Lower-case word -> its ARPAbet sounds, separated by spaces ("hello" -> "HH AH0 L OW1").

        The two text dictionaries hold exactly what Genie's pickle was made from, so the pickle is only read where
        they are absent. Parsing takes 0.2 s, 1 s from the pickle.

        Raises:
            VoiceUnavailable: If there is no dictionary, or it is damaged.
        """
        words: dict[str, str] = {}
        for path in self._dictionary_texts():
            for word, sounds in _dictionary_lines(path):
                words.setdefault(word, sounds)
        if not words:
            words = {word: " ".join(readings[0]) for word, readings in self._pickled_dictionary()}
        hot = self._english / "engdict-hot.rep"
        words.update(_dictionary_lines(hot) if hot.is_file() else _HOT_WORDS)
        return words

    def word_counts(self) -> tuple[dict[str, float], dict[str, float]] | None:
        """Counts of single words and of pairs ("of the"), to cut runs such as "openai"; None where absent."""
        folder = self._english / "wordsegment"
        if not (folder / "unigrams.txt").is_file():
            package = _package_dir("wordsegment") if self.packages else None
            if package is None:
                return None
            folder = package
        return dict(_count_lines(folder / "unigrams.txt")), dict(_count_lines(folder / "bigrams.txt"))

    @property
    def pronunciation_model(self) -> Path | None:
        """Weights of the network that guesses the sounds of an unknown English word (numpy, no pickle inside)."""
        candidates = [self._english / "checkpoint20.npz"]
        if self.packages and (package := _package_dir("g2p_en")):
            candidates.append(package / "checkpoint20.npz")
        return next((path for path in candidates if path.is_file()), None)

    def _dictionary_texts(self) -> list[Path]:
        own = [self._english / "cmudict.rep", self._english / "cmudict-fast.rep"]
        if all(path.is_file() for path in own):
            return own
        package = _package_dir("pronouncing") if self.packages else None
        pickled = (self._english / "engdict_cache.pickle").is_file()
        return [] if package is None or pickled else [path for path in [package / "cmudict-0.7b"] if path.is_file()]

    def _pickled_dictionary(self) -> Iterator[tuple[str, list[list[str]]]]:
        for word, readings in _plain_dictionary(self._english / "engdict_cache.pickle"):
            if not isinstance(readings, list) or not readings or not _is_entry(readings[0]):
                raise VoiceUnavailable(f"engdict_cache.pickle is damaged; get it again with `{PULL_COMMAND}`")
            yield word, readings

    # -- Chinese ---------------------------------------------------------------------------------------------------

    def pinyin_sounds(self) -> dict[str, tuple[str, str]]:
        """Syllable without tone -> (initial, final) in the voice's symbols ("zhi" -> ("zh", "ir")).

        Raises:
            VoiceUnavailable: If the table is absent.
        """
        path = self._chinese / "opencpop-strict.txt"
        try:
            rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        except OSError:
            raise VoiceUnavailable(f"{path.name} is missing; get it with `{PULL_COMMAND}`") from None
        return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}

    def polyphones(self) -> dict[str, tuple[str, ...]]:
        """Word -> its syllables with tones, where the sounds depend on the word ("银行" -> ("yin2", "hang2")).

        Raises:
            VoiceUnavailable: If the table is absent or damaged.
        """
        table: dict[str, tuple[str, ...]] = {}
        for word, syllables in _plain_dictionary(self._chinese / "polyphonic.pickle"):
            if not _is_entry(syllables):
                raise VoiceUnavailable(f"polyphonic.pickle is damaged; get it again with `{PULL_COMMAND}`")
            table[word] = tuple(syllables)
        return table


_HOT_WORDS = {"chatgpt": "CH AE1 T JH IY1 P IY1 T IY1", "json": "JH EY1 S AH0 N", "conda": "K AA1 N D AH0"}


def _dictionary_lines(path: Path) -> Iterator[tuple[str, str]]:
    """(word, sounds) of a CMUdict file; its second readings ("WORD(2)") stay under their own key, never asked for."""
    with path.open(encoding="latin-1") as lines:
        for line in lines:
            word, _, sounds = line.strip().partition(" ")
            if sounds and not word.startswith(";;;"):
                yield word.lower(), sounds.strip()


def _count_lines(path: Path) -> Iterator[tuple[str, float]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            words, _, count = line.partition("\t")
            if count.strip():
                yield words, float(count)


def _plain_dictionary(path: Path) -> Iterator[tuple[str, object]]:
    try:
        table = read_plain_pickle(path)
    except OSError:
        raise VoiceUnavailable(f"{path.name} is missing; get it with `{PULL_COMMAND}`") from None
    except UnsafePickle as refusal:
        raise VoiceUnavailable(f"{refusal.message}; get it again with `{PULL_COMMAND}`") from None
    if not isinstance(table, dict) or not all(isinstance(word, str) for word in table):
        raise VoiceUnavailable(f"{path.name} is damaged; get it again with `{PULL_COMMAND}`")
    yield from table.items()


def _is_entry(value: object) -> TypeGuard[list[str]]:
    """Whether it is a list of a few strings: an entry that refers to itself or repeats without end is not."""
    return isinstance(value, list) and len(value) <= _LONGEST_ENTRY and all(isinstance(item, str) for item in value)


def _package_dir(name: str) -> Path | None:
    """Folder of an installed package, found without importing it."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
