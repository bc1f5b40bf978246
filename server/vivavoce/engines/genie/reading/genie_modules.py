"""The only importer of genie_tts in this server: single modules of its text part, and nothing else of it.

`import genie_tts` asks on standard input whether to download 400 MB, sets up logging, and starts a player. Its G2P
modules need none of that, so they are loaded under a private package name that stands in for `genie_tts` and never
runs its `__init__`. Nothing of the process changes: no environment variable, working folder, logger or `genie_tts`
entry in `sys.modules`.
"""

from __future__ import annotations

import sys
import threading
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from vivavoce.errors import VoiceUnavailable

INSTALL_COMMAND = "pip install 'vivavoce[genie]'"
KOREAN_COMMAND = "pip install 'vivavoce[genie,korean]'"

_STAND_IN = "_vivavoce_genie_tts"
_lock = threading.RLock()


def genie_module(name: str) -> Any:
    """A module of genie_tts by its name below the package, such as `G2P.SymbolsV2`.

    Raises:
        VoiceUnavailable: If genie_tts or something it needs is not installed.
    """
    with quiet():
        _stand_in()
        return _imported(f"{_STAND_IN}.{name}")


def library(name: str) -> Any:
    """A library that genie_tts brings (jieba_fast, g2pM, pypinyin), imported as quietly.

    jieba_fast looks for `pkg_resources`, which costs half a second and 50 MB to find one file beside itself; it is
    told that there is none.

    Raises:
        VoiceUnavailable: If it is not installed.
    """
    with quiet():
        hidden = "pkg_resources" not in sys.modules
        if hidden:
            sys.modules["pkg_resources"] = None  # type: ignore[assignment]  # Python's own way to say "not installed"
        try:
            return _imported(name)
        finally:
            if hidden:
                del sys.modules["pkg_resources"]


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings meanwhile: old idioms of these libraries are not this server's to report. One thread at a time,
    because Python's list of warning filters is the whole process's.
    """
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _stand_in() -> None:
    if _STAND_IN in sys.modules:
        return
    spec = find_spec("genie_tts")  # finds a top-level package without running it
    if spec is None or spec.submodule_search_locations is None:
        raise VoiceUnavailable(f"genie-tts is not installed; get it with `{INSTALL_COMMAND}`")
    package = types.ModuleType(_STAND_IN, "Stands in for genie_tts, whose own __init__ must not run.")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[_STAND_IN] = package


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as missing:
        raise VoiceUnavailable(f"{missing.name or name} is not installed; get it with `{INSTALL_COMMAND}`") from missing
