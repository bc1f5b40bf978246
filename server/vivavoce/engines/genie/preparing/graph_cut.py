"""Surgery on ONNX graphs: cut a piece out of a model, drop masks that are all ones, fold weight norm, save for loading.

Knows ONNX and nothing of speech. The graph builders of this package call it once, when a voice is compiled; nothing
here runs while somebody listens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vivavoce.onnx_session import open_session, session_options

Dimensions = Sequence[int | str]  # a number, or the name of a dynamic axis


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a cut: the tensor inside the original graph, and its shape at the new border."""

    tensor: str
    shape: Dimensions
    dtype: int = TensorProto.FLOAT


def cut(model: onnx.ModelProto, inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> onnx.ModelProto:
    """The piece of `model` that computes `outputs` from `inputs`, its borders renamed to the mapping's keys.

    Raises:
        ValueError: If an output needs something that is neither computed, nor a weight, nor one of `inputs`.
    """
    border = {port.tensor: name for name, port in inputs.items()}
    nodes = _needed(model, {port.tensor for port in outputs.values()}, set(border))
    produced = {tensor for node in nodes for tensor in node.output}
    read = {tensor for node in nodes for tensor in _reads(node)}
    weights = [weight for weight in model.graph.initializer if weight.name in read and weight.name not in border]
    unknown = read - produced - set(border) - {weight.name for weight in weights} - {""}
    if unknown:
        raise ValueError(f"the cut misses inputs: {', '.join(sorted(unknown))}")
    rename = {**border, **{port.tensor: name for name, port in outputs.items()}}
    graph = helper.make_graph(
        [_renamed(node, rename) for node in nodes],
        "cut",
        [helper.make_tensor_value_info(name, port.dtype, port.shape) for name, port in inputs.items()],
        [helper.make_tensor_value_info(name, port.dtype, port.shape) for name, port in outputs.items()],
        weights,
    )
    return helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)


def without_ones(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function without multiplications by masks of ones, which an unpadded batch of one never needs.

    Bit-exact: x * 1 is x, and a `Where` on "mask is 0" always takes its second branch.
    """
    ones, zeros, alias = _constant_ones(model), set[str](), dict[str, str]()
    nodes = []
    for source in model.graph.node:
        node = _renamed(source, alias, outputs=False)
        kept = _without_mask(node, ones, zeros)
        if kept is None:
            nodes.append(node)
        else:
            alias[node.output[0]] = kept
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    result.graph.node.extend(_computed(nodes, {output.name for output in model.graph.output}))
    return result


def folded_weights(model: onnx.ModelProto, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Every weight-normed weight w = g * v / |v| under `prefix`, keyed by its name without the `_g` or `_v`.

    ONNX Runtime computes them with the graph's own nodes, so they equal to the last bit what it would fold at load.
    """
    directions = {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type == "Div" and node.input[0].startswith(prefix) and node.input[0].endswith("_v")
    }
    folds = {
        directions[node.input[0]].removesuffix("_v"): node.output[0]
        for node in model.graph.node
        if node.op_type == "Mul" and node.input[0] in directions
    }
    if not folds:
        return {}
    piece = cut(model, {}, {name: Port(tensor, ("out", "in", "kernel")) for name, tensor in folds.items()})
    session = open_session(piece.SerializeToString(), optimization="none")
    return dict(zip(folds, session.run(list(folds), {}), strict=True))


def save_optimized(model: onnx.ModelProto, path: Path) -> None:
    """Write `model` as ONNX Runtime has simplified it, weights beside it, so that it loads with optimisation off.

    Weights land in `<name>.data`, mapped into memory at load: no parsing, no copy.
    """
    settings = {
        "session.optimized_model_external_initializers_file_name": path.with_suffix(".data").name,
        "session.optimized_model_external_initializers_min_size_in_bytes": "4096",
    }
    options = session_options(threads=1, optimization="extended", settings=settings)
    options.optimized_model_filepath = str(path)
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


# -- walking -----------------------------------------------------------------------------------------------------


def _reads(node: onnx.NodeProto) -> list[str]:
    """Tensors a node needs, those used inside its branches included."""
    names = list(node.input)
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            inner = {tensor for child in attribute.g.node for tensor in child.output}
            names += [name for child in attribute.g.node for name in _reads(child) if name not in inner]
    return names


def _needed(model: onnx.ModelProto, wanted: set[str], stop: set[str]) -> list[onnx.NodeProto]:
    """Nodes that `wanted` depends on, in order, not looking behind the tensors in `stop`."""
    pending, kept = set(wanted), []
    for node in reversed(model.graph.node):  # graphs are stored in topological order
        if pending.intersection(node.output) - stop:
            kept.append(node)
            pending.update(name for name in _reads(node) if name not in stop)
    return kept[::-1]


def _computed(nodes: Sequence[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """`nodes` without those that nothing uses any more."""
    pending, kept = set(wanted), []
    for node in reversed(nodes):
        if pending.intersection(node.output):
            kept.append(node)
            pending.update(_reads(node))
    return kept[::-1]


def _renamed(node: onnx.NodeProto, names: Mapping[str, str], *, outputs: bool = True) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    for index, tensor in enumerate(node.input):
        copy.input[index] = names.get(tensor, tensor)
    for index, tensor in enumerate(node.output if outputs else ()):
        copy.output[index] = names.get(tensor, tensor)
    for attribute in copy.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            for index, child in enumerate(attribute.g.node):
                attribute.g.node[index].CopyFrom(_renamed(child, names))
    return copy


# -- masks -------------------------------------------------------------------------------------------------------


def _constant_ones(model: onnx.ModelProto) -> set[str]:
    return {
        node.output[0]
        for node in model.graph.node
        if node.op_type == "ConstantOfShape" and node.attribute and numpy_helper.to_array(node.attribute[0].t) == 1
    }


def _without_mask(node: onnx.NodeProto, ones: set[str], zeros: set[str]) -> str | None:
    """The tensor that equals the node's output because a mask of ones does nothing; None where the node stays.

    Outputs that are known to be all ones or all zeros are added to `ones` and `zeros` on the way.
    """
    inputs: list[str] = list(node.input)
    first, out = inputs[0] if inputs else "", node.output[0]
    match node.op_type:
        case "Mul" if {*inputs} <= ones:
            ones.add(out)
        case "Mul" if ones.intersection(inputs):
            return next(name for name in inputs if name not in ones)
        case "Unsqueeze" | "Cast" if first in ones:
            ones.add(out)
        case "Equal" if first in ones:  # always a comparison with 0 in these graphs
            zeros.add(out)
        case "Cast" if first in zeros:
            zeros.add(out)
        case "Where" if first in zeros:
            return inputs[2]
    return None
