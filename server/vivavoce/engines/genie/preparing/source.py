"""The files of a voice as they were published: where they lie and what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vivavoce.voices.fingerprints import Version

KERNEL_FILE = "step.weights"
VOCODER_FILE = "decoder.weights"


@dataclass(frozen=True, slots=True)
class VoiceSource:
    """Where a voice's files lie and what is in them.

    Attributes:
        models: folder of the Genie files.
        version: "v2" or "v2ProPlus".
        digests: sha256 of each file, by its name in `models`.
    """

    models: Path
    version: Version
    digests: Mapping[str, str]

    @classmethod
    def read(cls, models: Path) -> VoiceSource:
        """A folder whose files nobody has hashed yet (0.3 s a voice)."""
        digests = {path.name: _sha256(path) for path in sorted(models.glob("*")) if path.suffix in (".bin", ".onnx")}
        version: Version = "v2ProPlus" if "prompt_encoder_fp32.onnx" in digests else "v2"
        return cls(models, version, digests)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
