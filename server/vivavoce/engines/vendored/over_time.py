"""Makes `silero_vad_over_time.onnx` of Silero's own file: the same numbers, for many frames of one listener in a call.

    python -m vivavoce.engines.vendored.over_time

Only the recurrent layer needs the frame before. In Silero's graph it gets one frame a call, and so do all the layers
below it; here those see all frames at once, as a batch, and the recurrent layer goes through them. The branch for
16 kHz is all that is left. A developer's tool: nothing that serves imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vivavoce.engines.vendored import SILERO, SILERO_OVER_TIME

_HIDDEN = 128  # of the recurrent layer
_BINS = 129  # of the spectrum
_PAD = 64  # samples that are mirrored behind a frame
_CONVOLUTIONS = ((1, "spectrum"), (2, "level.0"), (2, "level.1"), (1, "level.2"))  # stride, what it sees


def over_time(source: Path) -> onnx.ModelProto:
    """The graph: sound float32 [n, 576] and memory float32 [2, 128] become probabilities float32 [n] and the memory."""
    weights = dict(_weights(onnx.load(str(source)).graph))
    encoders = [(f"encoder.{k}.weight", f"encoder.{k}.bias") for k in range(4)]
    kept = {
        "basis": weights["stft.forward_basis_buffer"],
        **{
            name: weights[name.replace(f"{k}.", f"{k}.reparam_conv.", 1)]
            for k, pair in enumerate(encoders)
            for name in pair
        },
        "inner": _gates(weights["decoder.rnn.weight_ih"])[None],
        "outer": _gates(weights["decoder.rnn.weight_hh"])[None],
        "bias": np.concatenate([_gates(weights["decoder.rnn.bias_ih"]), _gates(weights["decoder.rnn.bias_hh"])])[None],
        "last": weights["decoder.decoder.2.weight"].reshape(_HIDDEN, 1),
        "last.bias": weights["decoder.decoder.2.bias"],
        "pads": np.array([0, 0, 0, _PAD], np.int64),
        "halves": np.array([_BINS, _BINS], np.int64),
        "one": np.array([1], np.int64),
        "flat": np.array([-1], np.int64),
        "as rows": np.array([-1, 1, _HIDDEN], np.int64),
        "rows": np.array([-1, _HIDDEN], np.int64),
        "a state": np.array([1, 1, _HIDDEN], np.int64),
    }
    graph = helper.make_graph(
        list(_nodes(encoders)),
        "silero over time",
        [
            helper.make_tensor_value_info("sound", TensorProto.FLOAT, ["n", 576]),
            helper.make_tensor_value_info("memory", TensorProto.FLOAT, [2, _HIDDEN]),
        ],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("memory after", TensorProto.FLOAT, [2, _HIDDEN]),
        ],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="vivavoce")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def _nodes(encoders: list[tuple[str, str]]) -> Iterator[onnx.NodeProto]:
    node = helper.make_node
    yield node("Pad", ["sound", "pads"], ["padded"], mode="reflect")
    yield node("Unsqueeze", ["padded", "one"], ["a channel"])
    yield node("Conv", ["a channel", "basis"], ["waves"], strides=[128])
    yield node("Split", ["waves", "halves"], ["real", "imaginary"], axis=1)
    yield node("Mul", ["real", "real"], ["real^2"])
    yield node("Mul", ["imaginary", "imaginary"], ["imaginary^2"])
    yield node("Add", ["real^2", "imaginary^2"], ["power"])
    yield node("Sqrt", ["power"], ["spectrum"])
    for k, ((stride, seen), names) in enumerate(zip(_CONVOLUTIONS, encoders, strict=True)):
        yield node("Conv", [seen, *names], [f"sum.{k}"], pads=[1, 1], strides=[stride])
        yield node("Relu", [f"sum.{k}"], [f"level.{k}"])
    yield node("Reshape", ["level.3", "as rows"], ["sequence"])
    yield node("Split", ["memory"], ["h", "c"], axis=0)
    yield node("Reshape", ["h", "a state"], ["h before"])
    yield node("Reshape", ["c", "a state"], ["c before"])
    yield node(
        "LSTM",
        ["sequence", "inner", "outer", "bias", "", "h before", "c before"],
        ["states", "h after", "c after"],
        hidden_size=_HIDDEN,
    )
    yield node("Reshape", ["h after", "rows"], ["h row"])
    yield node("Reshape", ["c after", "rows"], ["c row"])
    yield node("Concat", ["h row", "c row"], ["memory after"], axis=0)
    yield node("Reshape", ["states", "rows"], ["state rows"])
    yield node("Relu", ["state rows"], ["raised"])
    yield node("MatMul", ["raised", "last"], ["score"])
    yield node("Add", ["score", "last.bias"], ["sum"])
    yield node("Sigmoid", ["sum"], ["probability"])
    yield node("Reshape", ["probability", "flat"], ["probabilities"])


def _weights(graph: onnx.GraphProto) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Of the branch for 16 kHz, by their names in Silero's own code."""
    (choice,) = [node for node in graph.node if node.op_type == "If"]
    (branch,) = [attribute.g for attribute in choice.attribute if attribute.name == "then_branch"]
    for node in branch.node:
        if node.op_type == "Constant":
            yield node.output[0].rpartition("__Inline_0__")[2], numpy_helper.to_array(node.attribute[0].t)


def _gates(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """PyTorch's order of the gates (input, forget, cell, output) in ONNX's (input, output, forget, cell)."""
    i, f, c, o = np.split(array, 4)
    return np.concatenate([i, o, f, c])


if __name__ == "__main__":
    onnx.save(over_time(SILERO), str(SILERO_OVER_TIME))
