"""The three layers of a fast convolution are the convolution, by numpy's own."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from vivavoce.engines.genie.preparing.fast_convolution import fast_convolution
from vivavoce.engines.genie.preparing.graph_builder import GraphBuilder

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def plain(x: Array, weight: Array, bias: Array, dilation: int) -> Array:
    """float64 [O, T], zeros around the input."""
    outputs, inputs, kernel = weight.shape
    stretched = np.zeros((outputs, inputs, (kernel - 1) * dilation + 1))
    stretched[:, :, ::dilation] = weight
    half = stretched.shape[2] // 2
    padded = np.pad(x.astype(np.float64), ((0, 0), (half, half)))
    rows = [sum(np.correlate(padded[i], stretched[o, i], "valid") for i in range(inputs)) for o in range(outputs)]
    return np.stack(rows) + bias[:, np.newaxis]


def fast(x: Array, weight: Array, bias: Array, dilation: int) -> Array:
    """The layers, run."""
    layers = fast_convolution(weight, bias, dilation)
    build = GraphBuilder()
    inputs, outputs = weight.shape[1], weight.shape[0]
    phases = build.node("Transpose", build.shaped("x", 1, inputs, -1, 4), perm=[0, 3, 1, 2])
    pads = [0, layers.pads[0], 0, layers.pads[1]]
    entered = build.node("Conv", phases, build.array("enter", layers.enter), pads=pads)
    flat = build.shaped(entered, 1, layers.groups * inputs, -1)
    parameters = [build.array("weight", layers.weight), build.array("bias", layers.bias)]
    products = build.node("Conv", flat, *parameters, group=layers.groups, dilations=[dilation])
    left = build.node("Conv", build.shaped(products, 1, layers.groups, outputs, -1), build.array("leave", layers.leave))
    build.node("Reshape", build.node("Transpose", left, perm=[0, 2, 3, 1]), build.integers(outputs, -1), output="y")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    model = build.model("fast", values[:1], values[1:])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: Array = session.run(["y"], {"x": x[np.newaxis]})[0]
    return result


@given(
    columns=st.integers(1, 12),
    kernel=st.sampled_from([3, 5, 7, 9, 11]),
    dilation=st.sampled_from([1, 3, 5]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_it_is_the_convolution(columns: int, kernel: int, dilation: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((5, 4 * columns)).astype(np.float32)
    weight = rng.standard_normal((3, 5, kernel)).astype(np.float32)
    bias = rng.standard_normal(3).astype(np.float32)
    wanted = plain(x, weight, bias, dilation)
    assert np.max(np.abs(fast(x, weight, bias, dilation) - wanted)) < 1e-4 * max(1.0, np.abs(wanted).max())
    shifted = fast(x, np.roll(weight, 1, axis=2), bias, dilation)
    assert np.max(np.abs(shifted - wanted)) > 1e-2, "a kernel one tap off must show"


@pytest.mark.parametrize(("kernel", "saved"), [(3, 0.5), (7, 0.5), (11, 21 / 44)])
def test_it_takes_half_the_multiplications(kernel: int, saved: float) -> None:
    layers = fast_convolution(np.ones((8, 8, kernel), np.float32), np.zeros(8, np.float32), 1)
    per_sample = layers.weight.size / 4  # a column of 4 samples meets every weight once
    assert per_sample == pytest.approx(saved * 8 * 8 * kernel)


def test_rounding_stays_within_a_few_times_that_of_the_plain_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((192, 64)).astype(np.float32)
    for kernel in (3, 7, 11):
        weight = (rng.standard_normal((8, 192, kernel)) / np.sqrt(192 * kernel)).astype(np.float32)
        error = fast(x, weight, np.zeros(8, np.float32), 1) - plain(x, weight, np.zeros(8, np.float32), 1)
        assert np.sqrt(np.mean(error**2)) < 3e-6
