"""Downloads the published voices and what they share, GenieData, from Hugging Face. Only ever run by a command.

A voice that is there already is compared with the hub file by file, and only what differs is fetched: that repairs a
broken one. The revision is pinned, so two machines get the same bytes. Called by the command line.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from vivavoce.errors import VoicePackError
from vivavoce.hub import Hub, RemoteFile, fetch_all
from vivavoce.progress import Progress
from vivavoce.voices.checksums import read_manifest, write_json
from vivavoce.voices.install import add
from vivavoce.voices.pack import VoicePack
from vivavoce.voices.store import VoiceStore

REPOSITORY = "High-Logic/Genie"
REVISION = "52b17272e0b7032415e85ad37b551db2386b1810"
GENIE_DATA = "geniedata"
LOCK_FILE = "vivavoce.lock.json"
SUFFIXES = frozenset({".bin", ".onnx", ".json", ".wav", ".flac", ".ogg", ".txt", ".npz", ".rep", ".pickle"})

# Name -> folder in the repository.
CHARACTERS: Mapping[str, str] = MappingProxyType(
    {name: f"CharacterModels/v2ProPlus/{name}" for name in ("mika", "feibi", "thirtyseven")}
)


def pull_voice(hub: Hub, name: str, store: VoiceStore, progress: Progress | None = None) -> tuple[VoicePack, int]:
    """Get a published voice into the store, or repair it there.

    Returns:
        The voice, and how many files were fetched (0: everything was there and right).

    Raises:
        VoicePackError: If there is no such voice, or what came is none.
        DownloadError: If the hub cannot be reached, or what it sends is wrong.
        Conflict: If a voice of that id lies in another folder.
    """
    if name not in CHARACTERS:
        raise VoicePackError(f"there is no published voice '{name}'; there are: {', '.join((*CHARACTERS, GENIE_DATA))}")
    hub = hub.pinned()
    files = hub.files(CHARACTERS[name], _is_of_a_voice)
    installed = {pack.id: pack for pack in store.list()}.get(name)
    folder = store.home / ".pulling" / name
    if installed is not None:
        files = wanted(files, hub, installed.path)
        if all(file.matches(installed.path / file.name) for file in files):
            return installed, 0
        keep_what_is_right(files, installed.path, folder)
    fetched = fetch_all(hub, files, folder, progress)
    origin = {"pull": name, "repository": hub.repository, "revision": hub.revision}
    pack = add(store, folder, overwrite=True, move=True, origin=origin)
    shutil.rmtree(folder, ignore_errors=True)
    return pack, fetched


def pull_genie_data(hub: Hub, folder: Path, progress: Progress | None = None) -> int:
    """Get GenieData into `folder`, or repair it there; how many files were fetched.

    Raises:
        DownloadError: If the hub cannot be reached or what it sends is wrong.
    """
    hub = hub.pinned()
    files = hub.files("GenieData", _is_of_a_voice)
    fetched = fetch_all(hub, files, folder, progress)
    listed = {file.name: {"size": file.size, "sha256": file.sha256, "git_sha1": file.git_sha1} for file in files}
    write_json(folder / LOCK_FILE, {"repository": hub.repository, "revision": hub.revision, "files": listed})
    return fetched


def _is_of_a_voice(path: str) -> bool:
    """Raises VoicePackError for what no voice needs: it may be a program."""
    if PurePosixPath(path).suffix.lower() not in SUFFIXES:
        raise VoicePackError(f"the hub lists '{path}', which is no file of a voice")
    return True


def wanted(files: Sequence[RemoteFile], hub: Hub, installed: Path) -> Sequence[RemoteFile]:
    """The files an installed voice of this revision was made of; the hub's folder may hold others (a read-me file)."""
    try:
        manifest = read_manifest(installed)
    except VoicePackError:
        return files
    if manifest is None or manifest.source.get("revision") != hub.revision:
        return files
    return [file for file in files if file.name in manifest.files]


def keep_what_is_right(files: Sequence[RemoteFile], installed: Path, folder: Path) -> None:
    """Copy files that are as they should be from the installed voice: they need no fetching."""
    for file in files:
        if not (folder / file.name).exists() and file.matches(installed / file.name):
            (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(installed / file.name, folder / file.name)
