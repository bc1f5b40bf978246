"""The 8-bit graph of Kokoro in full precision: it says the same, and does not have to be rounded on the way.

Called by `turn_speakers.py`. What would be made 8 bits stays as it is: scales are one, zero points nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

_INTEGER_KINDS: Final = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}
_FLOAT, _INT32 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32


def full_precision(path: Path) -> bytes:
    """The graph in this file, as a model that onnxruntime opens."""
    model = onnx.load(str(path))
    graph = model.graph
    given = {each.name: each for each in graph.initializer}
    nodes, weights = list[Any](), dict[str, Any]()
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes.append(helper.make_node("Identity", [node.input[0]], [node.output[0]]))
            weights[node.output[1]] = numpy_helper.from_array(np.float32(1), node.output[1])
            weights[node.output[2]] = numpy_helper.from_array(np.uint8(0), node.output[2])
        elif node.op_type in _INTEGER_KINDS:
            sound, weight, _, zero = [*node.input, "", ""][:4]
            name = f"{weight} in full"
            weights[name] = numpy_helper.from_array(_difference(given, weight, zero), name)
            plain = helper.make_node(_INTEGER_KINDS[node.op_type], [sound, name], list(node.output))
            plain.attribute.extend(node.attribute)
            nodes.append(plain)
        else:
            nodes.append(node)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    for cast, rounding in _biases(graph):
        cast.i = _FLOAT
        if rounding is not None:
            rounding.op_type = "Identity"
    _keep_used(graph, weights)
    whole: bytes = model.SerializeToString()
    return whole


def _difference(given: dict[str, Any], weight: str, zero: str) -> Any:
    """Of a weight and its zero point, float32; a zero point for each output channel or one for all."""
    values = numpy_helper.to_array(given[weight]).astype(np.float32)
    zeros = numpy_helper.to_array(given[zero]).astype(np.float32) if zero else np.float32(0)
    if np.ndim(zeros) == 1 and len(zeros) == len(values):
        zeros = zeros.reshape((-1,) + (1,) * (values.ndim - 1))
    return values - zeros


def _biases(graph: Any) -> Iterator[tuple[Any, Any]]:
    """Where a bias is rounded to a whole number before it is added to a product: (its kind, the rounding)."""
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        terms = [makers.get(name) for name in node.input] if node.op_type == "Add" else []
        if not any(term is not None and term.op_type in ("Conv", "MatMul") for term in terms):
            continue
        for term in terms:
            if term is not None and term.op_type == "Reshape":
                term = makers.get(term.input[0])
            if term is not None and term.op_type == "Cast":
                before = makers.get(term.input[0])
                floor = before if before is not None and before.op_type == "Floor" else None
                yield from ((kind, floor) for kind in term.attribute if kind.name == "to" and kind.i == _INT32)


def _keep_used(graph: Any, more: dict[str, Any]) -> None:
    """The weights that are read, and no others."""
    read = {name for node in graph.node for name in node.input}
    kept = [each for each in (*graph.initializer, *more.values()) if each.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept)
