"""Damage matrix: every file of a pack, damaged in every way, is refused by name; the voice beside it goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthetic_voice import synthetic_voice
from vivavoce.errors import VoiceUnavailable
from vivavoce.voices.fingerprints import FILE_BYTES
from vivavoce.voices.install import add
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import link, make_pack, remember_new_files

MODELS = [f"tts_models/{name}" for name in FILE_BYTES["v2ProPlus"]]
FILES = [*MODELS, "reference/audio.wav", "reference/config.json"]
DAMAGES = ("missing", "empty", "truncated", "one bit flipped", "one byte longer", "swapped")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VoiceStore]:
    """Two installed voices: `anna`, which is damaged and healed again, and `berta`, which stays whole."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        remember_new_files(monkeypatch)
        folder = tmp_path_factory.mktemp("shelf")
        store = VoiceStore([VoiceDirectory(folder / "voices")], records=folder / "records")
        for name in ("anna", "berta"):
            add(store, make_pack(folder / "source" / name), move=True)
            store.verified(name)
        yield store


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_damaged_file_is_refused_by_name(shelf: VoiceStore, name: str, damage: str) -> None:
    path = shelf.get("anna").path / name
    whole = path.with_name(path.name + ".whole")
    path.rename(whole)
    try:
        hurt(whole, path, damage)
        with pytest.raises(VoiceUnavailable) as refused:
            shelf.verified("anna")
        assert path.name in refused.value.message
        assert "anna" in refused.value.message
        assert str(path.parent) not in refused.value.message, "no path of the server is told"
        assert shelf.verified("berta").problem is None
    finally:
        path.unlink(missing_ok=True)
        whole.rename(path)
    assert shelf.verified("anna").problem is None, "healed again"


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "one byte longer"])
@pytest.mark.parametrize("name", MODELS)
def test_wrong_lengths_are_seen_in_the_listing_already(shelf: VoiceStore, name: str, damage: str) -> None:
    path = shelf.get("anna").path / name
    whole = path.with_name(path.name + ".whole")
    path.rename(whole)
    try:
        hurt(whole, path, damage)
        problems = {pack.id: pack.problem for pack in shelf.list()}
        assert path.name in (problems["anna"] or "")
        assert problems["berta"] is None
    finally:
        path.unlink(missing_ok=True)
        whole.rename(path)


def hurt(whole: Path, damaged: Path, damage: str) -> None:
    """Make `damaged` from the healthy file; lengths are changed sparsely, contents in a copy."""
    size = whole.stat().st_size
    if damage == "missing":
        return
    if damage == "empty":
        damaged.touch()
    elif damage == "truncated":
        with damaged.open("wb") as file:
            file.truncate(size - 1)
    elif damage == "one byte longer":
        with damaged.open("wb") as file:
            file.truncate(size + 1)
    elif damage == "one bit flipped":
        shutil.copyfile(whole, damaged)
        with damaged.open("r+b") as file:
            file.seek(size // 2)
            (byte,) = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte ^ 1]))
    else:
        swap(whole, damaged)


def swap(whole: Path, damaged: Path) -> None:
    """The file of the same name of another voice; for what all voices share, some other file."""
    other = synthetic_voice("v2ProPlus", seed=1) / whole.name.removesuffix(".whole")
    if other.suffix == ".bin":
        link(other, damaged)
    elif other.suffix == ".onnx":
        link(synthetic_voice("v2ProPlus") / "prompt_encoder_fp16.bin", damaged)
    else:
        damaged.write_bytes(b'{"text": "other", "language": "en"}' if other.suffix == ".json" else other_sound(whole))


def other_sound(whole: Path) -> bytes:
    sound = bytearray(whole.read_bytes())
    sound[-2000:] = bytes(2000)
    return bytes(sound)
