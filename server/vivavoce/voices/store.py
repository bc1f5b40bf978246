"""The voices on disk, by id: found in a few folders, seen anew at every look, verified before they are loaded.

A client's word is looked up among the ids found and never becomes part of a path. Reading a listing costs a few stat
calls a voice; unchanged packs are not read again, so voices that come or go are seen without a restart. Called by the
Genie engine, the command line and the routes that clone. Knows nothing of engines.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vivavoce.config import VoiceSettings
from vivavoce.errors import UnknownVoice, VoicePackError, VoiceUnavailable
from vivavoce.voices.checksums import HashRecords, verify
from vivavoce.voices.pack import BASE_PREFIX, VoicePack, is_pack, read_pack, with_base
from vivavoce.voices.placing import sweep

logger = logging.getLogger(__name__)

RESCAN_S = 1.0  # a server lists its voices at every request; 200 of them take 30 ms to look through
Stamp = tuple[tuple[str, int, int], ...]  # name, size and mtime_ns of everything in a pack's folders


@dataclass(frozen=True, slots=True)
class VoiceDirectory:
    """A folder of voice packs (or one pack). Those of a `preload` folder are loaded at start."""

    path: Path
    preload: bool = False


def open_store(settings: VoiceSettings) -> VoiceStore:
    """The voices of a configuration: `./voices`, `./models` and the folders it names are preloaded, those
    of the data folder not.

    New voices go to the first folder it names that can be written (a container's may be mounted read-only), else to the
    data folder. What a killed process left is swept away.
    """
    data = settings.data_dir / "voices"
    directories = [VoiceDirectory(path, preload=path != data) for path in settings.folders()]
    home = next((folder for folder in settings.voices if _can_be_written(folder)), data)
    for directory in directories:
        sweep(directory.path)
    return VoiceStore(directories, home=home, records=settings.data_dir / "records", rescan_s=RESCAN_S)


def _can_be_written(folder: Path) -> bool:
    """Whether new things may be made in a folder that is there, or in the nearest one above it."""
    there = next((each for each in (folder, *folder.absolute().parents) if each.exists()), Path("/"))
    return os.access(there, os.W_OK | os.X_OK)


class VoiceStore:
    """The packs in some folders.

    Args:
        directories: looked through in this order; where two hold a voice of the same id the first wins.
        home: where new voices go; the last directory when not given.
        records: folder for what is remembered of packs; None remembers nothing and hashes at every load.
        rescan_s: a listing younger than this is given again if no voice came or went since; 0 always looks.
    """

    def __init__(
        self,
        directories: Sequence[VoiceDirectory],
        *,
        home: Path | None = None,
        records: Path | None = None,
        rescan_s: float = 0.0,
    ) -> None:
        if not directories:
            raise ValueError("a voice store needs a directory")
        self._directories = tuple(directories)
        self.home = home or self._directories[-1].path
        self.records = HashRecords(records)
        self._read: dict[Path, tuple[Stamp, VoicePack]] = {}
        self._lock = threading.Lock()
        self._warned: set[str] = set()
        self._rescan_s = rescan_s
        self._listed: tuple[float, tuple[int, ...], Sequence[VoicePack]] | None = None  # when, folders' times, what

    def list(self) -> list[VoicePack]:
        """Every voice, damaged ones included (`problem`), sorted by id."""
        with self._lock:
            times = tuple(_mtime_ns(directory.path) for directory in self._directories)
            now = time.monotonic()
            if self._listed is None or self._listed[1] != times or now - self._listed[0] >= self._rescan_s:
                self._listed = now, times, self._scan()
            return [*self._listed[2]]

    def get(self, voice_id: str) -> VoicePack:
        """The voice of that id, damaged or not.

        Raises:
            UnknownVoice: If there is none.
        """
        packs = {pack.id: pack for pack in self.list()}
        if voice_id not in packs:
            raise UnknownVoice(voice_id, packs)
        return packs[voice_id]

    def verified(self, voice_id: str, *, thorough: bool = False, trust: bool = False) -> VoicePack:
        """The voice of that id after its files were compared with what they must be; call it before loading.

        Args:
            thorough: hash everything, whatever is remembered.
            trust: take the files as they are now for right.

        Raises:
            UnknownVoice: If there is none.
            VoiceUnavailable: If a file is missing or damaged; the sentence names it.
        """
        with self._lock:
            self._listed = None  # nobody loads what was true a second ago
        pack = self.get(voice_id)
        try:
            if pack.base is None:
                return verify(pack, self.records, thorough=thorough, trust=trust)
            own = {name: file for name, file in pack.files.items() if not name.startswith(BASE_PREFIX)}
            alone = verify(replace(pack, files=own), self.records, thorough=thorough, trust=trust)
        except VoicePackError as error:
            raise VoiceUnavailable(f"voice '{voice_id}' is damaged: {error.message}", param="voice") from error
        return with_base(alone, self.verified(pack.base, thorough=thorough))

    def clones_of(self, voice_id: str) -> Sequence[str]:
        """Ids of the voices that speak with the weights of this one."""
        return [pack.id for pack in self.list() if pack.base == voice_id]

    def _scan(self) -> Sequence[VoicePack]:
        found: dict[str, VoicePack] = {}
        for folder, preload in self._folders():
            pack = self._pack(folder, preload)
            if pack is not None and found.setdefault(pack.id, pack) is not pack:
                self._warn(f"voice '{pack.id}' is there twice; {found[pack.id].path} is used, not {pack.path}")
        self._read = {path: kept for path, kept in self._read.items() if path.is_dir()}
        return [
            pack if pack.base is None else with_base(pack, found.get(pack.base)) for _, pack in sorted(found.items())
        ]

    def _folders(self) -> Iterator[tuple[Path, bool]]:
        for directory in self._directories:
            if is_pack(directory.path):
                yield directory.path.resolve(), directory.preload
                continue
            try:
                entries = sorted(os.scandir(directory.path), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir():
                    yield Path(entry.path), directory.preload

    def _pack(self, folder: Path, preload: bool) -> VoicePack | None:
        try:
            stamp = _stamp(folder)
            if (known := self._read.get(folder)) is not None and known[0] == stamp:
                return known[1]
            if not is_pack(folder):
                return None
            pack = read_pack(folder, preload=preload)
        except VoicePackError as error:
            self._warn(error.message)
            return None
        except OSError:  # removed while we looked
            return None
        self._read[folder] = stamp, pack
        return pack

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.add(sentence)
            logger.warning("%s", sentence)


def _mtime_ns(folder: Path) -> int:
    """Changes when something appears in the folder or goes; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _stamp(folder: Path) -> Stamp:
    """Changes whenever a file of the pack is added, removed, replaced or written to."""
    entries: list[tuple[str, int, int]] = []
    for part in (folder, folder / "tts_models", folder / "reference", folder / "prompt_wav"):
        try:
            listing = list(os.scandir(part))
        except FileNotFoundError:
            continue
        for entry in listing:
            status = entry.stat()
            entries.append((entry.path, status.st_size, status.st_mtime_ns))
    return tuple(sorted(entries))
