"""Writes the folder: voices, the data they share, and the files by which the hub builds and starts it.

It is put together in a hidden folder beside its place and moved there when it is whole; what git keeps in a clone of
the Space stays. Called by `vivavoce space` with voices that were heard to speak.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vivavoce.errors import VoicePackError
from vivavoce.progress import Progress
from vivavoce.space import texts
from vivavoce.space.voice_folders import write_voice
from vivavoce.voices.pack import VoicePack

KEPT = (".git",)
"""What may lie in the folder already: it may be a clone of the Space."""

WHEELS = "wheels"


@dataclass(frozen=True, slots=True)
class SpaceFiles:
    """What a Space is made of.

    Attributes:
        title: for people; its README begins with it.
        license: of the voices, as the hub names licences.
        packs: voices with files, verified; a clone's base is among them.
        embedded: names of voices that come with the package and need no files.
        default: the voice that answers where none is named.
        data: name inside `GenieData/` -> file, what the voices share.
        pull_data: the build downloads that data instead; it is not in the folder then.
        requirement: what pip installs: a requirement, or a wheel or source archive that is copied along.
    """

    title: str
    license: str
    packs: Sequence[VoicePack]
    embedded: Sequence[str]
    default: str
    data: Mapping[str, Path] = field(default_factory=dict)
    pull_data: bool = False
    requirement: str | Path = ""

    @property
    def voices(self) -> list[str]:
        """Ids of all voices, the default one first."""
        found = [*(pack.id for pack in self.packs), *self.embedded]
        return [self.default, *(voice for voice in found if voice != self.default)]


@dataclass(frozen=True, slots=True)
class Written:
    """The folder as it stands: its place, bytes in all, and bytes of each of its parts."""

    folder: Path
    size: int
    parts: Mapping[str, int]


def write_space(files: SpaceFiles, folder: Path, progress: Progress, *, replace: bool = False) -> Written:
    """Write the Space.

    Args:
        replace: take the place of what an earlier run wrote there.

    Raises:
        VoicePackError: If the folder holds something else already, or the disk is full or read-only.
    """
    occupied = [path.name for path in folder.iterdir() if path.name not in KEPT] if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise VoicePackError(f"'{folder}' is a file")
    if occupied and not (replace and texts.MARK in occupied):
        hint = "; --replace writes it anew" if texts.MARK in occupied else "; name an empty folder, or a new one"
        raise VoicePackError(f"'{folder}' is not empty{hint}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".space-", dir=folder))
        try:
            _fill(files, staging, progress)
            for name in occupied:
                _remove(folder / name)
            for path in staging.iterdir():
                os.replace(path, folder / path.name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise VoicePackError(f"'{folder}' cannot be written: {error.strerror or error}") from error
    parts = {path.name: _size(path) for path in sorted(folder.iterdir()) if path.name not in KEPT}
    return Written(folder, sum(parts.values()), parts)


def _fill(files: SpaceFiles, folder: Path, progress: Progress) -> None:
    (folder / "models").mkdir()
    for pack in files.packs:
        write_voice(pack, folder / "models", progress)
    for name, source in files.data.items():
        progress(f"GenieData: {name}", 0.0)
        target = folder / "GenieData" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    requirement = files.requirement
    if isinstance(requirement, Path):
        (folder / WHEELS).mkdir()
        shutil.copyfile(requirement, folder / WHEELS / requirement.name)
    for name, content in texts.all_of(files).items():
        (folder / name).write_text(content, encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _size(path: Path) -> int:
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
    )
