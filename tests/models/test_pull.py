"""Pulling from a stand-in of the hub: as it is or converted, resumed, repaired, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from vivavoce.engines.whisper.weights import Weights
from vivavoce.errors import DownloadError, ModelPackError
from vivavoce.hub import Hub
from vivavoce.models.catalogue import CATALOGUE, KnownModel
from vivavoce.models.pull import model_to_pull, pull
from vivavoce.models.shelf import ModelShelf
from whisper_original import safetensors, torch_zip, write_small

READY = {
    "model.bin": b"weights" * 40_000,
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocabulary.json": b"[]",
    "preprocessor_config.json": b"{}",
    "README.md": b"about it",
    ".gitattributes": b"",
    "model.fp16.bin": b"more than is needed",
}
SMALL = KnownModel("whisper-small", REPOSITORY, COMMIT, "ctranslate2", 1)


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "models", tmp_path / "cache", [])


@pytest.fixture
def original(tmp_path: Path) -> dict[str, bytes]:
    """A small model as transformers saves it, and what else lies in such repositories."""
    tensors = write_small(tmp_path / "original")
    files = {path.name: path.read_bytes() for path in (tmp_path / "original").iterdir()}
    more = {"flax_model.msgpack": b"x", "tf_model.h5": b"x", "pytorch_model.bin": b"x", "run.py": b"x"}
    return files | more | {"model.safetensors": safetensors(tensors)}


def hub(server: HubStandIn, revision: str = COMMIT) -> Hub:
    return Hub(REPOSITORY, revision, endpoint=server.endpoint, retry_wait_s=0.0)


def fetched(server: HubStandIn) -> set[str]:
    return {request.path.removeprefix("/cdn/") for request in server.downloads()}


@pytest.fixture
def ready() -> Iterator[HubStandIn]:
    with HubStandIn(READY) as server:
        yield server


def test_as_it_is(ready: HubStandIn, shelf: ModelShelf) -> None:
    told: list[tuple[str, float]] = []
    folder, done = pull(SMALL, shelf, lambda what, part: told.append((what, part)), hub=hub(ready))
    assert done
    assert fetched(ready) == set(READY) - {"README.md", ".gitattributes", "model.fp16.bin"}
    assert shelf.folder("whisper-small") == folder
    assert (folder / "model.bin").read_bytes() == READY["model.bin"]
    assert [part for _, part in told] == sorted(part for _, part in told)
    assert sorted(path.name for path in shelf.home.iterdir()) == [".pulling", "whisper-small"]
    assert list((shelf.home / ".pulling").iterdir()) == []


def test_nothing_is_fetched_twice(ready: HubStandIn, shelf: ModelShelf) -> None:
    pull(SMALL, shelf, hub=hub(ready))
    before = len(ready.requests)
    folder, done = pull(SMALL, shelf, hub=hub(ready))
    assert not done
    assert len(ready.requests) == before, "not even asked for"
    (folder / "model.bin").write_bytes(b"damaged")
    assert pull(SMALL, shelf, hub=hub(ready)) == (folder, True)
    assert shelf.folder("whisper-small") == folder


def test_an_interrupted_download_goes_on(ready: HubStandIn, shelf: ModelShelf) -> None:
    ready.faults.cuts = [100_000] + [0] * 8
    with pytest.raises(DownloadError, match="run the command again"):
        pull(SMALL, shelf, hub=hub(ready))
    assert shelf.here() == []
    ready.faults.cuts = []
    pull(SMALL, shelf, hub=hub(ready))
    assert 100_000 in {request.start for request in ready.downloads("model.bin")}
    assert [model.id for model in shelf.here()] == ["whisper-small"]


def test_wrong_bytes_never_reach_the_shelf(ready: HubStandIn, shelf: ModelShelf) -> None:
    ready.faults.corrupt = {"model.bin": 9}
    with pytest.raises(DownloadError, match="wrong checksum"):
        pull(SMALL, shelf, hub=hub(ready))
    assert shelf.here() == []


def test_a_branch_is_pinned(ready: HubStandIn, shelf: ModelShelf) -> None:
    folder, _ = pull(model_to_pull(REPOSITORY), shelf, hub=hub(ready, "main"))
    assert json.loads((folder / "vivavoce.model.json").read_text())["revision"] == COMMIT
    assert [model.id for model in shelf.here()] == [REPOSITORY]


def test_converted_on_the_way(original: dict[str, bytes], shelf: ModelShelf) -> None:
    with HubStandIn(original) as server:
        folder, _ = pull(SMALL, shelf, hub=hub(server))
        assert fetched(server) == {"config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"}
    assert Weights(folder).shape.width == 8
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.bin",
        "preprocessor_config.json",
        "tokenizer.json",
        "vivavoce.model.json",
        "vocabulary.json",
    }


def test_pickles_only_where_there_is_nothing_else(
    original: dict[str, bytes], shelf: ModelShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = write_small(tmp_path / "again")
    files = original | {"pytorch_model.bin": torch_zip(tensors, monkeypatch)}
    del files["model.safetensors"]
    with HubStandIn(files) as server:
        folder, _ = pull(SMALL, shelf, hub=hub(server))
        assert "pytorch_model.bin" in fetched(server)
    assert Weights(folder).shape.width == 8


def test_repositories_of_other_things(shelf: ModelShelf) -> None:
    with HubStandIn({"README.md": b"x"}) as server, pytest.raises(DownloadError, match="none of the files"):
        pull(SMALL, shelf, hub=hub(server))
    with HubStandIn({"config.json": b"{}"}) as server, pytest.raises(ModelPackError, match="no weights"):
        pull(SMALL, shelf, hub=hub(server))
    llama = {"config.json": b'{"model_type": "llama"}', "model.safetensors": safetensors({})}
    with HubStandIn(llama) as server, pytest.raises(ModelPackError, match="not whisper"):
        pull(SMALL, shelf, hub=hub(server))
    with HubStandIn({"../model.bin": b"x", "a/../../model.bin": b"x"}) as server, pytest.raises(DownloadError):
        pull(SMALL, shelf, hub=hub(server))
    assert shelf.here() == []


def test_the_old_one_stays_until_the_new_one_stands(
    ready: HubStandIn, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = pull(SMALL, shelf, hub=hub(ready))
    (folder / "config.json").write_bytes(b"[]")  # damaged: it is pulled again

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vivavoce.voices.placing.flush", full)
    with pytest.raises(ModelPackError, match="No space left"):
        pull(SMALL, shelf, hub=hub(ready))
    assert (folder / "config.json").read_bytes() == b"[]", "the old one is there"
    monkeypatch.undo()
    pull(SMALL, shelf, hub=hub(ready))
    assert shelf.folder("whisper-small") == folder
    assert sorted(path.name for path in shelf.home.iterdir()) == [".pulling", "whisper-small"]


def test_what_can_be_named() -> None:
    assert model_to_pull("WHISPER-LARGE-V3") is CATALOGUE["whisper-large-v3"]
    assert model_to_pull("whisper-tiny", "main").revision == "main"
    assert model_to_pull("futo-org/acft-whisper-tiny").revision == "main"
    for name in ("nobody", "../x", "a/b/c", "/etc/passwd", "a b/c", ""):
        with pytest.raises(ModelPackError, match="there is no model"):
            model_to_pull(name)
