"""Brings a recognition model from the hub to the shelf: downloaded, converted if need be, and put into place whole.

What was downloaded before an interruption is kept and checked; files that are right already are not fetched again.
A server takes only what is ready (`as_it_is`): conversion reads files that may be pickles, and is a command's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from vivavoce.errors import ModelPackError, ModelUnavailable
from vivavoce.hub import Hub, RemoteFile, fetch_all
from vivavoce.models.catalogue import CATALOGUE, Form, KnownModel
from vivavoce.models.checksums import read_list, verify, write_list
from vivavoce.models.conversion import convert
from vivavoce.models.shelf import ModelShelf
from vivavoce.models.tensors import INDEXES, SINGLE
from vivavoce.progress import Progress
from vivavoce.voices.placing import place, sweep

REPOSITORY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_READY = frozenset({"model.bin", "config.json", "tokenizer.json", "vocabulary.json", "vocabulary.txt"})
_BESIDE = frozenset({
    "config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json",
    "vocab.json", "merges.txt", "added_tokens.json",
})  # fmt: skip
_SHARD = re.compile(r"(model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin)")


def model_to_pull(name: str, revision: str | None = None) -> KnownModel:
    """The model of that name in the catalogue, or any repository of the hub, whose form is then found out.

    Raises:
        ModelPackError: If it is neither.
    """
    known = {model.lower(): found for model, found in CATALOGUE.items()}.get(name.lower())
    if known is not None:
        return (
            known
            if revision is None
            else KnownModel(
                known.name, known.repository, revision, known.form, known.mib, known.licence, known.languages
            )
        )
    if not REPOSITORY_NAME.fullmatch(name):
        raise ModelPackError(f"there is no model '{name[:80]}'; there are: {', '.join(CATALOGUE)}, or OWNER/REPOSITORY")
    return KnownModel(name, name, revision or "main", "transformers", 0, "see its page")


def pull(
    model: KnownModel,
    shelf: ModelShelf,
    progress: Progress | None = None,
    *,
    hub: Hub | None = None,
    as_it_is: bool = False,
) -> tuple[Path, bool]:
    """Get a model, or repair it.

    Args:
        hub: instead of the public one.
        as_it_is: refuse what would have to be converted.

    Returns:
        Its folder, and whether anything was to be done.

    Raises:
        DownloadError: If the hub cannot be reached, or what it sends is wrong.
        ModelPackError: If what came is no whisper model, or cannot be written.
    """
    hub = (hub or Hub(model.repository, model.revision)).pinned()
    target = shelf.place_of(model.name)
    sweep(shelf.home)
    if _is_right(target, hub.revision):
        return target, False
    staging = shelf.home / ".pulling" / target.name
    files, form = _chosen(hub)
    if as_it_is and form != "ctranslate2":
        raise ModelPackError(f"it has to be converted first: `vivavoce models pull {model.name}`")
    try:
        fetch_all(hub, files, staging / "download", _part_of(progress, 0.0, 0.9))
        built = staging / "download"
        if form == "transformers":
            built = staging / "converted"
            shutil.rmtree(built, ignore_errors=True)
            built.mkdir()
            convert(staging / "download", built, _converting(progress))
        write_list(built, model.name, hub.repository, hub.revision, model.licence, model.languages)
        place(built, target, overwrite=True)
        shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise ModelPackError(f"the model cannot be written to '{shelf.home}': {error.strerror or error}") from error
    return target, True


def _is_right(target: Path, revision: str) -> bool:
    try:
        listed = read_list(target)
        if listed is None or listed.revision != revision:
            return False
        verify(target, listed)
    except (ModelUnavailable, OSError):
        return False
    return True


def _chosen(hub: Hub) -> tuple[list[RemoteFile], Form]:
    """The files that are needed: the form that is read as it is where it is there, else one form of the weights."""
    listed = {file.name: file for file in hub.files("", _could_be_needed)}
    if "model.bin" in listed:
        return [
            file for name, file in listed.items() if name in _READY or name == "preprocessor_config.json"
        ], "ctranslate2"
    weights = next((name for name in (*SINGLE[:1], *INDEXES[:1], *SINGLE[1:], *INDEXES[1:]) if name in listed), None)
    if weights is None or "config.json" not in listed:
        raise ModelPackError(f"{hub.repository} holds no weights of a whisper model at revision {hub.revision}")
    suffix = ".safetensors" if "safetensors" in weights else ".bin"
    shards = [n for n in listed if _SHARD.fullmatch(n) and n.endswith(suffix)] if weights.endswith(".json") else []
    wanted = {weights, *shards, *_BESIDE}
    return [file for name, file in listed.items() if name in wanted], "transformers"


def _could_be_needed(path: str) -> bool:
    name = PurePosixPath(path).name
    return path == name and (
        name in _READY or name in _BESIDE or name in SINGLE or name in INDEXES or _SHARD.fullmatch(name) is not None
    )


def _part_of(progress: Progress | None, start: float, end: float) -> Progress | None:
    if progress is None:
        return None
    return lambda what, fraction: progress(what, start + (end - start) * fraction)


def _converting(progress: Progress | None) -> Callable[[float], None] | None:
    if progress is None:
        return None
    return lambda fraction: progress("converting", 0.9 + 0.1 * fraction)
