"""Adding, cloning and removing: whole or not at all, weights never twice on disk, names never paths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synthetic_genie_data import reference_clip
from synthetic_voice import synthetic_voice
from vivavoce.errors import Conflict, InvalidAudio, InvalidRequest, UnknownVoice, VoicePackError, VoiceUnavailable
from vivavoce.voices.clip import Clip, decode_clip
from vivavoce.voices.install import NewReference, add, clone, remove
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import TEXT, link, make_pack, write


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    return VoiceStore([VoiceDirectory(tmp_path / "voices")], records=tmp_path / "records")


def reference(text: str = TEXT, language: str | None = None) -> NewReference:
    return NewReference(decode_clip(reference_clip().path), text, language)


def hidden(store: VoiceStore) -> list[Path]:
    return list(store.home.glob(".*"))


def test_an_added_voice_has_its_list_of_hashes(store: VoiceStore, tmp_path: Path) -> None:
    told: list[float] = []
    source = make_pack(tmp_path / "Anna", "characters")
    pack = add(store, source, progress=lambda what, fraction: told.append(fraction))
    assert (pack.id, list(pack.references)) == ("anna", ["Normal", "Sad"])
    manifest = json.loads((pack.path / "voice.sha256.json").read_text())
    assert manifest["files"].keys() == pack.files.keys()
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: file.sha256 for name, file in store.verified("anna").files.items()
    }
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert hidden(store) == []
    assert source.is_dir(), "copied, not moved"


def test_only_the_files_of_the_voice_are_copied(store: VoiceStore, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "anna")
    (source / "run.sh").write_text("#!/bin/sh")
    (source / "tts_models" / "secret.txt").write_text("secret")
    pack = add(store, source)
    found = {path.relative_to(pack.path).as_posix() for path in pack.path.rglob("*") if path.is_file()}
    assert found == {*pack.files, "voice.sha256.json"}


def test_a_bare_folder_needs_a_reference(store: VoiceStore, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "anna", "bare")
    with pytest.raises(VoicePackError, match="no reference clip"):
        add(store, source)
    assert store.list() == []
    pack = add(store, source, name="Anna Two", reference=reference())
    assert (pack.id, pack.name, pack.language, pack.problem) == ("anna-two", "Anna Two", "ja", None)
    assert store.verified("anna-two").reference.text == TEXT


@pytest.mark.parametrize("lost", ["vits_fp16.bin", "t2s_encoder_fp32.onnx"])
def test_a_damaged_folder_is_refused_before_anything_is_copied(store: VoiceStore, tmp_path: Path, lost: str) -> None:
    source = make_pack(tmp_path / "anna")
    (source / "tts_models" / lost).unlink()
    with pytest.raises(VoicePackError, match=lost):
        add(store, source)
    assert list(store.home.iterdir()) == []


def test_a_foreign_graph_is_refused(store: VoiceStore, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "anna")
    graph = source / "tts_models" / "vits_fp32.onnx"
    content = bytearray(graph.read_bytes())
    graph.unlink()
    content[-1] ^= 1
    graph.write_bytes(content)
    with pytest.raises(VoicePackError, match=r"vits_fp32\.onnx is damaged"):
        add(store, source, move=True)
    assert store.list() == []


def test_a_list_of_hashes_that_came_along_is_believed_to_the_detriment(store: VoiceStore, tmp_path: Path) -> None:
    """A copy of an installed voice that lost a bit on the way is refused."""
    installed = add(store, make_pack(tmp_path / "anna"), move=True)
    copy = tmp_path / "berta"
    shutil.copytree(installed.path, copy, copy_function=link)
    (copy / "tts_models" / "vits_fp16.bin").unlink()
    link(synthetic_voice("v2ProPlus", seed=1) / "vits_fp16.bin", copy / "tts_models" / "vits_fp16.bin")
    with pytest.raises(VoicePackError, match=r"vits_fp16\.bin is damaged"):
        add(store, copy, move=True)
    assert [pack.id for pack in store.list()] == ["anna"]


def test_a_full_disk_is_noticed_before_anything_is_copied(
    store: VoiceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_pack(tmp_path / "source" / "anna")
    copied: list[object] = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=1, used=1, free=0))
    monkeypatch.setattr(shutil, "copyfile", lambda *paths: copied.append(paths))
    with pytest.raises(VoicePackError, match="is full"):
        add(store, source)
    assert copied == []
    assert store.list() == []


def test_a_name_that_is_taken(store: VoiceStore, tmp_path: Path) -> None:
    add(store, make_pack(tmp_path / "anna", version="v2"), move=True)
    with pytest.raises(Conflict, match="there is a voice 'anna' already"):
        add(store, make_pack(tmp_path / "other" / "Anna"))
    replaced = add(store, tmp_path / "other" / "Anna", overwrite=True, move=True)
    assert (replaced.version, store.verified("anna").version) == ("v2ProPlus", "v2ProPlus")
    assert hidden(store) == []


def test_a_voice_of_another_folder_is_not_overwritten(tmp_path: Path) -> None:
    theirs = make_pack(tmp_path / "theirs" / "anna")
    store = VoiceStore([VoiceDirectory(tmp_path / "theirs"), VoiceDirectory(tmp_path / "voices")])
    with pytest.raises(Conflict):
        add(store, make_pack(tmp_path / "source" / "anna"), overwrite=True)
    assert theirs.is_dir()


def test_what_fails_half_way_leaves_nothing(store: VoiceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    def full(source: Path, target: Path) -> None:
        if copied:
            raise OSError(28, "No space left on device")
        copied.append(source.name)
        target.write_bytes(b"x")

    source = make_pack_of_links(tmp_path)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(VoicePackError, match="No space left on device"):
        add(store, source)
    assert store.list() == []
    assert hidden(store) == []


def make_pack_of_links(tmp_path: Path) -> Path:
    folder = tmp_path / "linked"
    (folder / "reference").mkdir(parents=True)
    (folder / "tts_models").symlink_to(synthetic_voice())
    (folder / "reference" / "audio.wav").write_bytes(reference_clip().path.read_bytes())
    write(folder / "reference" / "config.json", {"text": TEXT})
    return folder


def test_a_clone_shares_the_weights(store: VoiceStore, tmp_path: Path) -> None:
    base = add(store, make_pack(tmp_path / "anna", version="v2"), move=True)
    made = clone(store, "Anna sad", "anna", reference("Hello, I am sad.", "en"))
    assert (made.id, made.name, made.base, made.version, made.language) == ("anna-sad", "Anna sad", "anna", "v2", "en")
    assert made.models == base.models
    assert sum(path.stat().st_size for path in made.path.rglob("*")) < 1_000_000
    checked = store.verified("anna-sad")
    assert (
        checked.files["../tts_models/vits_fp16.bin"].sha256
        == store.verified("anna").files["tts_models/vits_fp16.bin"].sha256
    )
    again = clone(store, "sadder", "anna-sad", reference())
    assert again.base == "anna", "a clone of a clone names the voice with the weights"


def test_a_base_lends_and_stays(store: VoiceStore, tmp_path: Path) -> None:
    add(store, make_pack(tmp_path / "anna"), move=True)
    clone(store, "sad", "anna", reference())
    with pytest.raises(Conflict, match="lends its weights to sad"):
        remove(store, "anna")
    shutil.rmtree(store.home / "anna")  # by hand
    assert "base voice 'anna' is not installed" in (store.get("sad").problem or "")
    remove(store, "sad")
    assert store.list() == []
    assert list(store.home.iterdir()) == []


def test_a_clone_is_refused_when_its_base_is_damaged(store: VoiceStore, tmp_path: Path) -> None:
    add(store, make_pack(tmp_path / "anna"), move=True)
    clone(store, "sad", "anna", reference())
    weights = store.home / "anna" / "tts_models" / "t2s_encoder_fp32.bin"
    content = bytearray(weights.read_bytes())
    content[5000] ^= 1
    weights.unlink()
    weights.write_bytes(content)
    with pytest.raises(VoiceUnavailable, match=r"t2s_encoder_fp32\.bin is damaged"):
        store.verified("sad")
    weights.write_bytes(content[:-1])
    assert "t2s_encoder_fp32.bin is truncated" in (store.get("sad").problem or "")
    with pytest.raises(VoiceUnavailable, match="cannot be cloned"):
        clone(store, "more", "anna", reference())


@pytest.mark.parametrize("name", ["", "  ", "花", "///", "anna"])
def test_bad_names(store: VoiceStore, tmp_path: Path, name: str) -> None:
    make_pack(store.home / "anna")
    with pytest.raises((InvalidRequest, Conflict)):
        clone(store, name, "anna", reference())
    assert [pack.id for pack in store.list()] == ["anna"]


@pytest.mark.parametrize("text", ["", "   ", "a" * 2000, "a\0b", "a\u202eb"])
def test_bad_texts(store: VoiceStore, tmp_path: Path, text: str) -> None:
    make_pack(store.home / "anna")
    with pytest.raises(InvalidRequest):
        clone(store, "sad", "anna", reference(text))


@pytest.mark.parametrize(("seconds", "level"), [(2.9, 0.1), (10.1, 0.1), (5.0, 0.0)])
def test_bad_clips(store: VoiceStore, tmp_path: Path, seconds: float, level: float) -> None:
    make_pack(store.home / "anna")
    samples = level * np.sin(np.arange(int(seconds * 16_000)) / 20).astype(np.float32)
    with pytest.raises(InvalidAudio):
        clone(store, "sad", "anna", NewReference(Clip(samples, 16_000), TEXT))
    assert [pack.id for pack in store.list()] == ["anna"]


def test_unknown_voices(store: VoiceStore) -> None:
    with pytest.raises(UnknownVoice):
        clone(store, "sad", "../anna", reference())
    with pytest.raises(UnknownVoice):
        remove(store, "anna")
