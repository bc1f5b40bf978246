"""Compiles a voice once: Genie's graphs and half-precision weights become our streaming graphs in a cache.

A part of a voice (its text-to-semantic half, its VITS half) is a folder in the cache, named by the content of the
files it came from, this format, the CPU and the release of ONNX Runtime, since saved weights are arranged for both.
It appears whole or not at all. Loading a prepared voice opens files and computes nothing. `voice_loader.py` calls
this; how a part is made is known to `building.py`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import onnxruntime as ort

from vivavoce.engines.genie.preparing.source import KERNEL_FILE, VOCODER_FILE, VoiceSource
from vivavoce.engines.genie.semantic.kernel_step import step_kernel
from vivavoce.engines.genie.sound.kernel_decoder import vocoder_kernel

logger = logging.getLogger(__name__)

Precision = Literal["fp32", "int8"]
Progress = Callable[[str, float], None]

FORMAT = 2  # raise it when a graph builder changes what it writes
PARTS_FILE = "parts.json"
_ABANDONED_S = 24 * 3600.0

_T2S_FILES = ("t2s_shared_fp16.bin", "t2s_encoder_fp32.bin")
_VITS_FILES = ("vits_fp32.onnx", "vits_fp16.bin", "prompt_encoder_fp16.bin")
_GRAPHS = ("t2s_first_stage_decoder_fp32.onnx", "t2s_stage_decoder_fp32.onnx", "t2s_encoder_fp32.onnx")


@dataclass(frozen=True, slots=True)
class CompiledVoice:
    """Folders of a voice's graphs.

    Attributes:
        semantic: holds prefill.onnx and prompt.onnx.
        step: holds step.onnx in the wanted precision.
        vits: holds the graphs of `vits_graphs.GRAPHS`.
        kernel: weights of the native step; None where it cannot run, and for 8 bits.
        vocoder: weights of the native decoder; None where the graph is the faster one.
    """

    semantic: Path
    step: Path
    vits: Path
    kernel: Path | None = None
    vocoder: Path | None = None

    @property
    def weights_bytes(self) -> int:
        """Of the arrangements that run: half of `semantic.data`, which also holds the plain ones for loading."""
        semantic = sum(path.stat().st_size for folder in {self.semantic, self.step} for path in folder.glob("*.data"))
        native = sum(path.stat().st_size for path in (self.kernel, self.vocoder) if path)
        vits = {path.name: path.stat().st_size for path in self.vits.glob("*.data")}
        if self.vocoder:
            vits.pop("decoder.data", None)  # not opened then
        return semantic // 2 + native + sum(vits.values())


def compile_voice(
    source: VoiceSource, cache: Path, *, precision: Precision = "fp32", progress: Progress | None = None
) -> CompiledVoice:
    """The compiled voice, from the cache where it is there; else built, which takes about 20 s and 2 GB.

    Args:
        source: the voice.
        cache: folder of compiled voices, made when missing.
        precision: of the step graph's weights.
        progress: told what is being done and which fraction of all is done.

    Raises:
        VoicePackError: If the voice's files do not fit their graphs.
    """
    tell = progress or (lambda what, fraction: None)
    semantic_key = _key(source, (*_T2S_FILES, *_GRAPHS))
    vits_key = _key(source, [name for name in _VITS_FILES if name in source.digests])
    cache.mkdir(parents=True, exist_ok=True)
    _sweep(cache)

    tell("text to semantic tokens", 0.0)
    semantic = _part(cache, f"semantic-{semantic_key}", lambda to: _building().build_semantic(source, to))
    step = semantic
    if precision == "int8":
        tell("8-bit step", 0.4)
        step = _part(cache, f"step-int8-{semantic_key}", lambda to: _building().build_int8(source, to))
    kernel = None
    if precision == "fp32" and step_kernel() is not None:
        tell("native step", 0.4)
        folder = _part(cache, f"step-kernel-{semantic_key}", lambda to: _building().build_kernel(source, to))
        kernel = folder / KERNEL_FILE
    tell("semantic tokens to sound", 0.5)
    vits = _part(cache, f"vits-{vits_key}", lambda to: _building().build_vits(source, to))
    vocoder = None
    if vocoder_kernel() is not None:
        tell("native decoder", 0.9)
        folder = _part(cache, f"vocoder-kernel-{vits_key}", lambda to: _building().build_vocoder(source, vits, to))
        vocoder = folder / VOCODER_FILE if (folder / VOCODER_FILE).exists() else None
    tell("prepared", 1.0)
    return CompiledVoice(semantic, step, vits, kernel, vocoder)


def _building() -> ModuleType:
    """The builders, which bring the package `onnx`: loaded only where something has to be built."""
    from vivavoce.engines.genie.preparing import building

    return building


# -- the cache ---------------------------------------------------------------------------------------------------


def _part(cache: Path, name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` in the cache, built where it is missing or not whole. Two processes may race; one wins."""
    target = cache / name
    if _is_whole(target):
        return target
    shutil.rmtree(target, ignore_errors=True)
    logger.info("preparing %s", name)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    try:
        build(building)
        sizes = {path.name: path.stat().st_size for path in building.iterdir()}
        (building / PARTS_FILE).write_text(json.dumps(sizes))
        building.rename(target)
    except OSError:
        if not _is_whole(target):  # else: another process was first
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _is_whole(folder: Path) -> bool:
    """True if every file has the length it was written with."""
    try:
        sizes: dict[str, int] = json.loads((folder / PARTS_FILE).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _sweep(cache: Path) -> None:
    """Remove what a killed process left behind."""
    for folder in cache.glob(".building-*"):
        if time.time() - folder.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)


def _key(source: VoiceSource, names: Sequence[str]) -> str:
    """16 hex digits of everything the compiled files depend on."""
    parts = [str(FORMAT), ort.__version__, _cpu(), *(source.digests[name] for name in names)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _cpu() -> str:
    """The processor, as far as the arrangement of weights depends on it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    return f"{platform.machine()} {facts.get('model name', platform.processor())} {facts.get('flags', '')}"
