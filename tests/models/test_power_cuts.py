"""Whatever fails, wherever the process is killed: the old model is there or the new one, and nothing hidden stays."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from power_cuts import TRAP, in_a_child, with_room_for
from vivavoce.errors import VivaVoceError
from vivavoce.hub import Hub
from vivavoce.models.catalogue import KnownModel
from vivavoce.models.pull import pull
from vivavoce.models.shelf import ModelShelf
from vivavoce.voices import placing

MODEL = KnownModel("whisper-small", REPOSITORY, COMMIT, "ctranslate2", 1)
FILES = {"model.bin": b"weights" * 9000, "config.json": b"{}", "tokenizer.json": b"[1, 2]", "vocabulary.json": b"[]"}
MOST_CALLS = 200

Act = Callable[[], object]


@pytest.fixture(scope="module")
def server() -> Iterator[HubStandIn]:
    with HubStandIn(FILES) as hub:
        yield hub


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def told(function: Callable[..., object]) -> Callable[..., object]:
        def call(path: Path, *more: Path) -> object:
            sys.audit("disk", str(path))
            return function(path, *more)

        return call

    for name in ("flush_file", "flush_folder", "exchange_at_once"):
        monkeypatch.setattr(placing, name, told(getattr(placing, name)))
    TRAP.root = str(tmp_path / "models")
    yield tmp_path / "models"
    TRAP.act = None


def shelf_of(home: Path) -> ModelShelf:
    return ModelShelf(home, home.parent / "cache", [])


def fetch(home: Path, server: HubStandIn) -> object:
    hub = Hub(REPOSITORY, COMMIT, endpoint=server.endpoint, retry_wait_s=0.0)
    return pull(MODEL, shelf_of(home), hub=hub, as_it_is=True)


def pulling(home: Path, server: HubStandIn) -> Act:
    return lambda: fetch(home, server)


def replacing(home: Path, server: HubStandIn) -> Act:
    """One of another revision is there, whole."""
    fetch(home, server)
    lists = [path for path in shelf_of(home).place_of(MODEL.name).iterdir() if COMMIT in path.read_text("latin-1")]
    for path in lists:
        path.write_text(path.read_text().replace(COMMIT, "0" * len(COMMIT)))
    assert lists
    return lambda: fetch(home, server)


def removing(home: Path, server: HubStandIn) -> Act:
    fetch(home, server)
    return lambda: shelf_of(home).remove(MODEL.name)


OPERATIONS = {"pull": pulling, "replace": replacing, "remove": removing}
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


def error_of(act: Act) -> str | None:
    """The sentence of the error it ended with."""
    try:
        act()
    except VivaVoceError as error:
        return error.message
    return None


def check(operation: str, home: Path, when: str) -> None:
    """Old or new, whole, and nothing else in the folder but what a later pull goes on with."""
    shelf = shelf_of(home)  # as at the next start
    models = [model.id for model in shelf.here()]
    assert models in ([[MODEL.name]] if operation == "replace" else [[], [MODEL.name]]), when
    for model in models:
        folder = shelf.folder(model)
        assert {name: (folder / name).read_bytes() for name in FILES} == FILES, when
    left = {path.name for path in home.iterdir()} if home.exists() else set()
    assert left - {".pulling"} == set(models), when


@pytest.mark.parametrize("at_once", [True, False], ids=["exchange", "two-renames"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@each_operation
def test_every_call_may_fail(
    home: Path, server: HubStandIn, monkeypatch: pytest.MonkeyPatch, operation: str, code: int, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(placing, "exchange_at_once", lambda built, target: False)

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    for number in range(MOST_CALLS):
        act = OPERATIONS[operation](home, server)
        TRAP.left, TRAP.act = number, fail
        told = error_of(act)
        assert told is None or os.strerror(code) in told, told
        finished = TRAP.act is not None
        TRAP.act = None
        check(operation, home, f"call {number} failed")
        shutil.rmtree(home, ignore_errors=True)
        if finished:
            assert number > 3, "nothing was tried"
            return
    pytest.fail("the operation makes more calls than are tried")


@each_operation
def test_a_killed_process_leaves_old_or_new(home: Path, server: HubStandIn, operation: str) -> None:
    for number in range(MOST_CALLS):
        act = OPERATIONS[operation](home, server)
        TRAP.left, TRAP.act = number, lambda: os._exit(9)
        finished = in_a_child(act) != 9
        TRAP.act = None
        check(operation, home, f"killed at call {number}")
        shutil.rmtree(home, ignore_errors=True)
        if finished:
            assert number > 3
            return
    pytest.fail("the operation makes more calls than are tried")


@pytest.mark.parametrize("operation", ["pull", "replace"])
def test_every_file_may_find_no_room(home: Path, server: HubStandIn, operation: str) -> None:
    fetch(home, server)
    made = shelf_of(home).place_of(MODEL.name).iterdir()
    sizes = sorted({size for path in made for size in (path.stat().st_size, path.stat().st_size // 2)})
    shutil.rmtree(home)
    for size in sizes:
        act = OPERATIONS[operation](home, server)

        def short(act: Act = act, size: int = size) -> None:
            with_room_for(max(0, size - 1))
            act()

        assert in_a_child(short) == 1, f"it was content with files of {size - 1} bytes"
        check(operation, home, f"no file over {size - 1} bytes")
        fetch(home, server)
        check("replace", home, "the next pull")
        shutil.rmtree(home)
