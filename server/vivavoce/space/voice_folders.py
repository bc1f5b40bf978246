"""Voices as a Space keeps them: `models/<voice>/tts_models/*` and `models/<voice>/reference/`, whatever shape they had.

A voice of several styles keeps them all, in the `voice.json` that the server reads first; a clone keeps its base's
name and its own clips. The hashes of the weights go along, so that damage on the way is told; clips and texts may be
changed by hand. Called by `folder.py`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from vivavoce.progress import Progress
from vivavoce.voices.checksums import hash_file, write_json, write_manifest
from vivavoce.voices.clip import decode_clip, write_wav
from vivavoce.voices.fingerprints import MODEL_FILES
from vivavoce.voices.pack import SETTINGS_FILE, VoicePack, read_pack
from vivavoce.voices.references import DEFAULT_STYLE


def write_voice(pack: VoicePack, models: Path, progress: Progress) -> Path:
    """Copy a verified voice to `models/<id>`. Returns its new folder."""
    folder = models / pack.id
    (folder / "reference").mkdir(parents=True)
    if pack.base is None:
        (folder / "tts_models").mkdir()
        weights = [file for file in pack.files.values() if file.path.name in MODEL_FILES]
        total, done = max(1, sum(file.size for file in weights)), 0
        for file in weights:
            progress(f"{pack.id}: {file.path.name}", done / total)
            shutil.copyfile(file.path, folder / "tts_models" / file.path.name)
            done += file.size
    _write_references(pack, folder)
    listed = {name: file for name, file in read_pack(folder).files.items() if file.path.name in MODEL_FILES}
    write_manifest(folder, {name: (file.size, hash_file(file.path)) for name, file in listed.items()})
    progress(pack.id, 1.0)
    return folder


def _write_references(pack: VoicePack, folder: Path) -> None:
    """The default style as the plan of such folders has it, all of them in our own file where there are more."""
    styles: dict[str, Any] = {}
    for number, (style, clip) in enumerate(pack.references.items()):
        audio = "reference/audio.wav" if number == 0 else f"reference/style_{number}.wav"
        if clip.path.suffix.lower() == ".wav":
            shutil.copyfile(clip.path, folder / audio)
        else:
            write_wav(folder / audio, decode_clip(clip.path))
        entry = {"text": clip.text, "language": clip.language}
        styles[style] = {"audio": audio, **entry}
        if number == 0:
            write_json(folder / "reference" / "config.json", entry)
    settings: dict[str, Any] = {"name": pack.name, "language": pack.language}
    if pack.base is not None:
        settings["base"] = pack.base
    if list(styles) != [DEFAULT_STYLE]:
        settings |= {"default": next(iter(styles)), "references": styles}
    write_json(folder / SETTINGS_FILE, settings)
