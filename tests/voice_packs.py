"""Voice packs for tests, in any of the three shapes, made of links to one synthetic voice: no bytes are copied."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from synthetic_genie_data import reference_clip
from synthetic_voice import Version, synthetic_voice
from vivavoce.voices import checksums

Shape = Literal["bare", "characters", "space"]
TEXT = "きょうはとてもよいてんきなので、さんぽにいきましょう。"


def make_pack(folder: Path, shape: Shape = "space", *, version: Version = "v2ProPlus", seed: int = 0) -> Path:
    """A voice in `folder` (made here): the weights are hard links, read only."""
    models = folder if shape == "bare" else folder / "tts_models"
    models.mkdir(parents=True)
    for path in synthetic_voice(version, seed).iterdir():
        link(path, models / path.name)
    clip = reference_clip()
    if shape == "characters":
        (folder / "prompt_wav").mkdir()
        for style in ("Normal", "Sad"):
            shutil.copyfile(clip.path, folder / "prompt_wav" / f"{style}.wav")
        entries = {style: {"wav": f"{style}.wav", "text": TEXT} for style in ("Sad", "Normal")}
        write(folder / "prompt_wav.json", entries)
    elif shape == "space":
        (folder / "reference").mkdir()
        shutil.copyfile(clip.path, folder / "reference" / "audio.wav")
        write(folder / "reference" / "config.json", {"text": TEXT, "language": "Japanese"})
    return folder


def link(source: str | Path, target: str | Path) -> None:
    """A hard link; a copy where the two lie on different disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def zip_pack(folder: Path, target: Path, around: str = "") -> Path:
    """The pack as an archive; weights are stored, for they hardly shrink.

    Args:
        around: put before every name, e.g. the folder that archivers like to add.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                kind = zipfile.ZIP_STORED if path.suffix == ".bin" else zipfile.ZIP_DEFLATED
                archive.write(path, around + path.relative_to(folder).as_posix(), kind)
    return target


def remember_new_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep hashes of files however young: the damages done here always change the inode or the length."""
    monkeypatch.setattr(checksums, "SETTLED_NS", -(10**18))
