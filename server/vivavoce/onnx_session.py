"""Opens ONNX models the one way this server runs them.

An idle session of ONNX Runtime spins for tens of milliseconds after each call and starves its neighbours on a small
machine, so spinning is off everywhere. Names of inputs and outputs are checked when a model is opened, not when the
first listener waits for sound. The only module that makes `InferenceSession` objects.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    """A session on the CPU.

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


class Cores:
    """Who computes now: a model that is alone takes all cores, models that run side by side take one each."""

    def __init__(self) -> None:
        self._running = 0
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Compute inside the block; yields True where nobody else does."""
        with self._lock:
            self._running += 1
            alone = self._running == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._running -= 1


class AdaptiveSession:
    """A model opened twice over the same mapped weights: with all threads, for when it is alone, and with one.

    A call cannot change its number of threads, and threads that wait for each other's turn cost more than they give:
    two listeners are served sooner by two threads that do not share work.

    Args:
        wide: for a call that is alone.
        narrow: for calls side by side; the same object as `wide` where there is one thread anyway.
        cores: shared by all models that compete.
    """

    def __init__(self, wide: ort.InferenceSession, narrow: ort.InferenceSession, cores: Cores) -> None:
        self.wide, self.narrow = wide, narrow
        self._cores = cores

    @contextmanager
    def chosen(self) -> Iterator[ort.InferenceSession]:
        """The session to run inside the block."""
        with self._cores.taken() as alone:
            yield self.wide if alone else self.narrow

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """As `InferenceSession.run`."""
        with self.chosen() as session:
            found: list[Any] = session.run(outputs, feeds)
            return found

    def get_modelmeta(self) -> Any:
        """As `InferenceSession.get_modelmeta`."""
        return self.wide.get_modelmeta()


def open_adaptive(
    model: Path,
    cores: Cores,
    *,
    threads: int,
    optimization: Optimization = "none",
    signature: Signature | None = None,
    arena: bool = True,
) -> AdaptiveSession:
    """A model that uses `threads` threads while it is alone; see `open_session` for the rest."""
    narrow = open_session(model, threads=1, optimization=optimization, signature=signature, arena=arena)
    if threads <= 1:
        return AdaptiveSession(narrow, narrow, cores)
    wide = open_session(model, threads=threads, optimization=optimization, arena=arena, settings=SPIN_WHILE_RUNNING)
    return AdaptiveSession(wide, narrow, cores)
