"""Zipped packs that lie, climb, swell or carry code: refused, and nothing is written outside or left behind."""

from __future__ import annotations

import contextlib
import errno
import io
import random
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import InvalidVoicePack, VivaVoceError, VoicePackError
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
    "//host/share/evil.bin",
    "\\\\host\\evil.bin",
    "a/b\\..\\evil.bin",
    "a/../evil.bin",
    "a/.. /evil.bin",
    "a/.../evil.bin",
    ".",
    "/",
    "a\u202enib.bin",
    "a\u200b.bin",
    "inner.zip",
    "evil.bin ",
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


def of_mode(target: Path, name: str, mode: int) -> Path:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return target


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
@pytest.mark.parametrize("name", ["link.bin", "LICENSE", "folder/"])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int, name: str) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="link or a device"):
        unpack(of_mode(tmp_path / "pack.zip", name, kind | 0o777), tmp_path / "out")
    assert everything_below(tmp_path / "out") == []


@pytest.mark.parametrize("mode", [0, stat.S_IFREG, stat.S_IFREG | 0o6777])
def test_modes_are_not_taken_over(tmp_path: Path, mode: int) -> None:
    (tmp_path / "out").mkdir()
    unpack(of_mode(tmp_path / "pack.zip", "a.bin", mode), tmp_path / "out")
    assert (tmp_path / "out" / "a.bin").stat().st_mode & 0o7000 == 0
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"/etc/passwd"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.bin", "a.bin"),
        ("a.bin", "A.bin"),
        ("a.bin", "./a.bin"),
        ("a/b.bin", "a//b.bin"),
        ("\u00e9.bin", "e\u0301.bin"),
        ("stra\u00dfe.bin", "STRASSE.bin"),
    ],
)
def test_the_same_name_twice_is_refused(tmp_path: Path, one: str, other: str) -> None:
    """Whatever file system it is unpacked to: one that folds case or accents would write the second over the first."""
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.writestr(one, b"1")
        archive.writestr(other, b"2")
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="twice"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


@pytest.mark.parametrize(("one", "other"), [("a.bin", "a.bin/b.bin"), ("a.bin/b.bin", "a.bin")])
def test_a_file_is_no_folder(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack):
        unpack(zipped(tmp_path / "pack.zip", {one: b"1", other: b"2"}), tmp_path / "out")


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


def sharing(names: list[str], content: bytes) -> bytes:
    """An archive whose entries all inflate the same bytes: each header hides those behind it in its extra field."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(names[-1], content)
    single = buffer.getvalue()
    at = single.index(b"PK\x01\x02")
    local, stream, listed = single[:30], single[30 + len(names[-1]) : at], single[at : at + 46]
    headers, directory = b"", b""
    for index, name in enumerate(names):
        hidden = (len(names) - 1 - index) * (30 + len(name) + 4)
        header, entry = bytearray(local), bytearray(listed)
        struct.pack_into("<HH", header, 26, len(name), 4 + hidden)
        struct.pack_into("<HHH", entry, 28, len(name), 0, 0)
        struct.pack_into("<L", entry, 42, len(headers))
        headers += bytes(header) + name.encode() + struct.pack("<HH", 0x9999, hidden)
        directory += bytes(entry) + name.encode()
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(names), len(names), len(directory), len(headers + stream), 0)
    return headers + stream + directory + end


def test_entries_that_share_their_bytes_are_counted_once(tmp_path: Path) -> None:
    """Thirty files of an honest ratio are one file's bytes thirty times."""
    content = random.Random(1).randbytes(40_000) + bytes(360_000)  # a tenth of it remains
    (tmp_path / "pack.zip").write_bytes(sharing([f"{n:02}.bin" for n in range(30)], content))
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="times its size"):
        unpack(tmp_path / "pack.zip", tmp_path / "out", ArchiveLimits(ratio_free_bytes=0))
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) < 25 * 40_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_all_at_once_are_not_read(tmp_path: Path, method: int) -> None:
    """A kilobyte of bzip2 became 1.5 GB of memory before the first byte was counted."""
    archive = zipped(tmp_path / "pack.zip", {"a.bin": bytes(1 << 20)}, method)
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="neither stored nor deflated"):
        unpack(archive, tmp_path / "out")
    assert everything_below(tmp_path / "out") == []


def directory_of(entries: int, claimed: int, *, zip64: bool) -> bytes:
    """A directory of empty files and nothing else; its end tells of `claimed` entries."""
    one = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, *[0] * 8, 5, *[0] * 6)
    listed = b"".join(one + b"%05x" % n for n in range(entries))
    if not zip64:
        return listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, claimed, claimed, len(listed), 0, 0)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, claimed, claimed, len(listed), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(listed), 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return listed + end + locator + last


@pytest.mark.parametrize("claimed", [1, 30_000])
@pytest.mark.parametrize("zip64", [False, True])
def test_a_directory_of_thousands_is_refused_unread(
    tmp_path: Path, claimed: int, zip64: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pack.zip").write_bytes(directory_of(30_000, claimed, zip64=zip64))
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *_: pytest.fail("an entry was read"))
    with pytest.raises(InvalidVoicePack, match="directory is too large"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = VoiceStore([VoiceDirectory(tmp_path / "voices")])
    archive = zipped(tmp_path / "anna.zip", {"tts_models/a.bin": b"x"})
    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(VoicePackError, match=r"could not be written.*No space left"):
        add(store, archive)


EDGES = (0, 1, 8, 20, 45, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
HEADERS = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07")


@pytest.mark.parametrize("seed", range(4))
def test_headers_that_lie_are_refused_or_harmless(tmp_path: Path, seed: int) -> None:
    """One to three fields of the headers take a value from the edge of their range, or bytes are flipped or cut."""
    rng = random.Random(seed)
    whole = zipped(tmp_path / "whole.zip", {"tts_models/\u00e9.bin": bytes(range(256)), "b.json": b"{}"}).read_bytes()
    large = directory_of(3, 3, zip64=True)
    (tmp_path / "out").mkdir()
    refused = 0
    for _ in range(300):
        content = bytearray(rng.choice((whole, large)))
        for _ in range(rng.randint(1, 3)):
            tamper(content, rng)
        (tmp_path / "pack.zip").write_bytes(content)
        try:
            unpack(tmp_path / "pack.zip", tmp_path / "out")
        except InvalidVoicePack:
            refused += 1
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "out").mkdir()
    assert refused > 100
    assert everything_below(tmp_path) == ["out", "pack.zip", "whole.zip"]


def tamper(content: bytearray, rng: random.Random) -> None:
    place = content.find(rng.choice(HEADERS))
    size = rng.choice((1, 2, 4, 8))
    if place < 0 or rng.random() < 0.3:
        place = rng.randrange(len(content) + 1)
    else:
        place += rng.randrange(4, 50)
    if rng.random() < 0.1:
        del content[place:]
    elif place + size <= len(content):
        value = rng.choice((*EDGES, rng.getrandbits(64))) & ((1 << 8 * size) - 1)
        content[place : place + size] = value.to_bytes(size, "little")


def test_a_name_in_another_charset_is_damage(tmp_path: Path) -> None:
    content = zipped(tmp_path / "pack.zip", {"\u00e9.bin": b"x"}).read_bytes()
    (tmp_path / "pack.zip").write_bytes(content.replace("\u00e9".encode(), b"\xff\xfe"))
    (tmp_path / "out").mkdir()
    with pytest.raises(InvalidVoicePack, match="damaged"):
        unpack(tmp_path / "pack.zip", tmp_path / "out")


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
