"""Puts voices on disk and takes them away again: add, clone, remove.

A voice appears whole or not at all: it is put together in a hidden folder beside its place, checked, given its list of
hashes, written to the disk and moved into place in one step (`placing.py`). Called by the command line and the routes
that clone; `pull.py` hands its downloads to `add`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivavoce.errors import Conflict, InvalidRequest, VoicePackError, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.voices.archive import unpack
from vivavoce.voices.checksums import hash_file, read_manifest, require_graph, write_json, write_manifest
from vivavoce.voices.clip import Clip, require_reference, write_wav
from vivavoce.voices.fingerprints import MODEL_FILES
from vivavoce.voices.pack import SETTINGS_FILE, VoicePack, is_pack, read_pack, voice_id
from vivavoce.voices.placing import discard, place, staging
from vivavoce.voices.references import DEFAULT_STYLE, MAX_TEXT, stated_language
from vivavoce.voices.store import VoiceStore


@dataclass(frozen=True, slots=True)
class NewReference:
    """A clip to become a voice's default reference, with what is said in it and its language (guessed when None)."""

    clip: Clip
    text: str
    language: str | None = None


def add(
    store: VoiceStore,
    source: Path,
    *,
    name: str | None = None,
    reference: NewReference | None = None,
    overwrite: bool = False,
    move: bool = False,
    origin: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> VoicePack:
    """Copy a folder or zip of any of the three shapes into the store.

    Args:
        name: what it is called; the folder's or archive's name when not given.
        reference: for a bare folder, which holds none; replaces those of the pack otherwise.
        overwrite: take the place of a voice of that id.
        move: take the files out of `source` instead of copying them.
        origin: where they came from, kept in the list of hashes.

    Raises:
        VoicePackError: If it is no voice pack or a damaged one; the sentence names the file.
        InvalidVoicePack: If the archive is hostile or damaged.
        Conflict: If there is a voice of that id and `overwrite` is not set.
    """
    identity = _new_id(store, name or (source.stem if source.is_file() else source.resolve().name), overwrite)
    with _staging(store.home) as staging:
        if source.is_file():
            (staging / "archive").mkdir()
            unpack(source, staging / "archive", progress=_named(progress, "unpacking"))
            source, move = _pack_root(staging / "archive"), True
        if not is_pack(source):
            raise VoicePackError(f"'{source.name}' holds no voice: no tts_models folder and none of Genie's files")
        built = staging / identity
        built.mkdir()
        if reference is not None:
            _write_reference(built, reference, settings={"name": name or source.name})
        pack = read_pack(source, pack_id=identity)
        if pack.problem is not None and reference is None:
            raise VoicePackError(pack.problem)
        _take(pack, built, move=move, weights_only=reference is not None, progress=progress)
        if not (built / SETTINGS_FILE).exists() and name is not None:
            write_json(built / SETTINGS_FILE, {"name": name})
        _seal(built, origin or {}, source)
        _place(store, built, identity, overwrite)
        if move:
            for file in pack.files.values():
                file.path.unlink(missing_ok=True)  # a name less: the voice has them now
    return store.get(identity)


def clone(
    store: VoiceStore,
    name: str,
    base: str,
    reference: NewReference,
    *,
    overwrite: bool = False,
    owner: str | None = None,
    is_reserved: Callable[[str], bool] = lambda _: False,
) -> VoicePack:
    """A new voice with its own reference on the weights of `base`; takes as much disk as the clip.

    Args:
        owner: who may delete it over HTTP; kept with its list of hashes.
        is_reserved: tells the ids that mean something else to clients, such as other engines' voices.

    Raises:
        UnknownVoice: If `base` is not in the store.
        VoiceUnavailable: If `base` is damaged.
        VoicePackError: If the clone cannot be written.
        InvalidRequest: If the name gives no id, or the text is empty or too long.
        InvalidAudio: If the clip is not 3 to 10 s long, or silent.
        Conflict: If there is a voice of that id.
    """
    parent = store.get(base)
    if parent.problem is not None:
        raise VoiceUnavailable(f"voice '{base}' cannot be cloned: {parent.problem}", param="base")
    identity = _new_id(store, name, overwrite)
    if is_reserved(identity):
        raise Conflict(f"'{identity}' has a meaning of its own here; give the voice another name", param="name")
    require_reference(reference.clip)
    with _staging(store.home) as staging:
        built = staging / identity
        built.mkdir()
        _write_reference(built, reference, settings={"name": name, "base": parent.base or parent.id})
        origin = {"clone": parent.base or parent.id} | ({"owner": owner} if owner is not None else {})
        _seal(built, origin, None)
        _place(store, built, identity, overwrite)
    return store.get(identity)


def remove(store: VoiceStore, identity: str) -> None:
    """Delete a voice from disk; what is loaded of it speaks on until it is unloaded.

    Raises:
        UnknownVoice: If there is none.
        Conflict: If other voices speak with its weights, or its folder was given as a whole directory of voices.
        VoicePackError: If the disk refuses; the voice is then as it was.
    """
    pack = store.get(identity)
    if clones := store.clones_of(identity):
        raise Conflict(f"voice '{identity}' lends its weights to {', '.join(clones)}; remove these first")
    try:
        discard(pack.path)
    except OSError as error:
        raise VoicePackError(f"voice '{identity}' could not be removed: {error.strerror or error}") from error
    store.records.forget(pack.path)


def owner_of(pack: VoicePack) -> str | None:
    """Who cloned it over HTTP; None for a voice that the machine's owner put there."""
    try:
        manifest = read_manifest(pack.path)
    except VoicePackError:
        return None
    return manifest.source.get("owner") if manifest is not None else None


def _new_id(store: VoiceStore, name: str, overwrite: bool) -> str:
    identity = voice_id(name)
    if identity is None:
        raise InvalidRequest("the name gives no voice id; use plain letters, digits, '-' and '_'", param="name")
    taken = {pack.id: pack for pack in store.list()}.get(identity)
    if taken is not None and not (overwrite and taken.path.parent.resolve() == store.home.resolve()):
        raise Conflict(f"there is a voice '{identity}' already", param="name")
    return identity


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A hidden folder on the same file system as the store; gone afterwards."""
    try:
        with staging(home) as folder:
            yield folder
    except OSError as error:
        raise VoicePackError(f"the voice could not be written to '{home}': {error.strerror or error}") from error


def _pack_root(folder: Path) -> Path:
    """The pack inside an unpacked archive: the folder itself or the only one in it, as archivers like to add one."""
    while not is_pack(folder):
        inner = [entry for entry in folder.iterdir() if entry.is_dir()]
        if len(inner) != 1:
            raise VoicePackError("the archive holds no voice: no tts_models folder and none of Genie's files")
        folder = inner[0]
    return folder


def _take(pack: VoicePack, target: Path, *, move: bool, weights_only: bool, progress: Progress | None) -> None:
    """Copy the files of a pack, or only its weights and graphs."""
    taken = {name: file for name, file in pack.files.items() if not weights_only or file.path.name in MODEL_FILES}
    total, done = max(1, sum(file.size for file in taken.values())), 0
    if not move and shutil.disk_usage(target).free < total + total // 64:
        raise VoicePackError(f"the disk of '{target.parent.parent}' is full: {total >> 20} MiB are needed")
    for name, file in taken.items():
        if progress is not None:
            progress(f"copying {name}", done / total)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if not (move and _linked(file.path, target / name)):
            shutil.copyfile(file.path, target / name)
        done += file.size
    if progress is not None:
        progress("copied", 1.0)


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name instead of a copy, so that nothing is lost if the voice comes to nothing."""
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:  # another file system, or one that cannot
        return False
    return True


def _seal(built: Path, origin: Mapping[str, str], source: Path | None) -> None:
    """Check what was put together and write its list of hashes."""
    pack = read_pack(built)
    if pack.problem is not None:
        raise VoicePackError(pack.problem)
    hashes = {name: (file.size, hash_file(file.path)) for name, file in pack.files.items()}
    for name, (_, sha256) in hashes.items():
        require_graph(pack.version, name, sha256)
    claimed = read_manifest(source) if source is not None else None
    for name, entry in (claimed.files if claimed else {}).items():
        if name.endswith((".bin", ".onnx")) and hashes.get(name, entry) != entry:
            raise VoicePackError(f"{name} is damaged: it differs from the list of hashes that came with it")
    write_manifest(built, hashes, {**(claimed.source if claimed else {}), **origin})


def _place(store: VoiceStore, built: Path, identity: str, overwrite: bool) -> None:
    try:
        place(built, store.home / identity, overwrite=overwrite)
    except FileExistsError as error:
        raise Conflict(f"there is a voice '{identity}' already", param="name") from error


def _write_reference(folder: Path, reference: NewReference, settings: dict[str, Any]) -> None:
    text = reference.text.strip()
    if not text or len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidRequest(f"the text of the clip must have 1 to {MAX_TEXT} plain characters", param="ref_text")
    try:
        language = stated_language(reference.language, text, "the clip")
    except VoicePackError as error:
        raise InvalidRequest(error.message, param="language") from error
    (folder / "reference").mkdir(exist_ok=True)
    write_wav(folder / "reference" / "audio.wav", reference.clip)
    clip = {"audio": "reference/audio.wav", "text": text, "language": language}
    write_json(folder / SETTINGS_FILE, {**settings, "language": language, "references": {DEFAULT_STYLE: clip}})


def _named(progress: Progress | None, what: str) -> Callable[[float], None] | None:
    return None if progress is None else lambda fraction: progress(what, fraction)
