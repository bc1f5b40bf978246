"""Opens ONNX models the one way this server runs them.

An idle session of ONNX Runtime spins for tens of milliseconds after each call and starves its neighbours on a small
machine, so spinning is off everywhere. Names of inputs and outputs are checked when a model is opened, not when the
first listener waits for sound. The only module that makes `InferenceSession` objects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import onnxruntime as ort

from vivavoce.errors import VoiceUnavailable

# Threads of one call wait for each other busily, which saves a wake-up at each of hundreds of nodes, and stop with it.
SPIN_WHILE_RUNNING = {"session.intra_op.allow_spinning": "1", "session.force_spinning_stop": "1"}

Optimization = Literal["none", "basic", "extended", "all"]

_LEVELS = {
    "none": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a caller relies on; a model may have more outputs than these."""

    inputs: Collection[str]
    outputs: Collection[str]


def open_session(
    model: Path | bytes,
    *,
    threads: int = 1,
    optimization: Optimization = "all",
    signature: Signature | None = None,
    settings: Mapping[str, str] | None = None,
    arena: bool = True,
) -> ort.InferenceSession:
    """Open a model with ONNX Runtime on the CPU.

    Args:
        model: a file, or a serialised model.
        threads: threads of one call, the calling one included; at least 1.
        optimization: "none" for models that were saved after optimisation.
        signature: names to check.
        settings: further `session.` settings of ONNX Runtime.
        arena: keep freed memory for the next call; False where shapes vary much and calls are rare.

    Raises:
        VoiceUnavailable: If the model cannot be read or has other inputs and outputs than expected.
    """
    options = session_options(threads=threads, optimization=optimization, settings=settings, arena=arena)
    name = model.name if isinstance(model, Path) else "a model in memory"
    source = str(model) if isinstance(model, Path) else model
    try:
        session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the binding raises several unrelated classes, some of them plain RuntimeError
        raise VoiceUnavailable(f"'{name}' cannot be opened: {error}") from error
    if signature is not None:
        _check(session, signature, name)
    return session


def session_options(
    *,
    threads: int,
    optimization: Optimization,
    settings: Mapping[str, str] | None = None,
    arena: bool = True,
) -> ort.SessionOptions:
    """The options of every session here."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.graph_optimization_level = _LEVELS[optimization]
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 3  # warnings of ONNX Runtime concern its developers
    for key, value in {"session.intra_op.allow_spinning": "0", **(settings or {})}.items():
        options.add_session_config_entry(key, value)
    return options


def _check(session: ort.InferenceSession, expected: Signature, name: str) -> None:
    found: dict[str, list[Any]] = {"input": session.get_inputs(), "output": session.get_outputs()}
    inputs = {node.name for node in found["input"]}
    outputs = {node.name for node in found["output"]}
    if inputs != set(expected.inputs) or not outputs >= set(expected.outputs):
        raise VoiceUnavailable(
            f"'{name}' has inputs {sorted(inputs)} and outputs {sorted(outputs)}; "
            f"expected {sorted(expected.inputs)} and {sorted(expected.outputs)}"
        )


class WideSession:
    """A model opened twice over the same mapped weights: for one thread, and for all that a step may be given.

    A call cannot change its number of threads, and threads that wait for each other's turn cost more than they give:
    two listeners are served sooner by two threads that do not share work. Who computes with how many is decided by
    whoever steps the engines.

    Args:
        wide: for a call with several threads.
        narrow: for a call with one; the same object as `wide` where no call has more.
    """

    def __init__(self, wide: ort.InferenceSession, narrow: ort.InferenceSession) -> None:
        self.wide, self.narrow = wide, narrow

    def of(self, threads: int) -> ort.InferenceSession:
        """The session for a call with that many threads."""
        return self.wide if threads > 1 else self.narrow

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], *, threads: int) -> list[Any]:
        """As `InferenceSession.run`."""
        found: list[Any] = self.of(threads).run(outputs, feeds)
        return found

    def get_modelmeta(self) -> Any:
        """As `InferenceSession.get_modelmeta`."""
        return self.wide.get_modelmeta()


def open_wide(
    model: Path,
    *,
    threads: int,
    optimization: Optimization = "none",
    signature: Signature | None = None,
    arena: bool = True,
) -> WideSession:
    """A model for calls with one thread or with `threads`; see `open_session` for the rest."""
    narrow = open_session(model, threads=1, optimization=optimization, signature=signature, arena=arena)
    if threads <= 1:
        return WideSession(narrow, narrow)
    wide = open_session(model, threads=threads, optimization=optimization, arena=arena, settings=SPIN_WHILE_RUNNING)
    return WideSession(wide, narrow)
