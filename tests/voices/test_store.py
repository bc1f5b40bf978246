"""Finding voices: three shapes, several folders, changes without a restart, folders that were put there by hand."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from synthetic_genie_data import write_clip
from synthetic_voice import synthetic_voice
from vivavoce.config import VoiceSettings
from vivavoce.errors import UnknownVoice, VoicePackError, VoiceUnavailable
from vivavoce.voices.pack import read_pack, voice_id
from vivavoce.voices.references import guess_language, language_code
from vivavoce.voices.store import VoiceDirectory, VoiceStore, open_store
from voice_packs import TEXT, Shape, make_pack, remember_new_files, write


def store_of(tmp_path: Path) -> VoiceStore:
    (tmp_path / "voices").mkdir(exist_ok=True)
    return VoiceStore([VoiceDirectory(tmp_path / "voices", preload=True)], records=tmp_path / "records")


@pytest.mark.parametrize("version", ["v2", "v2ProPlus"])
@pytest.mark.parametrize(
    ("shape", "references"), [("bare", []), ("characters", ["Normal", "Sad"]), ("space", ["Normal"])]
)
def test_three_shapes(tmp_path: Path, shape: Shape, references: list[str], version: str) -> None:
    make_pack(tmp_path / "voices" / "Anna B", shape, version="v2" if version == "v2" else "v2ProPlus")
    (pack,) = store_of(tmp_path).list()
    assert (pack.id, pack.version, pack.language, pack.preload) == (
        "anna-b",
        version,
        "ja" if references else "en",
        True,
    )
    assert list(pack.references) == references
    assert {path.name for path in synthetic_voice(pack.version).iterdir()} <= {p.path.name for p in pack.files.values()}
    if references:
        assert pack.problem is None
        assert pack.reference.text == TEXT
    else:
        assert "no reference clip" in (pack.problem or "")


def test_the_first_style_is_the_default_where_none_is_called_normal(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "mika", "characters")
    write(
        folder / "prompt_wav.json",
        {"普通": {"wav": "Normal.wav", "text": TEXT}, "伤心": {"wav": "Sad.wav", "text": TEXT}},
    )
    pack = read_pack(folder)
    assert list(pack.references) == ["普通", "伤心"]
    assert pack.reference.path.name == "Normal.wav"


def test_settings_name_a_default_and_a_language(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "mika", "characters")
    write(folder / "voice.json", {"name": "Mika", "default": "sad", "language": "zh"})
    pack = read_pack(folder)
    assert (pack.name, pack.language, next(iter(pack.references))) == ("Mika", "zh", "Sad")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "does not hold a JSON object"),
        ("{}", "names no reference clip"),
        ('{"Normal": {"wav": 3, "text": "a"}}', "is not a text"),
        ('{"Normal": {"wav": "Normal.wav", "text": ["a"]}}', "is not a text"),
        ('{"Normal": {"wav": "nowhere.wav", "text": "a"}}', "missing or lies outside"),
        ('{"Normal": {"wav": "../../secret.wav", "text": "a"}}', "missing or lies outside"),
        ('{"Normal": {"wav": "/etc/passwd", "text": "a"}}', "missing or lies outside"),
        ('{"Normal": {"wav": "link.wav", "text": "a"}}', "missing or lies outside"),
        ('{"Normal": {"wav": "x\\u0000.wav", "text": "a"}}', "missing or lies outside"),
        ('{"Normal": {"wav": "Normal.wav", "text": "' + "a" * 2000 + '"}}', "the limit is"),
        (" " * (1 << 20) + "{}", "is larger than"),
    ],
)
def test_descriptions_are_not_believed(tmp_path: Path, content: str, said: str) -> None:
    folder = make_pack(tmp_path / "voices" / "anna", "characters")
    write_clip(tmp_path / "secret.wav")
    (folder / "prompt_wav" / "link.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "prompt_wav.json").write_text(content)
    (pack,) = store_of(tmp_path).list()
    assert said in (pack.problem or "")
    with pytest.raises(VoiceUnavailable):
        store_of(tmp_path).verified("anna")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\ud800", "anna"), ("An\u202ena", "Anna"), ("x" * 5000, "x" * 64), ("\0\n", "anna"), ("", "anna")],
)
def test_what_a_pack_calls_itself_can_be_shown(tmp_path: Path, name: str, shown: str) -> None:
    """Half a character in one name made an error 500 of the list of all voices."""
    folder = make_pack(tmp_path / "voices" / "anna", version="v2")
    (folder / "voice.json").write_text(json.dumps({"name": name}))
    (pack,) = VoiceStore([VoiceDirectory(tmp_path / "voices")]).list()
    assert (pack.name, pack.problem) == (shown, None)


@pytest.mark.parametrize("style", ["\ud800", "a\nb", "x" * 65, "\u202e"])
def test_what_a_pack_calls_its_clips_can_be_shown(tmp_path: Path, style: str) -> None:
    folder = make_pack(tmp_path / "voices" / "anna", "characters", version="v2")
    entries = json.loads((folder / "prompt_wav.json").read_text("utf-8"))
    (folder / "prompt_wav.json").write_text(json.dumps({style: entries["Sad"], **entries}))
    (pack,) = VoiceStore([VoiceDirectory(tmp_path / "voices")]).list()
    assert "plain characters" in (pack.problem or "")
    assert style not in pack.references


def test_voices_come_and_go_without_a_restart(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    assert store.list() == []
    make_pack(tmp_path / "voices" / "anna")
    assert [pack.id for pack in store.list()] == ["anna"]
    (tmp_path / "voices" / "anna" / "tts_models" / "vits_fp16.bin").unlink()
    assert "vits_fp16.bin is missing" in (store.get("anna").problem or "")
    shutil.rmtree(tmp_path / "voices" / "anna")
    assert store.list() == []
    with pytest.raises(UnknownVoice):
        store.get("anna")


def test_a_clients_word_is_looked_up_and_never_joined_to_a_path(tmp_path: Path) -> None:
    make_pack(tmp_path / "voices" / "anna")
    make_pack(tmp_path / "elsewhere")
    store = store_of(tmp_path)
    for name in ("../elsewhere", "/etc", "anna/..", "anna/../anna", "ANNA", "", ".", "anna\0"):
        with pytest.raises(UnknownVoice) as refused:
            store.verified(name)
        assert str(tmp_path) not in refused.value.message


def test_the_first_folder_wins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for folder in ("one", "two"):
        make_pack(tmp_path / folder / "anna")
    store = VoiceStore([VoiceDirectory(tmp_path / "one"), VoiceDirectory(tmp_path / "two")])
    assert store.get("anna").path.parent.name == "one"
    assert "there twice" in caplog.text


def test_a_directory_that_is_itself_a_voice(tmp_path: Path) -> None:
    store = VoiceStore([VoiceDirectory(make_pack(tmp_path / "anna"))])
    assert [pack.id for pack in store.list()] == ["anna"]


def test_hidden_and_foreign_folders_are_no_voices(tmp_path: Path) -> None:
    make_pack(tmp_path / "voices" / ".adding-x")
    (tmp_path / "voices" / "notes").mkdir()
    (tmp_path / "voices" / "README.md").touch()
    assert store_of(tmp_path).list() == []


def test_weights_of_a_folder_put_there_by_hand_are_remembered(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "voices" / "anna")
    store = store_of(tmp_path)
    first = store.verified("anna")
    assert all(file.sha256 for file in first.files.values())
    weights = folder / "tts_models" / "vits_fp16.bin"
    weights.unlink()
    shutil.copyfile(synthetic_voice("v2ProPlus", seed=1) / "vits_fp16.bin", weights)
    with pytest.raises(VoiceUnavailable, match=r"vits_fp16\.bin is damaged.*voices check anna --trust"):
        store.verified("anna")
    with pytest.raises(VoiceUnavailable):
        store_of(tmp_path).verified("anna")  # a new process remembers too
    trusted = store.verified("anna", trust=True)
    assert store.verified("anna").files == trusted.files


def test_texts_of_a_folder_put_there_by_hand_may_be_edited(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "voices" / "anna")
    store = store_of(tmp_path)
    store.verified("anna")
    write(folder / "reference" / "config.json", {"text": "Something else.", "language": "en"})
    assert store.verified("anna").reference.text == "Something else."


def test_infinite_weights_are_refused(tmp_path: Path) -> None:
    folder = make_pack(tmp_path / "voices" / "anna")
    weights = folder / "tts_models" / "prompt_encoder_fp16.bin"
    content = bytearray(weights.read_bytes())
    content[1000:1002] = b"\x00\x7c"  # infinity in half precision
    weights.unlink()
    weights.write_bytes(content)
    with pytest.raises(VoiceUnavailable, match=r"prompt_encoder_fp16\.bin holds weights that are infinite"):
        store_of(tmp_path).verified("anna")


def test_unchanged_files_are_not_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pack(tmp_path / "voices" / "anna")
    store = store_of(tmp_path)
    remember_new_files(monkeypatch)
    store.verified("anna")
    hashed: list[str] = []

    def hash_wrongly(path: Path) -> str:
        hashed.append(path.name)
        return "0" * 64

    monkeypatch.setattr("vivavoce.voices.checksums.hash_file", hash_wrongly)
    store.verified("anna")
    assert hashed == []
    with pytest.raises(VoiceUnavailable):
        store.verified("anna", thorough=True)
    assert len(hashed) == 11


def test_a_record_that_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    make_pack(tmp_path / "voices" / "anna")
    (tmp_path / "records").touch()  # a file where the folder should be
    assert store_of(tmp_path).verified("anna").problem is None


def test_folders_of_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_pack(tmp_path / "voices" / "project")
    make_pack(tmp_path / "given" / "given")
    make_pack(tmp_path / "data" / "voices" / "own")
    store = open_store(VoiceSettings(voices=(tmp_path / "given",), data_dir=tmp_path / "data"))
    assert {pack.id: pack.preload for pack in store.list()} == {"given": True, "own": False, "project": True}
    assert store.home == tmp_path / "given"
    assert open_store(VoiceSettings(data_dir=tmp_path / "data")).home == tmp_path / "data" / "voices"


def test_new_voices_go_where_they_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's /voices may be mounted read-only."""
    (tmp_path / "mounted").mkdir()
    can = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "mounted" and can(path, mode))
    settings = VoiceSettings(voices=(tmp_path / "mounted",), data_dir=tmp_path / "data")
    assert open_store(settings).home == tmp_path / "data" / "voices"
    there = VoiceSettings(voices=(tmp_path / "mounted", tmp_path / "not-yet" / "there"), data_dir=tmp_path / "data")
    assert open_store(there).home == tmp_path / "not-yet" / "there"


def test_a_folder_without_a_usable_name_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_pack(tmp_path / "voices" / "圣园未花")
    store = store_of(tmp_path)
    assert store.list() == store.list() == []
    assert caplog.text.count("gives no voice id") == 1
    with pytest.raises(VoicePackError):
        read_pack(tmp_path / "voices" / "圣园未花")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Misono Mika", "misono-mika"),
        ("Zoë", "zoe"),
        ("../../etc", "etc"),
        ("a" * 80, "a" * 64),
        ("--", None),
        ("花", None),
        ("con.fig/x", "con-fig-x"),
        ("", None),
        ("Sad_2", "sad_2"),
    ],
)
def test_voice_id(name: str, expected: str | None) -> None:
    assert voice_id(name) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Japanese", "x", "ja"),
        ("zh-CN", "x", "zh"),
        ("auto", "漢字とかな", "ja"),
        (None, "只有汉字", "zh"),
        (None, "한국어", "ko"),
        (None, "Hello 1", "en"),
        ("Klingon", "あ", "ja"),
        ("Hybrid-Chinese-English", "x", "zh"),
        ("", "", "en"),
    ],
)
def test_language_code(name: str | None, text: str, expected: str) -> None:
    assert language_code(name, text) == expected
    assert guess_language(text) in ("en", "ja", "ko", "zh")


@pytest.mark.parametrize(
    ("language", "text", "sentence"),
    [
        ("Klingon", "Hello.", "reference/config.json: the language 'Klingon' is none of en, ja, ko, zh"),
        ("fr", "Bonjour.", "the language 'fr' is none of"),
        ("en", "こんにちは。", "the language is 'en', but the text is written in 'ja'"),
        ("Korean", "Hello.", "the language is 'ko', but the text is written in 'en'"),
        ("ja", "안녕하세요.", "the language is 'ja', but the text is written in 'ko'"),
        ("zh", "日本語です。", "the language is 'zh', but the text is written in 'ja'"),
    ],
)
def test_a_lie_about_the_language_is_a_sentence(tmp_path: Path, language: str, text: str, sentence: str) -> None:
    folder = make_pack(tmp_path / "anna")
    write(folder / "reference" / "config.json", {"text": text, "language": language})

    assert sentence in (read_pack(folder).problem or "")


@pytest.mark.parametrize(
    ("language", "text"), [("auto", "안녕."), ("ja", "漢字"), ("zh-CN", "你好"), ("all_ko", "안녕")]
)
def test_a_true_language_is_believed(tmp_path: Path, language: str, text: str) -> None:
    folder = make_pack(tmp_path / "anna")
    write(folder / "reference" / "config.json", {"text": text, "language": language})

    assert read_pack(folder).problem is None


def test_reading_a_listing_twice_reads_no_json_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pack(tmp_path / "voices" / "anna")
    store = store_of(tmp_path)
    first = store.list()
    monkeypatch.setattr("vivavoce.voices.store.read_pack", lambda *_, **__: pytest.fail("read again"))
    assert store.list() == first
    os.utime(tmp_path / "voices" / "anna" / "reference" / "config.json", ns=(1, 1))
    with pytest.raises(pytest.fail.Exception):
        store.list()


def test_a_listing_is_kept_for_a_while_but_never_loaded_from(tmp_path: Path) -> None:
    make_pack(tmp_path / "voices" / "anna")
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")], rescan_s=3600.0)
    assert [pack.id for pack in store.list()] == ["anna"]
    (tmp_path / "voices" / "anna" / "tts_models" / "vits_fp16.bin").unlink()
    assert store.get("anna").problem is None, "an hour has not passed"
    with pytest.raises(VoiceUnavailable, match=r"vits_fp16\.bin is missing"):
        store.verified("anna")
    make_pack(tmp_path / "voices" / "berta")
    assert [pack.id for pack in store.list()] == ["anna", "berta"], "who comes or goes is seen at once"
    shutil.rmtree(tmp_path / "voices" / "anna")
    assert [pack.id for pack in store.list()] == ["berta"]
