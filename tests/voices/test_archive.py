"""Zipped packs that lie, climb, swell or carry code: refused, and nothing is written outside or left behind."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import InvalidVoicePack, VivaVoceError
from vivavoce.voices.archive import ArchiveLimits, unpack
from vivavoce.voices.install import add
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import make_pack, zip_pack


def zipped(target: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target


def everything_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


HOSTILE_NAMES = [
    "../evil.bin",
    "a/../../evil.bin",
    "/etc/evil.bin",
    "..\\evil.bin",
    "C:\\evil.bin",
    "C:evil.bin",
    "a\x07.bin",
    "a/b/c/d/e/f/g.bin",
    "x" * 300 + ".bin",
    "run.py",
    "weights.pickle",
    "model.pth",
    "lib.so",
    "page.html",
    "bin",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES[:-1])
def test_hostile_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep" / "out").mkdir(parents=True)
    archive = zipped(tmp_path / "pack.zip", {name: b"evil"})
    with pytest.raises(InvalidVoicePack):
        unpack(archive, tmp_path / "deep" / "out")
    assert everything_below(tmp_path) == ["deep", "deep/out", "pack.zip"]


@given(st.text(min_size=1, max_size=40).filter(lambda name: "\0" not in name))
def test_no_name_whatever_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.mktemp("zip")
    (root / "deep" / "out").mkdir(parents=True)
    try:
        archive = zipped(root / "pack.zip", {name + ".bin": b"evil"})
    except (ValueError, UnicodeError):
        return  # zipfile itself cannot write that name
    with contextlib.suppress(InvalidVoicePack):
        unpack(archive, root / "deep" / "out")
    outside = [path for path in everything_below(root) if not path.startswith("deep/out")]
    assert outside == ["deep", "pack.zip"]


def test_read_me_files_and_finder_litter_stay_in_the_archive(tmp_path: Path) -> None:
    entries = {
        "README.md": b"read me",
        "LICENSE": b"free",
        "__MACOSX/a.bin": b"x",
        "a/.DS_Store": b"x",
        "a/b.bin": b"y",
    }
    (tmp_path / "out").mkdir()
    unpack(zipped(tmp_path / "pack.zip", entries), tmp_path / "out")
    assert everything_below(tmp_path / "out") == ["a", "a/b.bin"]


def test_links_are_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link.bin")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="link or a device"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")
    assert everything_below(tmp_path / "out") == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr("a.bin", b"1")
        archive.writestr("A.bin", b"2")
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="twice"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


@pytest.mark.parametrize(
    ("entries", "limits", "said"),
    [
        ({f"{n}.bin": b"" for n in range(65)}, ArchiveLimits(), "65 entries"),
        ({"a.bin": bytes(40 << 20)}, ArchiveLimits(), "times its size"),
        ({"a.bin": bytes(3000)}, ArchiveLimits(total_bytes=2000), "more than 2000 bytes"),
        ({f"{n}.bin": bytes(900) for n in range(3)}, ArchiveLimits(total_bytes=2000), "more than 2000 bytes"),
    ],
)
def test_bombs(tmp_path: Path, entries: dict[str, bytes], limits: ArchiveLimits, said: str) -> None:
    archive = zipped(tmp_path / "pack.zip", entries)
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match=said):
        unpack(archive, tmp_path / "out", limits)
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*"))
    assert written <= max(limits.total_bytes if limits.total_bytes < 1 << 20 else 0, 20 << 20)


def test_a_header_that_lies_about_the_size_gains_nothing(tmp_path: Path) -> None:
    """The directory says ten bytes; the stream holds 40 MB of zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", bytes(40 << 20))
    content = bytearray(buffer.getvalue())
    directory = content.index(b"PK\x01\x02")
    for offset in (22, directory + 24):  # uncompressed size in both headers
        struct.pack_into("<I", content, offset, 10)
    (tmp_path / "pack.zip").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack):
        unpack(tmp_path / "pack.zip", tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 1 << 20


def flip(content: bytearray) -> None:
    content[60] ^= 0xFF


def cut(content: bytearray) -> None:
    del content[len(content) // 2 :]


def encrypt(content: bytearray) -> None:
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1


def clear(content: bytearray) -> None:
    content[:] = b"this is no archive"


@pytest.mark.parametrize("damage", [flip, cut, encrypt, clear])
def test_damaged_archives(tmp_path: Path, damage: Callable[[bytearray], None]) -> None:
    archive = zipped(tmp_path / "pack.zip", {"weights.bin": bytes(range(256)) * 20})
    content = bytearray(archive.read_bytes())
    damage(content)
    archive.write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack):
        unpack(archive, tmp_path / "out")


def test_a_hostile_archive_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")])
    for entries in ({"../x.bin": b""}, {"tts_models/vits_fp16.bin": b"short"}, {"notes.json": b"{}"}, {}):
        with pytest.raises(VivaVoceError):
            add(store, zipped(tmp_path / "anna.zip", entries))
        assert everything_below(tmp_path / "voices") == []


def test_a_zipped_voice_is_added_with_or_without_a_folder_around_it(tmp_path: Path) -> None:
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")], records=tmp_path / "records")
    pack = make_pack(tmp_path / "source" / "anna", version="v2")
    for around in ("", "Anna 1.0/"):
        zip_pack(pack, tmp_path / "anna.zip", around)
        added = add(store, tmp_path / "anna.zip", overwrite=True)
        assert (added.id, added.problem) == ("anna", None)
    assert store.verified("anna").version == "v2"
    assert everything_below(tmp_path / "voices")[0] == "anna", "nothing hidden is left"
