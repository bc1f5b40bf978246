"""The encoder and the decoder as ONNX graphs, written from the weights node by node.

`encoder_graphs` cuts the encoder into halves of layers, so that a long window is a row of short steps. Linear layers
run in 8 bits: weights are 8 or 7 bits, a scale for each output, inputs are rounded at run time; the rest is float32.
`cross_graph` makes the keys and values of cross-attention, `step_graph` is the decoder. Brings the package `onnx`: only
`building.py` imports this. `encoder.py` and `graph_step.py` run what it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.whisper.encoder import CROSS, FEATURES, HIDDEN, NEXT, encoder_parts
from vivavoce.engines.whisper.weights import Array, Weights

_EPSILON = 1e-5


class Builder:
    """A graph under construction. Methods take and return names of tensors.

    Args:
        name: of the graph; begins the names of its constants, which are one file for all graphs.
        bits: of the weights of linear layers: 32 keeps them as they are, 8 and 7 round them. With 7 the sum of two
            products fits into 16 bits, which processors with AVX2 but without VNNI silently rely on.
    """

    def __init__(self, name: str, bits: int) -> None:
        self._name, self._bits = name, bits
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, op: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        """A node with one output."""
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], domain=domain, **attributes))
        return name

    def split(self, x: str, count: int) -> list[str]:
        """Equal parts of the last axis."""
        names = [f"t{len(self._nodes)}_{k}" for k in range(count)]
        self._nodes.append(helper.make_node("Split", [x], names, axis=-1, num_outputs=count))
        return names

    def array(self, value: NDArray[Any]) -> str:
        """A constant."""
        name = f"{self._name}_c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def integers(self, *values: int) -> str:
        """A constant int64 [n]."""
        return self.array(np.array(values, np.int64))

    def shaped(self, x: str, *shape: int, output: str | None = None) -> str:
        return self.node("Reshape", x, self.integers(*shape), output=output)

    def linear(self, x: str, weight: Array, bias: Array | None = None, output: str | None = None) -> str:
        """x @ weight.T + bias; weight [outputs, inputs]."""
        if self._bits == 32:
            product = self.node("MatMul", x, self.array(weight.T), output=output if bias is None else None)
            return product if bias is None else self.node("Add", product, self.array(bias), output=output)
        whole, scale = rounded(weight, self._bits)
        shift = [self.array(bias)] if bias is not None else []
        inputs = [x, self.array(whole.T), self.array(scale), self.array(np.zeros(len(scale), np.int8)), *shift]
        return self.node("DynamicQuantizeMatMul", *inputs, domain="com.microsoft", output=output)

    def linear_by_rows(self, x: str, weight: Array, bias: Array, output: str | None = None) -> str:
        """The same where rows differ much in size: each is rounded on its own scale, not all on that of the largest."""
        if self._bits == 32:
            return self.linear(x, weight, bias, output)
        size = self.node("ReduceMax", self.node("Abs", x), self.integers(-1), keepdims=1)
        size = self.node("Max", size, self.array(np.array(1e-6, np.float32)))
        product = self.linear(self.node("Div", x, size), weight)
        return self.node("Add", self.node("Mul", product, size), self.array(bias), output=output)

    def normalised(self, x: str, weights: Weights, name: str, output: str | None = None) -> str:
        """Layer normalisation."""
        scale, shift = weights.matrix(f"{name}/gamma"), weights.matrix(f"{name}/beta")
        constants = self.array(scale), self.array(shift)
        return self.node("LayerNormalization", x, *constants, axis=-1, epsilon=_EPSILON, output=output)

    def feed_forward(self, x: str, weights: Weights, layer: str, output: str | None = None) -> str:
        """The second half of a block, its own input added."""
        hidden = self.normalised(x, weights, f"{layer}/ffn/layer_norm")
        inner = self.node("Gelu", self.linear(hidden, *weights.linear(f"{layer}/ffn/linear_0")))
        outer = self.linear_by_rows(inner, *weights.linear(f"{layer}/ffn/linear_1"))
        return self.node("Add", x, outer, output=output)

    def model(self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[str]) -> onnx.ModelProto:
        """The model; its outputs are float32."""
        found = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
        graph = helper.make_graph(self._nodes, self._name, list(inputs), found, self._constants)
        domains = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=9)


def rounded(weight: Array, bits: int) -> tuple[NDArray[np.int8], Array]:
    """(whole numbers [outputs, inputs], scale [outputs]): weight is about whole * scale."""
    most = 2 ** (bits - 1) - 1
    scale = np.maximum(np.abs(weight).max(1), 1e-12) / most  # float32 [outputs]
    return np.rint(weight / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def encoder_graphs(weights: Weights, bits: int) -> dict[str, onnx.ModelProto]:
    """The encoder, cut into the parts that `encoder_parts` names.

    The first part takes float32 [1, bins, 2 n], all others and every output are float32 [1, n, width].
    """
    shape = weights.shape
    models = [_stem(weights, bits)]
    for layer in range(shape.encoder_layers):
        last = layer == shape.encoder_layers - 1
        models += [_self_attention(weights, layer, bits), _feed_forward(weights, layer, bits, last)]
    return dict(zip(encoder_parts(shape.encoder_layers), models, strict=True))


def _stem(weights: Weights, bits: int) -> onnx.ModelProto:
    """Two convolutions, the second one at every other frame, and what tells positions apart."""
    build, x = Builder("stem", bits), FEATURES
    for name, stride in (("conv1", 1), ("conv2", 2)):
        weight, bias = weights.linear(f"encoder/{name}")
        constants = build.array(weight), build.array(bias)
        x = build.node("Conv", x, *constants, kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = build.node("Gelu", x)
    x = build.node("Transpose", x, perm=[0, 2, 1])
    places = build.array(weights.matrix("encoder/position_encodings/encodings"))
    count = build.node("Shape", x, start=1, end=2)
    build.node("Add", x, build.node("Slice", places, build.integers(0), count, build.integers(0)), output=NEXT)
    source = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, [1, weights.shape.bins, "frames"])
    return build.model([source], [NEXT])


def _self_attention(weights: Weights, layer: int, bits: int) -> onnx.ModelProto:
    build, name = Builder(f"attention_{layer}", bits), f"encoder/layer_{layer}/self_attention"
    hidden = build.normalised(HIDDEN, weights, f"{name}/layer_norm")
    parts = build.split(build.linear(hidden, *weights.linear(f"{name}/linear_0")), 3)
    seen = build.node(
        "MultiHeadAttention", *parts, domain="com.microsoft", num_heads=weights.shape.encoder_heads
    )  # scales by 1 / sqrt(head) itself
    build.node("Add", HIDDEN, build.linear(seen, *weights.linear(f"{name}/linear_1")), output=NEXT)
    return build.model([_hidden(weights)], [NEXT])


def _feed_forward(weights: Weights, layer: int, bits: int, last: bool) -> onnx.ModelProto:
    build = Builder(f"feed_forward_{layer}", bits)
    x = build.feed_forward(HIDDEN, weights, f"encoder/layer_{layer}", output=None if last else NEXT)
    if last:
        build.normalised(x, weights, "encoder/layer_norm", output=NEXT)
    return build.model([_hidden(weights)], [NEXT])


def _hidden(weights: Weights) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(HIDDEN, TensorProto.FLOAT, [1, "positions", weights.shape.width])


def cross_graph(weights: Weights, bits: int) -> onnx.ModelProto:
    """What the decoder looks at: float32 [1, n, width] -> [layers, 2 (keys, values), heads, n, head]."""
    build, shape = Builder("cross", bits), weights.shape
    parts = [weights.linear(f"decoder/layer_{layer}/attention/linear_1") for layer in range(shape.decoder_layers)]
    weight, bias = (np.concatenate(found) for found in zip(*parts, strict=True))
    both = build.linear(HIDDEN, weight, bias)
    both = build.shaped(both, -1, shape.decoder_layers, 2, shape.decoder_heads, shape.head)
    build.node("Transpose", both, perm=[1, 2, 3, 0, 4], output=CROSS)
    return build.model([_hidden(weights)], [CROSS])


def step_graph(weights: Weights, bits: int, alignment: Sequence[tuple[int, int]]) -> onnx.ModelProto:
    """The decoder, any number of tokens further.

    Inputs:
        embedded: float32 [1, t, width], tokens with their positions.
        mask: float32 [t, p + t], 0 where a token may look, far below where it may not.
        past: float32 [layers, 2, heads, p, head], keys and values of the tokens before.
        cross: float32 [layers, 2, heads, n, head], of `cross_graph`.
        cross_bias: float32 [n], added to the scores of each place.
        wanted: int64 [w], the tokens whose successors are asked for.

    Outputs:
        logits: float32 [w, vocabulary].
        present: `past` with the new tokens.
        scores: float32 [len(alignment), t, n], where the heads of `alignment` (layer, head) look, before softmax.
    """
    build, shape = Builder("step", bits), weights.shape
    pasts = _layers_of(build, "past", shape.decoder_layers)
    crosses = _layers_of(build, CROSS, shape.decoder_layers)
    x, presents, seen = "embedded", [], []
    for layer in range(shape.decoder_layers):
        name = f"decoder/layer_{layer}"
        hidden = build.normalised(x, weights, f"{name}/self_attention/layer_norm")
        fused = build.linear(hidden, *weights.linear(f"{name}/self_attention/linear_0"))
        query, key, value = (_heads(build, part, shape.decoder_heads, shape.head) for part in build.split(fused, 3))
        keys = build.node("Concat", _half(build, pasts[layer], 0), key, axis=1)
        values = build.node("Concat", _half(build, pasts[layer], 1), value, axis=1)
        presents.append(_stacked(build, [keys, values]))
        looked, _ = _attention(build, query, keys, values, "mask", shape.head)
        x = build.node("Add", x, build.linear(looked, *weights.linear(f"{name}/self_attention/linear_1")))
        hidden = build.normalised(x, weights, f"{name}/attention/layer_norm")
        asked = build.linear(hidden, *weights.linear(f"{name}/attention/linear_0"))
        query = _heads(build, asked, shape.decoder_heads, shape.head)
        keys, values = (_half(build, crosses[layer], half) for half in (0, 1))
        looked, scores = _attention(build, query, keys, values, "cross_bias", shape.head)
        seen += [build.node("Gather", scores, build.integers(head), axis=0) for at, head in alignment if at == layer]
        x = build.node("Add", x, build.linear(looked, *weights.linear(f"{name}/attention/linear_2")))
        x = build.feed_forward(x, weights, name)
    hidden = build.normalised(build.node("Gather", x, "wanted", axis=1), weights, "decoder/layer_norm")
    logits = build.linear(hidden, weights.matrix("decoder/projection/weight"))
    build.shaped(logits, -1, shape.vocabulary, output="logits")
    _stacked(build, presents, output="present")
    build.node("Concat", *seen, axis=0, output="scores")
    cache = [shape.decoder_layers, 2, shape.decoder_heads]
    floats = TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("embedded", floats, [1, "t", shape.width]),
        helper.make_tensor_value_info("mask", floats, ["t", "all"]),
        helper.make_tensor_value_info("past", floats, [*cache, "p", shape.head]),
        helper.make_tensor_value_info(CROSS, floats, [*cache, "n", shape.head]),
        helper.make_tensor_value_info("cross_bias", floats, ["n"]),
        helper.make_tensor_value_info("wanted", TensorProto.INT64, ["w"]),
    ]
    return build.model(inputs, ["logits", "present", "scores"])


def _layers_of(build: Builder, name: str, layers: int) -> list[str]:
    """The layers of a cache, each [2, heads, n, head]."""
    return [build.node("Gather", name, build.array(np.array(layer, np.int64)), axis=0) for layer in range(layers)]


def _half(build: Builder, both: str, half: int) -> str:
    """Keys (0) or values (1), [heads, n, head]."""
    return build.node("Gather", both, build.array(np.array(half, np.int64)), axis=0)


def _stacked(build: Builder, parts: Sequence[str], output: str | None = None) -> str:
    """Parts of one shape along a new first axis."""
    return build.node(
        "Concat", *(build.node("Unsqueeze", part, build.integers(0)) for part in parts), axis=0, output=output
    )


def _heads(build: Builder, x: str, heads: int, head: int) -> str:
    """[1, t, width] -> [heads, t, head]."""
    return build.node("Transpose", build.shaped(x, -1, heads, head), perm=[1, 0, 2])


def _attention(build: Builder, query: str, keys: str, values: str, bias: str, head: int) -> tuple[str, str]:
    """(what was looked at [1, t, width], scores [heads, t, n])."""
    scale = build.array(np.array(head**-0.5, np.float32))
    turned = build.node("Transpose", keys, perm=[0, 2, 1])
    scores = build.node("MatMul", build.node("Mul", query, scale), turned)
    shares = build.node("Softmax", build.node("Add", scores, bias), axis=-1)
    looked = build.node("Transpose", build.node("MatMul", shares, values), perm=[1, 0, 2])
    return build.node("Unsqueeze", build.node("Flatten", looked, axis=1), build.integers(0)), scores
