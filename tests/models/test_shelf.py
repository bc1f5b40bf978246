"""Models on this machine: packaged ones are put together and checked, pulled ones listed, hidden and removed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vivavoce.engines.whisper.weights import Weights
from vivavoce.errors import ModelPackError, ModelUnavailable, UnknownModel
from vivavoce.models.catalogue import CATALOGUE
from vivavoce.models.checksums import sha256_of, write_list
from vivavoce.models.packaged import PACKAGED, PackagedModel
from vivavoce.models.shelf import ModelShelf

CONTENT = {"a/part1": b"first ", "a/config.json": b"{}", "b/part2": b"second"}


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """A model in two packages, on the path of modules."""
    for name, content in CONTENT.items():
        path = tmp_path / "packages" / f"test_weights_{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        (path.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "packages")
    (tmp_path / "whole").write_bytes(b"first second")
    return PackagedModel(
        "whisper-base",
        (("test_weights_a", "part1"), ("test_weights_b", "part2")),
        sha256_of(tmp_path / "whole"),
        {"config.json": ("test_weights_a", "config.json")},
    )


@pytest.fixture
def shelf(tmp_path: Path, packaged: PackagedModel) -> ModelShelf:
    return ModelShelf(tmp_path / "models", tmp_path / "cache", [packaged])


def put(shelf: ModelShelf, name: str) -> Path:
    folder = shelf.place_of(name)
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights of " + name.encode())
    (folder / "config.json").write_bytes(b"{}")
    write_list(folder, name, "somebody/there", "0" * 40, "MIT", "many")
    return folder


def test_halves_are_joined_once(shelf: ModelShelf, tmp_path: Path) -> None:
    folder = shelf.folder("whisper-base")
    assert (folder / "model.bin").read_bytes() == b"first second"
    assert (folder / "config.json").read_bytes() == b"{}"
    written = (folder / "model.bin").stat().st_mtime_ns
    assert shelf.folder("whisper-base") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == written
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name]
    assert "test_weights_a" not in sys.modules


def test_a_damaged_join_is_made_again(shelf: ModelShelf) -> None:
    weights = shelf.folder("whisper-base") / "model.bin"
    weights.write_bytes(b"first sesond")
    with pytest.raises(ModelUnavailable, match="are damaged"):
        shelf.folder("whisper-base")
    assert shelf.folder("whisper-base") == weights.parent
    assert weights.read_bytes() == b"first second"


def test_damaged_packages(shelf: ModelShelf, tmp_path: Path) -> None:
    (tmp_path / "packages" / "test_weights_b" / "part2").write_bytes(b"sexond")
    with pytest.raises(ModelUnavailable, match="install its packages again"):
        shelf.folder("whisper-base")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_package(shelf: ModelShelf, tmp_path: Path, packaged: PackagedModel) -> None:
    (tmp_path / "packages" / "test_weights_b" / "part2").unlink()
    assert shelf.here() == []
    with pytest.raises(UnknownModel):
        shelf.folder("whisper-base")
    with pytest.raises(ModelUnavailable, match="needs the package 'test-weights-b'"):
        packaged.folder(tmp_path / "cache")


def test_what_packages_state_of_their_licence(shelf: ModelShelf, tmp_path: Path) -> None:
    metadata = tmp_path / "packages" / "test_weights_a-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.4\nName: test-weights-a\nVersion: 1.0\nLicense-Expression: MIT\n")
    (model,) = shelf.here()
    assert model.packages == {"test-weights-a": "MIT", "test-weights-b": None}


@pytest.mark.parametrize("model", [each for each in PACKAGED if each.is_here()], ids=lambda each: str(each.name))
def test_the_packages_and_the_catalogue_state_the_same(model: PackagedModel) -> None:
    assert set(model.stated().values()) == {CATALOGUE[model.name].licence}


def test_the_list(shelf: ModelShelf) -> None:
    put(shelf, "whisper-small")
    put(shelf, "somebody/tuned")
    assert [model.id for model in shelf.here()] == ["whisper-base", "somebody/tuned", "whisper-small"]
    (info, *_) = shelf.models()
    assert (info.id, info.engine, info.translates, info.problem) == ("whisper-base", "whisper", True, None)
    assert {"en", "zh", "ja", "pt"} <= set(info.languages)
    put(shelf, "whisper-base")
    assert next(model.folder for model in shelf.here()) == shelf.place_of("whisper-base"), "a pulled one comes first"


def test_damage_is_found(shelf: ModelShelf) -> None:
    folder = put(shelf, "whisper-small")
    assert shelf.folder("whisper-small") == folder
    (folder / "model.bin").write_bytes(b"Weights of whisper-small")
    with pytest.raises(ModelUnavailable, match=r"model\.bin.*models pull whisper-small"):
        shelf.folder("whisper-small")
    (folder / "model.bin").unlink()
    assert "model.bin is missing" in str(next(m.problem for m in shelf.models() if m.id == "whisper-small"))


def test_folders_that_are_no_models(shelf: ModelShelf) -> None:
    put(shelf, "whisper-small")
    (shelf.home / "notes").mkdir()
    (shelf.home / "broken").mkdir()
    (shelf.home / "broken" / "vivavoce.model.json").write_text('{"files": []}')
    (shelf.home / "readme.txt").touch()
    assert [model.id for model in shelf.here()] == ["whisper-base", "whisper-small"]


def test_removing(shelf: ModelShelf) -> None:
    folder = put(shelf, "somebody/tuned")
    shelf.remove("somebody/tuned")
    assert not folder.exists()
    assert list(shelf.home.iterdir()) == []
    with pytest.raises(UnknownModel):
        shelf.remove("somebody/tuned")
    with pytest.raises(ModelPackError, match="installed package"):
        shelf.remove("whisper-base")


@pytest.mark.parametrize("model", [model for model in PACKAGED if model.is_here()], ids=lambda m: m.parts[0][0])
def test_the_embedded_models(tmp_path: Path, model: PackagedModel) -> None:
    weights = Weights(model.folder(tmp_path))
    assert weights.shape.vocabulary == (51864 if model.name.endswith(".en") else 51865)


def test_both_embedded_models_are_installed() -> None:
    assert {"whisper-base", "whisper-tiny.en"} <= {model.name for model in PACKAGED if model.is_here()}
