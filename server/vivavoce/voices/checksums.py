"""Are these the bytes they should be? Compared before anything is loaded; one flipped bit is enough to refuse a voice.

What is compared with what:

- graphs with the hashes that every voice of the version has (`fingerprints.py`);
- every file with `voice.sha256.json`, which `add`, `pull`, `convert` and `clone` write into the packs they make;
- in a folder that was put in place by hand, which has no such list, the weights with what they were when first seen.
  The first sight is trusted: only that lengths are right and all weights finite can be told then.

Hashing a voice of 336 MB takes about a third of a second with the SHA instructions of current CPUs, two without. So a
file is hashed again only when its size, inode, modification or change time differ from when it was last hashed; a
disk that alters data behind the file system's back is noticed by `vivavoce voices check NAME`, which hashes everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vivavoce.errors import VoicePackError
from vivavoce.voices.fingerprints import GRAPH_SHA256, MODEL_FILES, Version
from vivavoce.voices.pack import MANIFEST_FILE, PackFile, VoicePack
from vivavoce.voices.references import read_json

BLOCK_BYTES = 4 << 20
FORMAT = 1
SETTLED_NS = 2_000_000_000  # a file changed this recently may change again within one tick of the file system's clock
_EXPONENTS: Mapping[str, tuple[np.dtype[Any], int]] = {  # all exponent bits set: infinite or not a number
    "_fp16.bin": (np.dtype("<u2"), 0x7C00),
    "_fp32.bin": (np.dtype("<u4"), 0x7F800000),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list of what the files of an installed voice must be.

    Attributes:
        files: name inside the pack -> (bytes, sha256).
        source: where the pack came from ({"repo": ..., "revision": ...}), for the hint that repairs it.
    """

    files: Mapping[str, tuple[int, str]]
    source: Mapping[str, str]


def hash_file(path: Path) -> str:
    """The sha256 of a file, hex; the weights are looked at on the way.

    Raises:
        VoicePackError: If the file cannot be read, or a weight is infinite or not a number.
    """
    kind = next((kind for ending, kind in _EXPONENTS.items() if path.name.endswith(ending)), None)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
                if kind is not None and path.name in MODEL_FILES:
                    _require_finite(block, kind, path.name)
    except OSError as error:
        raise VoicePackError(f"{path.name} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _require_finite(block: bytes, kind: tuple[np.dtype[Any], int], name: str) -> None:
    dtype, exponent = kind
    bits = np.frombuffer(block[: len(block) - len(block) % dtype.itemsize], dtype)
    if np.any((bits & exponent) == exponent):
        raise VoicePackError(f"{name} holds weights that are infinite or not numbers")


class HashRecords:
    """What is remembered of packs between runs: the hashes of unchanged files, and weights as first seen.

    One small file a pack, named by a hash of the pack's path, replaced atomically. Losing one costs the time to hash
    the pack again, and the first sight of a folder put in place by hand.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, pack: Path) -> dict[str, Any]:
        """The record of the pack at that path; empty when there is none or it cannot be read."""
        try:
            record = read_json(self._path(pack)) if self._folder else {}
        except VoicePackError:
            return {}
        return record if record.get("format") == FORMAT else {}

    def save(self, pack: Path, record: Mapping[str, Any]) -> None:
        """Keep a record; a read-only or full disk is not an error, the next load hashes again."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._path(pack), {"format": FORMAT, "pack": str(pack), **record})
        except OSError:
            return

    def forget(self, pack: Path) -> None:
        """Drop what is remembered of a pack."""
        if self._folder is not None:
            self._path(pack).unlink(missing_ok=True)

    def _path(self, pack: Path) -> Path:
        assert self._folder is not None
        key = hashlib.sha256(os.fsencode(pack.resolve())).hexdigest()[:32]
        return self._folder / f"{key}.json"


def verify(pack: VoicePack, records: HashRecords, *, thorough: bool = False, trust: bool = False) -> VoicePack:
    """Compare every file of the pack with what it must be; for a clone, its own files only.

    Args:
        thorough: hash everything, whatever is remembered.
        trust: take the files as they are now for right, and remember them.

    Returns:
        The pack with the sha256 of each file.

    Raises:
        VoicePackError: If a file is not what it should be; the sentence names it.
    """
    manifest = None if trust else read_manifest(pack.path)
    record = records.load(pack.path)
    expected = dict(manifest.files) if manifest else {} if trust else _first_seen(record)
    for name in expected:
        if not (pack.path / name).exists():
            raise VoicePackError(f"{name} is missing" + _hint(pack, manifest))
    if pack.problem is not None:
        raise VoicePackError(pack.problem)
    hashes = _hashes(pack, {} if thorough or trust else record.get("hashes", {}))
    for name, file in pack.files.items():
        _compare(pack, name, file, hashes[name]["sha256"], expected, _hint(pack, manifest))
    if trust and read_manifest(pack.path) is not None:
        write_manifest(pack.path, {name: (file.size, hashes[name]["sha256"]) for name, file in pack.files.items()})
    first_seen = {} if manifest else {n: [f.size, hashes[n]["sha256"]] for n, f in pack.files.items() if _is_weight(f)}
    kept = {name: entry for name, entry in hashes.items() if entry["settled"]}
    if kept != record.get("hashes") or first_seen != record.get("first_seen"):
        records.save(pack.path, {"hashes": kept, "first_seen": first_seen})
    return replace(
        pack, files={name: replace(file, sha256=hashes[name]["sha256"]) for name, file in pack.files.items()}
    )


def require_graph(version: Version, name: str, sha256: str) -> None:
    """Is this graph the one that every voice of the version has? Other files pass.

    Raises:
        VoicePackError: If it is not.
    """
    expected = GRAPH_SHA256[version].get(name.rpartition("/")[2])
    if expected is not None and sha256 != expected:
        raise VoicePackError(f"{name} is damaged: it is not the graph that every {version} voice has")


def read_manifest(folder: Path) -> Manifest | None:
    """The list of hashes in a pack's folder; None when it has none.

    Raises:
        VoicePackError: If it is there and cannot be understood.
    """
    if not (folder / MANIFEST_FILE).exists():
        return None
    content = read_json(folder / MANIFEST_FILE)
    try:
        files = {str(n): (int(entry["size"]), str(entry["sha256"])) for n, entry in content["files"].items()}
        source = {str(key): str(value) for key, value in content.get("source", {}).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise VoicePackError(f"{MANIFEST_FILE} is damaged") from error
    return Manifest(files, source)


def write_manifest(folder: Path, files: Mapping[str, tuple[int, str]], source: Mapping[str, str] | None = None) -> None:
    """Write the list of hashes of a pack; `source` defaults to what the old list says."""
    if source is None:
        old = read_manifest(folder)
        source = old.source if old else {}
    listed = {name: {"size": size, "sha256": sha256} for name, (size, sha256) in sorted(files.items())}
    write_json(folder / MANIFEST_FILE, {"format": FORMAT, "files": listed, "source": dict(source)})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step: the old content is there, or the new."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    written = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(written, 0o644)
        os.replace(written, path)
    finally:
        written.unlink(missing_ok=True)


def _hashes(pack: VoicePack, remembered: object) -> dict[str, dict[str, Any]]:
    known = remembered if isinstance(remembered, dict) else {}
    return {name: _hash(file.path, known.get(name)) for name, file in pack.files.items()}


def _hash(path: Path, known: object) -> dict[str, Any]:
    try:
        status = path.stat()
    except OSError as error:
        raise VoicePackError(f"{path.name} cannot be read: {error.strerror}") from error
    stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    if isinstance(known, dict) and known.get("stamp") == stamp and isinstance(known.get("sha256"), str):
        return known
    settled = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS
    return {"stamp": stamp, "sha256": hash_file(path), "settled": settled}


def _first_seen(record: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    seen = record.get("first_seen")
    return {str(n): (int(size), str(sha)) for n, (size, sha) in seen.items()} if isinstance(seen, dict) else {}


def _is_weight(file: PackFile) -> bool:
    return file.path.suffix == ".bin"


def _compare(
    pack: VoicePack, name: str, file: PackFile, sha256: str, expected: Mapping[str, tuple[int, str]], hint: str
) -> None:
    require_graph(pack.version, name, sha256)
    if name in expected and sha256 != expected[name][1]:
        size = expected[name][0]
        what = f"has {file.size} bytes instead of {size}" if file.size != size else "is damaged: its contents changed"
        raise VoicePackError(f"{name} {what}" + hint)


def _hint(pack: VoicePack, manifest: Manifest | None) -> str:
    if manifest is not None and (character := manifest.source.get("pull")):
        return f"; `vivavoce voices pull {character}` repairs it"
    return f"; if it was changed on purpose: `vivavoce voices check {pack.id} --trust`"
