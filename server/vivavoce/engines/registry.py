"""Which engines exist; each is imported when it is first opened, so that an absent dependency hurts nobody else."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from vivavoce.engines.speech import SpeechEngine
from vivavoce.errors import ConfigError, VivaVoceError

if TYPE_CHECKING:
    from vivavoce.config import VoiceSettings

logger = logging.getLogger(__name__)

# Name -> "module:function"; the function takes the settings of voices and returns the engine.
FACTORIES: dict[str, str] = {
    "genie": "vivavoce.engines.genie.engine:open_engine",
    "embedded": "vivavoce.engines.embedded:open_engine",
    "chattts": "vivavoce.engines.chattts:open_engine",
}


def open_engines(settings: VoiceSettings) -> list[SpeechEngine]:
    """The engines named by the configuration, in its order; one that cannot start is left out with a warning.

    Raises:
        ConfigError: If a name is unknown, or not one engine could be opened.
    """
    engines: list[SpeechEngine] = []
    for name in settings.engines:
        if name not in FACTORIES:
            raise ConfigError(f"unknown engine '{name}'; known: {', '.join(FACTORIES)}")
        try:
            engines.append(_factory(FACTORIES[name])(settings))
        except (ImportError, VivaVoceError) as error:
            logger.warning("engine '%s' is not available: %s", name, error)
    if not engines:
        raise ConfigError("no speech engine could be opened; `vivavoce doctor` tells what is missing")
    return engines


def _factory(path: str) -> Callable[[VoiceSettings], SpeechEngine]:
    module, _, function = path.partition(":")
    factory: Callable[[VoiceSettings], SpeechEngine] = getattr(importlib.import_module(module), function)
    return factory
