"""A voice pack: the folder of a GPT-SoVITS voice in Genie's form, read without loading anything.

Three shapes are accepted, told apart by what lies in the folder:

    bare                    t2s_*.onnx/.bin, vits_*.onnx/.bin ...            as Genie's converter writes them
    CharacterModels         tts_models/, prompt_wav.json, prompt_wav/        several named references
    Space                   tts_models/, reference/audio.wav, reference/config.json

Any of them may hold a `voice.json` with `name`, `language`, `default` and `references`; a folder with only that and a
clip is a clone, which speaks with the weights of the voice it names as `base`. Reading a pack looks at names, lengths
and small JSON files; contents are compared by `checksums.py` before a voice is loaded. Called by `store.py`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vivavoce.errors import VoicePackError
from vivavoce.voices.fingerprints import MODEL_FILES, Version, version_of, wrong_length
from vivavoce.voices.references import ReferenceClip, guess_language, read_json, read_references, text_field

VOICE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LONGEST_NAME = 64  # characters
SETTINGS_FILE = "voice.json"
MANIFEST_FILE = "voice.sha256.json"
DESCRIPTION_FILES = (SETTINGS_FILE, "prompt_wav.json", "reference/config.json", "tts_models/reference/config.json")


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of a pack.

    Attributes:
        path: where it lies.
        size: bytes.
        sha256: hex digest; None until the pack was verified.
    """

    path: Path
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class VoicePack:
    """A voice on disk.

    Attributes:
        id: `^[a-z0-9][a-z0-9_-]{0,63}$`.
        name: for people.
        path: the pack's folder.
        models: folder of the Genie files; that of the base voice for a clone.
        version: "v2" or "v2ProPlus".
        language: ISO 639-1 code the voice was made for.
        references: style -> clip; the first is the default.
        files: every file the voice consists of, by its name inside the pack ("tts_models/vits_fp16.bin").
        created: Unix time in seconds.
        base: id of the voice whose weights a clone speaks with; None for a voice of its own.
        preload: load at start.
        problem: why it cannot speak; None where everything looks right.
    """

    id: str
    name: str
    path: Path
    models: Path
    version: Version
    language: str
    references: Mapping[str, ReferenceClip]
    files: Mapping[str, PackFile] = field(repr=False)
    created: int
    base: str | None = None
    preload: bool = False
    problem: str | None = None

    @property
    def reference(self) -> ReferenceClip:
        """The default clip.

        Raises:
            VoicePackError: If the pack has none.
        """
        for clip in self.references.values():
            return clip
        raise VoicePackError(NO_REFERENCE.format(id=self.id))

    @property
    def size(self) -> int:
        """Bytes on disk, those of the base voice not counted."""
        return sum(file.size for name, file in self.files.items() if not name.startswith(BASE_PREFIX))


BASE_PREFIX = "../"  # marks the files of a clone that belong to its base
NO_REFERENCE = (
    "voice '{id}' has no reference clip; put one beside it (voices/README.md shows how) or add it again with "
    "`vivavoce voices add DIR --audio FILE --text TEXT`"
)


def voice_id(name: str) -> str | None:
    """The id a folder or person's name becomes ("Misono Mika" -> "misono-mika"); None if nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    candidate = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-_")[:64]
    return candidate if VOICE_ID.fullmatch(candidate) else None


def is_pack(folder: Path) -> bool:
    """True if `folder` looks like a voice, whole or damaged."""
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except OSError:
        return False
    return bool(names & {"tts_models", "prompt_wav.json", SETTINGS_FILE, MANIFEST_FILE} or names & MODEL_FILES)


def read_pack(folder: Path, *, pack_id: str | None = None, preload: bool = False) -> VoicePack:
    """The pack in `folder`. Damage that can be seen without reading the weights is told in `problem`, not raised.

    A clone comes back without weights and with `base` set; `with_base` completes it.

    Raises:
        VoicePackError: If the folder's name gives no id and none was given.
    """
    identity = pack_id or voice_id(folder.name)
    if identity is None:
        raise VoicePackError(f"the folder name '{folder.name}' gives no voice id; rename it in plain letters or digits")
    models = folder / "tts_models" if (folder / "tts_models").is_dir() else folder
    settings: Mapping[str, Any] = {}
    references: dict[str, ReferenceClip] = {}
    problem = None
    try:
        settings = read_json(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).exists() else {}
        references = read_references(folder, models, settings)
        name, base = text_field(settings, "name", SETTINGS_FILE), text_field(settings, "base", SETTINGS_FILE)
        language = text_field(settings, "language", SETTINGS_FILE)
    except VoicePackError as error:
        name = base = language = None
        problem = error.message
    sizes = {entry.name: entry.size for entry in _weights(models)}
    version = version_of(sizes)
    if base is None and problem is None:
        problem = next(iter(wrong_length(version, sizes)), None)
    if not references and problem is None:
        problem = NO_REFERENCE.format(id=identity)
    texts = "".join(clip.text for clip in references.values())
    default = next(iter(references.values()), None)
    return VoicePack(
        id=identity,
        name=_shown(name or folder.name) or identity,
        path=folder,
        models=models,
        version=version,
        language=language or (default.language if default else guess_language(texts)),
        references=references,
        files=_files(folder, models, references),
        created=int(folder.stat().st_mtime),
        base=base,
        preload=preload,
        problem=problem,
    )


def _shown(name: str) -> str:
    """A name as the lists may show it: half a character or a change of direction would be everybody's trouble."""
    return "".join(char for char in name if char.isprintable())[:LONGEST_NAME]


def with_base(clone: VoicePack, base: VoicePack | None) -> VoicePack:
    """A clone with the weights of its base; with a problem where the base is absent, damaged or a clone itself."""
    problem = clone.problem
    if base is None or base.base is not None:
        problem = problem or f"its base voice '{clone.base}' is not installed"
        return replace(clone, problem=problem)
    borrowed = {BASE_PREFIX + name: file for name, file in base.files.items() if file.path.name in MODEL_FILES}
    weights_problem = next(iter(wrong_length(base.version, {f.path.name: f.size for f in borrowed.values()})), None)
    if weights_problem:
        problem = problem or f"its base voice '{base.id}' is damaged: {weights_problem}"
    return replace(clone, models=base.models, version=base.version, files={**clone.files, **borrowed}, problem=problem)


@dataclass(frozen=True, slots=True)
class _Weights:
    name: str
    size: int


def _weights(models: Path) -> list[_Weights]:
    try:
        return [
            _Weights(entry.name, entry.stat().st_size)
            for entry in os.scandir(models)
            if entry.name in MODEL_FILES and entry.is_file()
        ]
    except OSError:
        return []


def _files(root: Path, models: Path, references: Mapping[str, ReferenceClip]) -> dict[str, PackFile]:
    paths = [models / weights.name for weights in _weights(models)]
    paths += [path for name in DESCRIPTION_FILES if (path := root / name).is_file()]
    paths += [clip.path for clip in references.values()]
    return {path.relative_to(root).as_posix(): PackFile(path, path.stat().st_size) for path in sorted(set(paths))}
