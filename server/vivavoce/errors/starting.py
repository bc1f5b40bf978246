"""What ends a program at its start or on the command line, with one sentence and exit code 3."""

from __future__ import annotations

from vivavoce.errors.base import VivaVoceError


class ConfigError(VivaVoceError):
    """A setting is wrong; the program exits with code 3 and this sentence."""

    code = "config_error"


class VoicePackError(VivaVoceError):
    """A voice pack cannot be read, added or prepared; the sentence says which file and why."""

    code = "voice_pack_error"


class ModelPackError(VivaVoceError):
    """A recognition model cannot be added or converted; the sentence says which file and why."""

    code = "model_pack_error"


class DownloadError(VivaVoceError):
    """The hub cannot be reached, does not have it, or sends something else."""

    code = "download_error"
