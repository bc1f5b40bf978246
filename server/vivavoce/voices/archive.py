"""Unpacks a zipped voice pack without believing anything the archive says.

Only data files come out, and only below the folder given. The directory is bounded before it is read, names are checked
before a byte is written, and bytes are counted while they are inflated, so a lying header gains nothing. Only the two
methods are read whose output can be taken piece by piece. A refused archive leaves the folder as it was found
up to the files written so far; the caller unpacks into a folder of its own and drops it. Called by `install.py`.
"""

from __future__ import annotations

import errno
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from vivavoce.errors import InvalidVoicePack

DATA_SUFFIXES = frozenset({".bin", ".onnx", ".json", ".wav", ".flac", ".ogg"})
TEXT_SUFFIXES = frozenset({".md", ".txt", ""})  # read-me files and licences: harmless, left in the archive
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # bzip2 and LZMA inflate what they get all at once
BLOCK_BYTES = 1 << 20  # also the most that is read of the archive at once, its directory included
MAX_DEPTH = 6
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may cost.

    Attributes:
        entries: files and folders; a real pack has about 15.
        total_bytes: inflated; a real pack has 0.34 GB.
        ratio: inflated to stored bytes, of which there are no more than the file has; counted beyond
            `ratio_free_bytes` (graphs alone shrink to a fifteenth, weights hardly at all).
        ratio_free_bytes: inflated bytes to which the ratio does not apply.
    """

    entries: int = 64
    total_bytes: int = 2 << 30
    ratio: float = 20.0
    ratio_free_bytes: int = 16 << 20


_DAMAGE = (  # what zipfile raises at headers and streams that are not what they should be
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,  # names that are not in their charset, places before the beginning
    OverflowError,
)


def unpack(
    archive: Path,
    folder: Path,
    limits: ArchiveLimits | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Unpack `archive` into `folder`, which must exist.

    Args:
        progress: is told the fraction done, 0..1.

    Raises:
        InvalidVoicePack: If it is no zip, is damaged, is over a limit, or holds anything but data files.
        OSError: If there is no room for it.
    """
    limits = limits or ArchiveLimits()
    try:
        with archive.open("rb") as file, zipfile.ZipFile(cast(IO[bytes], _SmallReads(file))) as opened:
            entries = _checked_entries(opened, limits)
            expected = sum(entry.file_size for entry, _ in entries)
            budget = _Budget(limits, archive.stat().st_size, expected, progress)
            for entry, name in entries:
                _extract(opened, entry, folder.joinpath(*name.parts), budget)
    except _DAMAGE as error:
        raise InvalidVoicePack(f"the archive is damaged: {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # the archive is not to blame
        raise InvalidVoicePack(f"the archive cannot be read: {error.strerror or error}") from error


def _checked_entries(archive: zipfile.ZipFile, limits: ArchiveLimits) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise InvalidVoicePack(f"the archive has {len(entries)} entries; the limit is {limits.entries}")
    kept: dict[str, tuple[zipfile.ZipInfo, PurePosixPath]] = {}
    for entry in entries:
        name = _safe_name(entry)
        if entry.is_dir() or name.parts[0] == "__MACOSX" or name.name == ".DS_Store":
            continue
        suffix = name.suffix.lower()
        if suffix in TEXT_SUFFIXES and suffix not in DATA_SUFFIXES:
            continue
        if suffix not in DATA_SUFFIXES:
            raise InvalidVoicePack(f"the archive holds {_shown(entry)}; a voice pack is made of data files only")
        if entry.flag_bits & 0x1:
            raise InvalidVoicePack(f"the archive's {_shown(entry)} is encrypted")
        if entry.compress_type not in METHODS:
            raise InvalidVoicePack(f"the archive's {_shown(entry)} is neither stored nor deflated; zip it plainly")
        if kept.setdefault(_same_name(name), (entry, name))[0] is not entry:
            raise InvalidVoicePack(f"the archive holds {_shown(entry)} twice")
    return list(kept.values())


def _same_name(name: PurePosixPath) -> str:
    """Equal for names that are one file on some file system: they differ in case, or in how an accent is written."""
    return unicodedata.normalize("NFC", str(name).casefold())


def _safe_name(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's name, which stays below the folder it is unpacked into whatever the operating system."""
    name = PurePosixPath(entry.filename)
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidVoicePack(f"the archive's {_shown(entry)} is a link or a device")
    plain = entry.orig_filename.isprintable() and not set(entry.orig_filename) & set('\\:*?"<>|')
    climbs = any(not part.strip(" .") for part in name.parts)  # ".. " is ".." where blanks at the end do not count
    if not plain or name.is_absolute() or climbs or not name.parts or len(str(name)) > MAX_NAME:
        raise InvalidVoicePack(f"the archive holds a path that leaves its folder: {_shown(entry)}")
    if len(name.parts) > MAX_DEPTH:
        raise InvalidVoicePack(f"the archive's {_shown(entry)} lies too deep")
    return name


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    budget.begin(entry)
    with archive.open(entry) as source, target.open("xb") as file:
        while block := source.read(BLOCK_BYTES):
            budget.spend(len(block))
            file.write(block)


class _SmallReads:
    """A file of which only so much is read at once: a directory that claims to be larger is refused unread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, count: int = -1) -> bytes:
        """As a file's.

        Raises:
            InvalidVoicePack: If it is more than any part of a voice pack takes.
        """
        content = self._file.read(count if 0 <= count <= BLOCK_BYTES else BLOCK_BYTES + 1)
        if len(content) > BLOCK_BYTES:
            raise InvalidVoicePack("the archive's directory is too large for a voice pack's")
        return content


class _Budget:
    """Counts what was inflated, over all entries."""

    def __init__(
        self, limits: ArchiveLimits, size: int, expected: int, progress: Callable[[float], None] | None
    ) -> None:
        self._limits, self._expected, self._progress = limits, max(1, expected), progress
        self._size = size
        self._stored = self._inflated = 0

    def begin(self, entry: zipfile.ZipInfo) -> None:
        self._stored = min(self._size, self._stored + entry.compress_size)  # entries may lie, or share their bytes

    def spend(self, count: int) -> None:
        self._inflated += count
        if self._inflated > self._limits.total_bytes:
            raise InvalidVoicePack(f"the archive inflates to more than {self._limits.total_bytes} bytes")
        counted = self._inflated - self._limits.ratio_free_bytes
        if counted > self._limits.ratio * self._stored:
            raise InvalidVoicePack(f"the archive inflates to more than {self._limits.ratio:g} times its size")
        if self._progress is not None:
            self._progress(min(1.0, self._inflated / self._expected))


def _shown(entry: zipfile.ZipInfo) -> str:
    return "'" + "".join(c for c in entry.filename[:80] if c.isprintable()) + "'"
