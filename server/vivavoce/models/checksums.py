"""The list of what a pulled model consists of, and whether its files still are what was pulled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vivavoce.errors import ModelUnavailable

LIST_FILE = "vivavoce.model.json"
MAX_LIST_BYTES = 1 << 20
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileList:
    """What a pulled model consists of, and where it came from.

    Attributes:
        model: id.
        repository, revision: where it came from.
        licence: of the weights.
        languages: "many", or a code.
        files: name -> (bytes, sha256).
    """

    model: str
    repository: str
    revision: str
    licence: str
    languages: str
    files: Mapping[str, tuple[int, str]]


def sha256_of(path: Path) -> str:
    """Of a file, in hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def write_list(folder: Path, model: str, repository: str, revision: str, licence: str, languages: str) -> None:
    """Measure all files of a folder and write the list into it."""
    files = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and path.name != LIST_FILE):
        files[path.name] = {"size": path.stat().st_size, "sha256": sha256_of(path)}
    content = {
        "model": model,
        "repository": repository,
        "revision": revision,
        "licence": licence,
        "languages": languages,
        "files": files,
    }
    (folder / LIST_FILE).write_text(json.dumps(content, indent=1) + "\n")


def read_list(folder: Path) -> FileList | None:
    """The list in a folder; None where there is none.

    Raises:
        ModelUnavailable: If it is damaged.
    """
    path = folder / LIST_FILE
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > MAX_LIST_BYTES:
            raise ValueError("too large")
        found = json.loads(path.read_text())
        files = {str(name): (int(file["size"]), str(file["sha256"])) for name, file in found["files"].items()}
        words = [str(found[key]) for key in ("model", "repository", "revision", "licence", "languages")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"'{folder.name}/{LIST_FILE}' is damaged; pull the model again") from error
    return FileList(words[0], words[1], words[2], words[3], words[4], files)


def verify(folder: Path, listed: FileList) -> None:
    """Hold every file against the list.

    Raises:
        ModelUnavailable: If one is missing or differs; the sentence says which and what helps.
    """
    for name, (size, sha256) in listed.files.items():
        path = folder / name
        if "/" in name or not path.is_file() or path.stat().st_size != size or sha256_of(path) != sha256:
            raise ModelUnavailable(
                f"model '{listed.model}' is damaged ({name}); `vivavoce models pull {listed.model}` repairs it"
            )
