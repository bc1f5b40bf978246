"""Writes an ONNX graph node by node: names, constants, shared nodes, and the states of a stream.

Knows ONNX, one-dimensional signals float32 [1, C, T] and what a state is; knows no model. `decoder_graph.py` builds
the decoder with it.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.genie.sound.graph_decoder import STATES

_TIME = 2  # axis
_END = np.iinfo(np.int64).max


class GraphBuilder:
    """A graph under construction. Methods take and return names of tensors."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._states: list[tuple[str, int, int]] = []  # name, channels, initial length
        self._shared: dict[tuple[str, ...], str] = {}

    # -- nodes ---------------------------------------------------------------------------------------------------

    def node(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """A node with one output."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def once(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node that is shared by everybody who asks for the same."""
        key = (op, *inputs, repr(attributes))
        if key not in self._shared:
            self._shared[key] = self.node(op, *inputs, **attributes)
        return self._shared[key]

    def array(self, name: str, value: NDArray[Any]) -> str:
        """A constant; the first value under a name counts."""
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(value, name)
        return name

    def integers(self, *values: int) -> str:
        """A constant int64 [n]."""
        return self.array("_".join(["int", *map(str, values)]), np.array(values, np.int64))

    # -- signals -------------------------------------------------------------------------------------------------

    def length(self, x: str) -> str:
        """Samples of a signal, int64 [1]."""
        return self.once("Shape", x, start=_TIME, end=_TIME + 1)

    def scaled(self, length: str, factor: int) -> str:
        return length if factor == 1 else self.once("Mul", length, self.integers(factor))

    def joined(self, *parts: str) -> str:
        return self.node("Concat", *parts, axis=_TIME)

    def sliced(self, x: str, start: str, end: str, output: str | None = None) -> str:
        """Samples `start` to `end`, both int64 [1]."""
        return self.node("Slice", x, start, end, self.integers(_TIME), output=output)

    def shaped(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.integers(*shape))

    def zeros(self, channels: int, length: int, count: str) -> str:
        """`count` (int64 [1]) of at most `length` samples of silence."""
        most = self.array(f"zeros_{channels}_{length}", np.zeros((1, channels, length), np.float32))
        return self.once("Slice", most, self.integers(0), count, self.integers(_TIME))

    # -- states --------------------------------------------------------------------------------------------------

    def state(self, channels: int, initial: int) -> str:
        """What a stream carries from call to call: a signal, at first `initial` zeros."""
        name = f"state_{len(self._states)}"
        self._states.append((name, channels, initial))
        return name

    def keep(self, state: str, x: str, last: int) -> None:
        """The last samples of `x`, or all if there are fewer, become the state's next value."""
        self.sliced(x, self.integers(-last), self.integers(_END), output=f"next_{state}")

    def keep_from(self, state: str, x: str, start: str) -> None:
        """All of `x` from `start` (int64 [1]) on becomes the state's next value."""
        self.sliced(x, start, self.integers(_END), output=f"next_{state}")

    # -- the whole -----------------------------------------------------------------------------------------------

    def model(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The model, its states added to inputs and outputs and described in the metadata."""
        graph = helper.make_graph(
            self._nodes,
            name,
            inputs + [_signal(state, channels) for state, channels, _ in self._states],
            outputs + [_signal(f"next_{state}", channels) for state, channels, _ in self._states],
            list(self._initializers.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        helper.set_model_props(model, {STATES: json.dumps(self._states)})
        return model


def _signal(name: str, channels: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, f"{name}_length"])
