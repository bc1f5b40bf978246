"""The tables of GenieData: equal to what Python unpickles, and harmless where they are damaged or hostile."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from genie_text_data import text_data
from vivavoce.engines.genie.reading.genie_data import PULL_COMMAND, GenieData, genie_data_dir
from vivavoce.errors import VoiceUnavailable

ENGLISH, CHINESE = "G2P/EnglishG2P", "G2P/ChineseG2P"


def unpickled(path: Path) -> Any:
    """As genie_tts reads it; the file's hash was checked when it was fetched."""
    return pickle.loads(path.read_bytes())


@pytest.fixture
def partial_data(tmp_path: Path) -> Path:
    """A GenieData folder that a test may take apart."""
    for name in (ENGLISH, CHINESE):
        shutil.copytree(text_data() / name, tmp_path / name, copy_function=lambda a, b: Path(b).symlink_to(a))
    return tmp_path


def test_folder_is_the_named_one_else_the_users() -> None:
    assert genie_data_dir(Path("/data"), {"GENIE_DATA_DIR": "/somewhere"}) == Path("/somewhere")
    assert genie_data_dir(Path("/data"), {}) == Path("/data/GenieData")
    assert genie_data_dir(None, {}).name == "GenieData"


@pytest.mark.parametrize("source", ["texts", "pickle"])
def test_dictionary_equals_genies_own(partial_data: Path, source: str) -> None:
    original = unpickled(text_data() / ENGLISH / "engdict_cache.pickle")
    if source == "pickle":
        (partial_data / ENGLISH / "cmudict.rep").unlink()
    words = GenieData(partial_data).english_dictionary()

    assert len(original) > 143_000
    ours = {word: words[word].split() for word in original if word in words}
    assert ours == {word: [sound for sound in original[word][0] if sound] for word in ours}
    assert set(original) - set(ours) <= {"d\ufffdj\ufffd"}  # one entry is broken in the original
    assert words["json"] == "JH EY1 S AH0 N"


def test_dictionary_of_the_package_is_nearly_genies(tmp_path: Path) -> None:
    dictionary = unpickled(text_data() / ENGLISH / "engdict_cache.pickle")
    original = {word: readings[0] for word, readings in dictionary.items() if word.isalpha()}
    words = GenieData(tmp_path).english_dictionary()

    known = [word for word in original if word in words]
    equal = [word for word in known if words[word].split() == original[word]]
    assert len(known) / len(original) > 0.99
    assert len(equal) / len(known) > 0.996


def test_word_counts_come_from_the_folder_or_the_package(partial_data: Path) -> None:
    from_folder = GenieData(partial_data, packages=False).word_counts()
    (partial_data / ENGLISH / "wordsegment/unigrams.txt").unlink()

    assert from_folder == GenieData(partial_data).word_counts()
    assert GenieData(partial_data, packages=False).word_counts() is None


def test_polyphones_equal_genies_own() -> None:
    original = unpickled(text_data() / CHINESE / "polyphonic.pickle")

    assert GenieData(text_data()).polyphones() == {word: tuple(syllables) for word, syllables in original.items()}


def test_every_syllable_has_two_sounds() -> None:
    table = GenieData(text_data()).pinyin_sounds()

    assert len(table) == 429
    assert table["zhi"] == ("zh", "ir")
    assert table["a"] == ("AA", "a")


def test_absent_data_name_the_command(tmp_path: Path) -> None:
    data = GenieData(tmp_path / "nowhere", packages=False)

    assert not data.has_english
    assert not data.has_chinese
    for read in (data.polyphones, data.pinyin_sounds, data.english_dictionary):
        with pytest.raises(VoiceUnavailable, match=PULL_COMMAND):
            read()


@pytest.mark.parametrize(
    "table",
    [["not", "a", "dictionary"], {"word": "no list"}, {"word": [["AA1"] * 100]}, {"word": []}, {"word": [[["deep"]]]}],
    ids=["list", "string", "endless", "empty", "deep"],
)
def test_tables_of_another_shape_are_refused(partial_data: Path, table: object) -> None:
    (partial_data / ENGLISH / "cmudict.rep").unlink()
    for name in (f"{ENGLISH}/engdict_cache.pickle", f"{CHINESE}/polyphonic.pickle"):
        (partial_data / name).unlink()
        (partial_data / name).write_bytes(pickle.dumps(table))
    data = GenieData(partial_data)

    with pytest.raises(VoiceUnavailable, match=rf"damaged.*{PULL_COMMAND}"):
        data.english_dictionary()
    if table not in ({"word": []},):
        with pytest.raises(VoiceUnavailable, match=rf"damaged.*{PULL_COMMAND}"):
            data.polyphones()


def test_a_hostile_table_makes_the_language_unavailable(partial_data: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "executed",)

    (partial_data / CHINESE / "polyphonic.pickle").unlink()
    (partial_data / CHINESE / "polyphonic.pickle").write_bytes(pickle.dumps({"好": Hostile()}))

    with pytest.raises(VoiceUnavailable, match=rf"refused.*{PULL_COMMAND}"):
        GenieData(partial_data).polyphones()
    assert not (tmp_path / "executed").exists()
