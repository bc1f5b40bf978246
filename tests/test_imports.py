"""Imports go one way: what a part may know of the others, held against every import statement of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import vivavoce

ROOT = Path(vivavoce.__file__).parent

# Part -> what it may import besides itself. A part that is not here has no place yet: give it one.
# A name with a dot opens one module of a part: the synthesizer and the transports know what an engine is, not which
# engines there are; `text` times words with the record that a chunk carries.
LEAVES = {"config", "errors", "metrics"}
TOOLS = {"text", "audio", "voices", "onnx_session"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "metrics": set(),
    "logs": set(),
    "config": {"errors"},
    "settings_page": {"config"},
    "protocol": {"errors"},
    "audio": {"errors"},
    "text": {"errors", "audio.chunk"},
    "voices": {"errors", "config"},
    "onnx_session": {"errors"},
    "engines": LEAVES | TOOLS,
    "listening": LEAVES | TOOLS,
    "synthesis": LEAVES | TOOLS | {"engines.base"},
    "assistant": LEAVES | TOOLS | {"synthesis", "listening", "engines.base"},
    "transports": LEAVES | TOOLS | {"assistant", "synthesis", "listening", "protocol", "engines.base"},
    "web": set(),
    "app": LEAVES | TOOLS | {"logs", "engines", "synthesis", "listening", "assistant", "transports", "web", "fastrtc"},
    "fastrtc": LEAVES | TOOLS | {"synthesis", "engines.base", "transports", "app"},  # wires up another framework
    "cli": LEAVES | TOOLS | {"logs", "app", "engines", "synthesis", "listening", "transports"},
}

# Libraries with a fence: who may import them, parts or single modules.
CONVERTER = "engines.genie.convert_checkpoint"
FENCED: dict[str, set[str]] = {
    "torch": {CONVERTER},  # a program of its own: nothing that serves needs torch
    "genie_tts": {"engines.genie.genie_modules", CONVERTER},  # importing it asks questions and starts a player
    "fastrtc": {"fastrtc"},  # an extra: the server starts without it
    "fastapi": {"app", "transports", "web", "fastrtc"},
    "starlette": {"app", "transports", "web"},
    "uvicorn": {"transports", "cli"},
    "websockets": {"transports"},
    "aiortc": {"transports"},
    "asyncio": {
        "app",
        "cli",
        "transports",
        "assistant",
        "synthesis",
        "fastrtc",
    },  # engines block, the pure parts do neither
}


def test_imports_go_one_way() -> None:
    faults = [fault for path in sorted(ROOT.rglob("*.py")) for fault in faults_of(_name(path), path.read_text())]
    assert not faults, "\n".join(faults)


def test_the_rule_has_teeth() -> None:
    """A made-up line of each forbidden kind is found, its allowed twin is not."""
    for module, good, bad in [
        ("text.markup", "from vivavoce.audio.chunk import WordTiming", "from vivavoce.audio import encoders"),
        ("synthesis.worker", "from vivavoce.engines import base", "from vivavoce.engines.embedded import open_engine"),
        ("transports.http", "import vivavoce.synthesis.synthesizer", "import vivavoce.app.server"),
        ("protocol.session", "from vivavoce import errors", "from vivavoce import config"),
        ("voices.pack", "from .clip import read", "from ..engines.base import Voice"),
        ("engines.embedded", "import threading", "import asyncio"),
        (CONVERTER, "def f():\n    import torch.nn", "from fastapi import FastAPI"),
        ("engines.genie.semantic", "import numpy", "def f():\n    import_module(f'genie_tts.{name}')"),
        ("app", "from vivavoce.web.routes import mount_page", "from vivavoce.cli.serve import run"),
        ("cli_say", "from vivavoce.app.server import build_server", "import torch"),
    ]:
        assert not list(faults_of(module, good)), good
        assert len(list(faults_of(module, bad))) == 1, bad


def test_a_server_imports_neither_torch_nor_genie() -> None:
    """The same at run time: what the command and the application load when they are imported."""
    code = "import sys, vivavoce.app.server, vivavoce.cli.serve, vivavoce.cli.say; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "fastapi" in loaded
    assert not loaded & {"torch", "genie_tts", "fastrtc", "jieba_fast", "pyopenjtalk", "transformers"}


def faults_of(module: str, source: str) -> Iterator[str]:
    """Sentences on the imports that `module` (its name below the package) must not make."""
    part = _part(module)
    for target in _imports(module, source):
        library, _, inner = target.partition(".")
        if library != "vivavoce":
            fence = FENCED.get(library)
            ok = fence is None or not fence.isdisjoint({part, module})
        elif not inner or inner == "__version__" or _part(inner) == part:
            ok = True
        else:
            known = ALLOWED.get(part, set())
            ok = _part(inner) in known or any(inner == name or inner.startswith(name + ".") for name in known)
        if not ok:
            yield f"{module} must not import {target}"


def _imports(module: str, source: str) -> Iterator[str]:
    """Full names of what a module imports, wherever in it; `import_module("name")` counts."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                package = ["vivavoce", *module.split(".")][:-level] if level else []
                origin = ".".join([*package, *([base] if base else [])])
                inside = origin.startswith("vivavoce")  # `from vivavoce.engines import base` names a module
                yield from {f"{origin}.{alias.name}" if inside else origin for alias in names}
            case ast.Call(func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"), args=[argument, *_]):
                first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def _name(path: Path) -> str:
    """`text/markup.py` -> `text.markup`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(module: str) -> str:
    """`text.markup` -> `text`; every module of the command line is `cli`."""
    head = module.partition(".")[0]
    return "cli" if head.startswith("cli") or head == "__main__" else head
