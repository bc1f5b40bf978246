"""Whatever fails, wherever the process is killed: the old voice is there or the new one, and nothing hidden stays."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from power_cuts import TRAP, in_a_child, with_room_for
from synthetic_genie_data import reference_clip
from vivavoce.errors import VivaVoceError
from vivavoce.voices import checksums, install, placing, pull
from vivavoce.voices.clip import decode_clip
from vivavoce.voices.install import NewReference, add, clone, remove
from vivavoce.voices.pack import VoicePack
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import TEXT, make_pack

MOST_CALLS = 400


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store's folder; weights are told apart by their lengths here, hashing half a gigabyte a try takes too long."""
    monkeypatch.setattr(install, "hash_file", lambda path: "0" * 64)
    monkeypatch.setattr(install, "require_graph", lambda version, name, sha256: None)
    monkeypatch.setattr(pull, "fetch_all", lambda hub, files, folder, progress: 1)  # `pulling` has laid them there
    monkeypatch.setattr(pull, "wanted", lambda files, hub, installed: files)
    monkeypatch.setattr(pull, "keep_what_is_right", lambda files, installed, folder: None)
    flush_file, flush_folder, exchange = placing.flush_file, placing.flush_folder, placing.exchange_at_once

    def told(function: Callable[..., object]) -> Callable[..., object]:
        def call(path: Path, *more: Path) -> object:
            sys.audit("disk", str(path))
            return function(path, *more)

        return call

    monkeypatch.setattr(placing, "flush_file", told(lambda path: None))
    monkeypatch.setattr(placing, "flush_folder", told(flush_folder))
    monkeypatch.setattr(placing, "exchange_at_once", told(exchange))
    assert callable(flush_file)
    TRAP.root = str(tmp_path / "voices")
    yield tmp_path / "voices"
    TRAP.act = None


def store_of(home: Path) -> VoiceStore:
    placing.sweep(home)  # as every start does
    return VoiceStore([VoiceDirectory(home)])


def adding(home: Path, tmp: Path) -> Callable[[], object]:
    source = make_pack(tmp / "source" / "anna")
    return lambda: add(VoiceStore([VoiceDirectory(home)]), source, move=True)


def replacing(home: Path, tmp: Path) -> Callable[[], object]:
    make_pack(home / "anna", version="v2")
    source = make_pack(tmp / "source" / "anna")
    return lambda: add(VoiceStore([VoiceDirectory(home)]), source, move=True, overwrite=True)


def removing(home: Path, tmp: Path) -> Callable[[], object]:
    make_pack(home / "anna", version="v2")
    return lambda: remove(VoiceStore([VoiceDirectory(home)]), "anna")


def cloning(home: Path, tmp: Path) -> Callable[[], object]:
    make_pack(home / "anna", version="v2")
    reference = NewReference(decode_clip(reference_clip().path), TEXT)
    return lambda: clone(VoiceStore([VoiceDirectory(home)]), "berta", "anna", reference)


def pulling(home: Path, tmp: Path) -> Callable[[], object]:
    """What was fetched lies in a hidden folder of its own, kept for the next try; from there on it is put in place."""
    make_pack(home / "mika", version="v2")
    make_pack(home / ".pulling" / "mika")
    file = SimpleNamespace(name="tts_models/vits_fp16.bin", matches=lambda path: False)
    hub: Any = SimpleNamespace(repository="r", revision="c", files=lambda *_: [file])
    hub.pinned = lambda: hub
    return lambda: pull.pull_voice(hub, "mika", VoiceStore([VoiceDirectory(home)]))


OPERATIONS = {"add": adding, "replace": replacing, "remove": removing, "clone": cloning, "pull": pulling}


def _told(act: Callable[[], object]) -> str | None:
    """The sentence of the error it ended with."""
    try:
        act()
    except VivaVoceError as error:
        return error.message
    return None


def is_right(operation: str, home: Path) -> bool:
    """Old or new, whole, and nothing else in the folder."""
    voices: dict[str, VoicePack] = {pack.id: pack for pack in store_of(home).list()}
    left = {path.name for path in home.iterdir() if path.name != ".pulling"} if home.exists() else set()
    allowed = {
        "add": [set(), {"anna"}],
        "replace": [{"anna"}],
        "remove": [set(), {"anna"}],
        "clone": [{"anna"}, {"anna", "berta"}],
        "pull": [{"mika"}],
    }[operation]
    return (
        set(voices) in allowed
        and left == set(voices)
        and all(pack.problem is None for pack in voices.values())
        and not [path for path in home.rglob(".*") if path.name != ".pulling"]
    )


@pytest.mark.parametrize("at_once", [True, False], ids=["exchange", "two-renames"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_call_may_fail(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, code: int, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(placing, "exchange_at_once", lambda built, target: False)

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    for number in range(MOST_CALLS):
        tmp = tmp_path / str(number)
        act = OPERATIONS[operation](home, tmp)
        TRAP.left, TRAP.act = number, fail
        told = _told(act)
        assert told is None or os.strerror(code) in told, told
        finished = TRAP.act is not None
        TRAP.act = None
        assert is_right(operation, home), f"call {number} failed: {sorted(home.rglob('*'))}"
        shutil.rmtree(home, ignore_errors=True)
        if finished:
            assert number > 3, "nothing was tried"
            return
    pytest.fail("the operation makes more calls than are tried")


@pytest.mark.parametrize(
    ("operation", "at_once"), [*((each, True) for each in OPERATIONS), ("replace", False), ("pull", False)]
)
def test_a_killed_process_leaves_old_or_new(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, at_once: bool
) -> None:
    if not at_once:  # file systems that cannot exchange: of networks, of overlays
        monkeypatch.setattr(placing, "exchange_at_once", lambda built, target: False)
    for number in range(MOST_CALLS):
        act = OPERATIONS[operation](home, tmp_path / str(number))
        TRAP.left, TRAP.act = number, lambda: os._exit(9)
        finished = in_a_child(act) != 9
        TRAP.act = None
        assert is_right(operation, home), f"killed at call {number}: {sorted(home.rglob('*'))}"
        shutil.rmtree(home, ignore_errors=True)
        if finished:
            assert number > 3
            return
    pytest.fail("the operation makes more calls than are tried")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_file_may_find_no_room(home: Path, tmp_path: Path, operation: str) -> None:
    """Written bytes are refused, at every length that a file of a voice has."""
    OPERATIONS[operation](home, tmp_path / "sizes")()
    made = [*home.rglob("*"), *(tmp_path / "sizes").rglob("*")]
    sizes = sorted({path.stat().st_size for path in made if path.is_file()} | {1})
    shutil.rmtree(home, ignore_errors=True)
    refused = 0
    for number, size in enumerate(sizes):
        act = OPERATIONS[operation](home, tmp_path / str(number))

        def short(act: Callable[[], object] = act, size: int = size) -> None:
            with_room_for(max(0, size - 1))
            act()

        refused += in_a_child(short)
        assert is_right(operation, home), f"no file over {size - 1} bytes: {sorted(home.rglob('*'))}"
        shutil.rmtree(home, ignore_errors=True)
    assert refused >= (operation != "remove"), "nothing was refused"


def test_a_source_that_was_to_be_moved_stays_where_the_voice_comes_to_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_pack(tmp_path / "source" / "anna")
    before = sorted(path.name for path in source.rglob("*"))

    def full(built: Path, target: Path, *, overwrite: bool) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(install, "place", full)
    with pytest.raises(VivaVoceError, match="No space left"):
        add(VoiceStore([VoiceDirectory(home)]), source, move=True)
    assert sorted(path.name for path in source.rglob("*")) == before


def test_what_somebody_is_putting_together_is_not_swept_away(home: Path) -> None:
    with placing.staging(home) as folder:
        (folder / "half").write_text("of it")
        store_of(home)
        assert (folder / "half").exists()
    assert list(home.iterdir()) == []


def test_a_list_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "voice.sha256.json"
    checksums.write_json(path, {"old": 1})

    def full(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        checksums.write_json(path, {"new": 1})
    assert path.read_text() == '{\n "old": 1\n}'
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_everything_has_reached_the_disk_before_it_is_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves a voice of the right name and no content."""
    steps: list[str] = []
    rename, flush_file, flush_folder = os.rename, placing.flush_file, placing.flush_folder

    def note(name: str, function: Callable[..., None]) -> Callable[..., None]:
        def call(path: Path, *more: Path) -> None:
            steps.append(f"{name} {Path(path).name}")
            function(path, *more)

        return call

    monkeypatch.setattr(placing, "flush_file", note("flush", flush_file))
    monkeypatch.setattr(placing, "flush_folder", note("flush", flush_folder))
    monkeypatch.setattr(os, "rename", note("rename", rename))
    built = tmp_path / "built"
    (built / "inner").mkdir(parents=True)
    for name in ("one", "inner/two"):
        (built / name).write_text(name)
    placing.place(built, tmp_path / "voice")
    assert steps.index("rename built") == len(steps) - 2
    assert set(steps[:-2]) == {"flush one", "flush two", "flush built", "flush inner"}
    assert steps[-1] == f"flush {tmp_path.name}"
