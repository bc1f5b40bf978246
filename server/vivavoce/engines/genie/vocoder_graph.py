"""The HiFiGAN decoder as a streaming graph: each latent frame goes in once, the samples are those of one shot.

Two ways of carrying the past are mixed, whichever costs less at that rate:

    block    the last inputs of a whole group of layers are kept and computed again with the new ones, as one plain
             zero-padded pass; what the edge spoils is cut off. Few nodes, no copies inside. Used where the samples of
             a chunk by far outnumber the 120 of context: from the second upsampling on.
    stream   every convolution keeps its own left context and nothing is computed twice. Used at the first level,
             where a frame is 10 samples and 120 would be 12 frames.

Start and end are exact by construction: before the first input and after the last (`flush`) every convolution sees the
zeros it would see in one shot. Output lags 11 frames behind the input; the flush returns them.

    inputs   z float32 [1, 192, n]; condition float32 [1, C, 1]; flush int64 [1], 1 on the last call; state_i
    outputs  samples float32 [1, 1, k]; next_i

The first call needs `FIRST_FRAMES` frames or the flush. Initial lengths of the states stand in the model's metadata.
Called by `vits_graphs.py`, run by `vocoder.py`.

Source: HiFi-GAN (Kong et al., 2020), generator V1 as in GPT-SoVITS `module/models.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]
Mode = Literal["block", "stream"]

FIRST_FRAMES = 12  # with fewer and no flush some layer would have nothing to work on
SAMPLES_PER_FRAME = 640
LATENT_WIDTH = 192
STATE_SHAPES = "vivavoce.states"  # metadata key: JSON [[name, channels, initial length], ...]

_DILATIONS = (1, 3, 5)
_BLOCKS_PER_LEVEL = 3
_END_PAD = 3  # conv_pre and conv_post have kernels of 7
_SLOPE, _LAST_SLOPE = 0.1, 0.01  # of the leaky ReLUs
_END = np.iinfo(np.int64).max
_MODES: tuple[Mode, ...] = ("stream", "stream", "block", "block", "block")


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """Weights of a decoder by their names under `dec.`, weight norm folded, and what the shapes do not tell.

    Attributes:
        arrays: conv_pre, conv_post, `ups.i`, `resblocks.i.convs1.j`, `resblocks.i.convs2.j`; `.weight` and `.bias`.
        strides: upsampling of each level.
        paddings: of the transposed convolution of each level.
    """

    arrays: Mapping[str, Array]
    strides: tuple[int, ...]
    paddings: tuple[int, ...]


def decoder_graph(weights: DecoderWeights, modes: tuple[Mode, ...] = _MODES) -> onnx.ModelProto:
    """The streaming graph. `modes` says how each level carries its past; every choice gives the same samples."""
    net = _Net(weights)
    x = net.block("z", LATENT_WIDTH, net.entry, _Reach().convolved(_END_PAD).upsampled(weights, 0))
    for level, mode in enumerate(modes):
        x = net.stream_level(level, x) if mode == "stream" else net.block_level(level, x)
    channels = weights.arrays["conv_post.weight"].shape[1]
    return net.model(net.block(x, channels, net.exit, _Reach().convolved(_END_PAD)))


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far the edges of an input spoil the output of some layers, in output samples.

    Attributes:
        ratio: output samples for each input sample.
        left: spoilt at the start of a buffer that is not the start of the stream.
        right: not yet final at the end of a buffer that is not the end of the stream.
    """

    ratio: int = 1
    left: int = 0
    right: int = 0

    def convolved(self, half_width: int) -> _Reach:
        return _Reach(self.ratio, self.left + half_width, self.right + half_width)

    def upsampled(self, weights: DecoderWeights, level: int) -> _Reach:
        stride, padding = weights.strides[level], weights.paddings[level]
        kernel = weights.arrays[f"ups.{level}.weight"].shape[2]
        left = self.left * stride + max(0, kernel - 1 - padding)
        return _Reach(self.ratio * stride, left, self.right * stride + padding)

    @property
    def history(self) -> int:
        """Inputs to keep, so that the next output is computed beyond the spoilt left edge."""
        return -(-(self.left + self.right) // self.ratio)


class _Net:
    """Collects nodes, weights and states of the graph."""

    def __init__(self, weights: DecoderWeights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._states: list[tuple[str, int, int]] = []  # name, channels, initial length
        self._cache: dict[tuple[str, ...], str] = {}
        self._going_on = self.node("Sub", self.integers(1), "flush")  # 1 until the last call

    # -- layers --------------------------------------------------------------------------------------------------

    def entry(self, z: str) -> str:
        return self.upsample(0, self.node("Add", self.conv(z, "conv_pre", pad=_END_PAD), "condition"))

    def exit(self, x: str) -> str:
        return self.node("Tanh", self.conv(self.leaky(x, _LAST_SLOPE), "conv_post", pad=_END_PAD))

    def upsample(self, level: int, x: str) -> str:
        stride, padding = self._weights.strides[level], self._weights.paddings[level]
        parameters = [self.weight(f"ups.{level}.weight"), self.weight(f"ups.{level}.bias")]
        return self.node("ConvTranspose", self.leaky(x), *parameters, strides=[stride], pads=[padding, padding])

    def block_level(self, level: int, x: str) -> str:
        """Upsampling (unless it was done) and residual blocks as one zero-padded pass."""
        reach = _Reach() if level == 0 else _Reach().upsampled(self._weights, level)
        channels = self._weights.arrays[f"ups.{level}.weight"].shape[0 if level else 1]
        return self.block(x, channels, lambda y: self._plain_level(level, y), reach.convolved(self._half_width(level)))

    def _plain_level(self, level: int, x: str) -> str:
        x = self.upsample(level, x) if level > 0 else x
        branches = []
        for name, half in self._residual_blocks(level):
            y = x
            for pair, dilation in enumerate(_DILATIONS):
                inner = self.conv(self.leaky(y), f"{name}.convs1.{pair}", pad=half * dilation, dilation=dilation)
                y = self.node("Add", self.conv(self.leaky(inner), f"{name}.convs2.{pair}", pad=half), y)
            branches.append(y)
        return self.mean(branches)

    def stream_level(self, level: int, x: str) -> str:
        """Upsampling and residual blocks, each convolution with its own past; the narrow wait for the widest."""
        if level > 0:
            channels = self._weights.arrays[f"ups.{level}.weight"].shape[0]
            x = self.block(x, channels, lambda y: self.upsample(level, y), _Reach().upsampled(self._weights, level))
        branches = []
        for name, half in self._residual_blocks(level):
            y = x
            for pair, dilation in enumerate(_DILATIONS):
                y = self._stream_pair(y, name, pair, half, dilation)
            branches.append(y)
        ready = self.length(branches[-1])
        return self.mean([*(self._wait(y, ready, level) for y in branches[:-1]), branches[-1]])

    def _stream_pair(self, x: str, name: str, pair: int, half: int, dilation: int) -> str:
        """x + conv2(conv1(x)) where both convolutions continue from their kept context."""
        wide, channels = half * dilation, self._channels(f"{name}.convs1.{pair}")
        past, kept = self.state(channels, wide), self.state(channels, half)
        whole = self.joined(past, x, self.zeros(channels, wide))
        self.keep(past, whole, 2 * wide)
        inner = self.leaky(self.conv(self.leaky(whole), f"{name}.convs1.{pair}", dilation=dilation))
        inner = self.joined(kept, inner, self.zeros(channels, half))
        self.keep(kept, inner, 2 * half)
        outer = self.conv(inner, f"{name}.convs2.{pair}")
        # Sample i of `outer` stands for sample i + wide + half - len(kept) of `whole`.
        start = self.node("Sub", self.integers(wide + half), self.length(kept))
        return self.node("Add", outer, self.sliced(whole, start, self.node("Add", start, self.length(outer))))

    def _wait(self, x: str, ready: str, level: int) -> str:
        """The first `ready` samples of what has come; the rest waits for the next call."""
        past = self.state(self._channels(f"ups.{level}", axis=1), 0)
        whole = self.joined(past, x)
        self.node("Slice", whole, ready, self.integers(_END), self.integers(2), output=f"next_{past}")
        return self.sliced(whole, self.integers(0), ready)

    def block(self, x: str, channels: int, body: Callable[[str], str], reach: _Reach) -> str:
        """`body` over kept and new inputs, without the outputs that are given out already or not final yet."""
        past = self.state(channels, 0)
        whole = self.joined(past, x)
        self.keep(past, whole, reach.history)
        y = body(whole)
        given = self.node("Sub", self.scaled(self.length(past), reach.ratio), self.integers(reach.right))
        start = self.node("Max", given, self.integers(0))
        held = self.scaled(self._going_on, reach.right)
        return self.sliced(y, start, self.node("Sub", self.length(y), held))

    # -- small parts ---------------------------------------------------------------------------------------------

    def conv(self, x: str, name: str, *, pad: int = 0, dilation: int = 1) -> str:
        inputs = [x, self.weight(f"{name}.weight")]
        if f"{name}.bias" in self._weights.arrays:
            inputs.append(self.weight(f"{name}.bias"))
        kernel = self._weights.arrays[f"{name}.weight"].shape[2]
        return self.node("Conv", *inputs, kernel_shape=[kernel], dilations=[dilation], pads=[pad, pad])

    def leaky(self, x: str, slope: float = _SLOPE) -> str:
        return self.once("LeakyRelu", x, alpha=slope)

    def mean(self, branches: list[str]) -> str:
        total = branches[0]
        for branch in branches[1:]:
            total = self.node("Add", total, branch)
        return self.node("Div", total, self.array("branches", np.array(len(branches), np.float32)))

    def state(self, channels: int, initial: int) -> str:
        name = f"state_{len(self._states)}"
        self._states.append((name, channels, initial))
        return name

    def keep(self, state: str, whole: str, length: int) -> None:
        """The last `length` samples of `whole`, or all if there are fewer, become the state's next value."""
        self.node("Slice", whole, self.integers(-length), self.integers(_END), self.integers(2), output=f"next_{state}")

    def zeros(self, channels: int, length: int) -> str:
        """`length` zeros on the last call, else nothing."""
        most = self.array(f"zeros_{channels}_{length}", np.zeros((1, channels, length), np.float32))
        return self.once("Slice", most, self.integers(0), self.scaled("flush", length), self.integers(2))

    def joined(self, *parts: str) -> str:
        return self.node("Concat", *parts, axis=2)

    def sliced(self, x: str, start: str, end: str) -> str:
        return self.node("Slice", x, start, end, self.integers(2))

    def length(self, x: str) -> str:
        return self.once("Shape", x, start=2, end=3)

    def scaled(self, length: str, factor: int) -> str:
        return length if factor == 1 else self.once("Mul", length, self.integers(factor))

    def integers(self, value: int) -> str:
        return self.array(f"int_{value}", np.array([value], np.int64))

    def array(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def weight(self, name: str) -> str:
        return self.array(name, self._weights.arrays[name])

    def once(self, op: str, *inputs: str, **attributes: Any) -> str:
        """A node that is shared by everybody who asks for the same."""
        key = (op, *inputs, repr(attributes))
        if key not in self._cache:
            self._cache[key] = self.node(op, *inputs, **attributes)
        return self._cache[key]

    def node(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def model(self, samples: str) -> onnx.ModelProto:
        self.node("Identity", samples, output="samples")
        condition = self._weights.arrays["conv_pre.weight"].shape[0]
        graph = helper.make_graph(
            self._nodes,
            "decoder",
            [
                helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, LATENT_WIDTH, "frames"]),
                helper.make_tensor_value_info("condition", TensorProto.FLOAT, [1, condition, 1]),
                helper.make_tensor_value_info("flush", TensorProto.INT64, [1]),
                *(_state_info(name, channels) for name, channels, _ in self._states),
            ],
            [
                helper.make_tensor_value_info("samples", TensorProto.FLOAT, [1, 1, "samples"]),
                *(_state_info(f"next_{name}", channels) for name, channels, _ in self._states),
            ],
            list(self._initializers.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        helper.set_model_props(model, {STATE_SHAPES: json.dumps(self._states)})
        return model

    def _residual_blocks(self, level: int) -> list[tuple[str, int]]:
        """Name and half-width of the kernel of each residual block of a level, the widest last."""
        names = [f"resblocks.{level * _BLOCKS_PER_LEVEL + index}" for index in range(_BLOCKS_PER_LEVEL)]
        return [(name, (self._weights.arrays[f"{name}.convs1.0.weight"].shape[2] - 1) // 2) for name in names]

    def _half_width(self, level: int) -> int:
        """Samples on each side that the widest residual block of a level looks at."""
        widest = max(half for _, half in self._residual_blocks(level))
        return sum(widest * (dilation + 1) for dilation in _DILATIONS)

    def _channels(self, layer: str, axis: int = 0) -> int:
        return int(self._weights.arrays[f"{layer}.weight"].shape[axis])


def _state_info(name: str, channels: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, f"{name}_length"])
