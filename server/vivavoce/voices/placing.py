"""Puts a finished folder in its place or takes one away: after a power cut or a full disk it is the old or the new one.

What is put together lies in a hidden folder beside its place, which its maker holds locked; one that nobody holds was
left by a process that died, and goes at the next look; an old folder that was only set aside comes back. Nothing is
moved before it has reached the disk, and an old folder goes only when the new one is in its place. Knows folders, not
voices. Called by `install.py` and `store.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAGING_PREFIX = ".adding-"
REMOVING_PREFIX = ".removing-"
ASIDE_PREFIX = ".aside-"
LOCK_FILE = "lock"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staging(home: Path) -> Iterator[Path]:
    """A hidden folder on the file system of `home`, gone afterwards, also when the process was killed meanwhile.

    Raises:
        OSError: If it cannot be made.
    """
    home.mkdir(parents=True, exist_ok=True)
    sweep(home)
    folder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=home))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(built: Path, target: Path, *, overwrite: bool = False) -> None:
    """Move a finished folder to `target`, on the same file system; what was there is gone, or left where `built` was.

    Raises:
        FileExistsError: If there is something and `overwrite` is not set.
        OSError: If it cannot be done; `target` is then as it was.
    """
    flush(built)
    if overwrite and target.exists():
        _exchange(built, target)
    else:
        try:
            os.rename(built, target)
        except OSError as error:
            if error.errno == errno.ENOTEMPTY:
                raise FileExistsError(errno.EEXIST, "it is there already", str(target)) from error
            raise
    flush_folder(target.parent)


def discard(folder: Path) -> None:
    """Take a folder away at once; it disappears whole, whatever happens while its files are deleted.

    Raises:
        OSError: If it cannot be done; the folder is then as it was.
    """
    doomed = Path(tempfile.mkdtemp(prefix=REMOVING_PREFIX, dir=folder.parent))
    try:
        with _locked(doomed):
            os.rename(folder, doomed / "folder")
            flush_folder(folder.parent)
    finally:
        shutil.rmtree(doomed, ignore_errors=True)


def sweep(home: Path) -> None:
    """Delete what processes that died have left half done, and put back what they had set aside.

    Any number of processes may do it at once.
    """
    for prefix in (ASIDE_PREFIX, STAGING_PREFIX, REMOVING_PREFIX):
        for folder in home.glob(f"{prefix}*"):
            with contextlib.suppress(OSError), _locked(folder):
                if prefix == ASIDE_PREFIX:
                    _put_back(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _put_back(aside: Path) -> None:
    """What lies in there takes its place again, unless something new has it.

    Raises:
        OSError: If it cannot be done; it stays where it is.
    """
    for old in aside.iterdir():
        if old.name != LOCK_FILE and not (aside.parent / old.name).exists():
            os.rename(old, aside.parent / old.name)
            flush_folder(aside.parent)


def flush(folder: Path) -> None:
    """Make sure that every file in it has reached the disk.

    Raises:
        OSError: If one could not be written.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            flush_file(Path(parent) / name)
        flush_folder(Path(parent))


def flush_file(path: Path) -> None:
    """Wait until the disk has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Its list of names; file systems that know no such thing need none."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends.

    Raises:
        BlockingIOError: If somebody else holds it.
    """
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _exchange(built: Path, target: Path) -> None:
    """Put one in the place of the other: in one step where the system can, else in two with a way back."""
    if exchange_at_once(built, target):
        return
    aside = Path(tempfile.mkdtemp(prefix=ASIDE_PREFIX, dir=target.parent))
    try:
        with _locked(aside):
            os.rename(target, aside / target.name)
            try:
                os.rename(built, target)
            except OSError:
                os.rename(aside / target.name, target)
                raise
    finally:
        if target.exists():  # else the old one is in there, and nowhere else
            shutil.rmtree(aside, ignore_errors=True)


def exchange_at_once(one: Path, other: Path) -> bool:
    """True where it was done; False where the system or file system cannot. Source: renameat2(2)."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))
