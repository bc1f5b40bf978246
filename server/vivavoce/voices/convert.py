"""Starts the checkpoint converter in a process of its own, so that torch and the pickles never meet this one.

Called by the command line.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from vivavoce.errors import VoicePackError
from vivavoce.progress import Progress
from vivavoce.voices.pack import read_pack

PROGRAM = "vivavoce.engines.genie.converting.convert_checkpoint"


def convert(ckpt: Path, pth: Path, out: Path, progress: Progress | None = None) -> str:
    """Convert a pair of GPT-SoVITS checkpoints into Genie's files in `out`; the version they are.

    Raises:
        VoicePackError: If `out` is not an empty or new folder, a checkpoint is refused, or a package is missing.
    """
    for path, flag in ((ckpt, "--ckpt"), (pth, "--pth")):
        if not path.is_file():
            raise VoicePackError(f"{flag}: there is no file '{path}'")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise VoicePackError(f"'{out}' exists and is not an empty folder")
    out.mkdir(parents=True, exist_ok=True)
    arguments = ["--ckpt", str(ckpt.resolve()), "--pth", str(pth.resolve()), str(out.resolve())]
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, "-m", PROGRAM, *arguments], cwd=elsewhere, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "progress" and progress is not None:
                fraction, _, what = rest.partition(" ")
                progress(what, float(fraction))
        status = process.wait()
        errors.seek(0)
        said = errors.read().strip()
    if status != 0:
        _empty(out)
        last_line = said.splitlines()[-1] if said else f"exit code {status}"
        raise VoicePackError(said if status == 3 else f"the converter failed: {last_line}")
    return read_pack(out, pack_id="converted").version


def _empty(folder: Path) -> None:
    """Drop what a failed conversion left in the folder, which was empty before."""
    for path in folder.iterdir():
        path.unlink()
