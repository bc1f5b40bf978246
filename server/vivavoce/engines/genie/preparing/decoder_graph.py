"""The HiFiGAN decoder as a streaming graph: each latent frame goes in once, the samples are those of one shot.

Two ways of carrying the past are mixed, whichever costs less at that rate:

    block    the last inputs of a whole group of layers are kept and computed again with the new ones, as one plain
             zero-padded pass; what the edge spoils is cut off. Few nodes, no copies inside. Used where the samples of
             a chunk by far outnumber the 120 of context: from the second upsampling on.
    stream   every convolution keeps its own left context and nothing is computed twice. Used at the first level,
             where a frame is 10 samples and 120 would be 12 frames.

In blocks, wide convolutions are computed with half the multiplications (`fast_convolution.py`). Start and end are
exact by construction: before the first input and after the last (`flush`) every convolution sees the zeros it would
see in one shot. Output lags 11 frames behind the input; the flush returns them.

    inputs   z float32 [1, 192, n]; condition float32 [1, C, 1]; flush int64 [1], 1 on the last call; state_i
    outputs  samples float32 [1, 1, k]; next_i

The first call needs `FIRST_FRAMES` frames or the flush. Called by `vits_graphs.py`; `vocoder.py` runs it.

Source: HiFi-GAN (Kong et al., 2020), generator V1 as in GPT-SoVITS `module/models.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from vivavoce.engines.genie.preparing.fast_convolution import PHASES, fast_convolution
from vivavoce.engines.genie.preparing.graph_builder import GraphBuilder
from vivavoce.engines.genie.shape import DILATIONS, LATENT_WIDTH

Array = NDArray[np.float32]
Mode = Literal["block", "stream"]

FAST_FROM_CHANNELS = 48  # narrower levels gain nothing: the maps in and out cost what the products save

_BLOCKS_PER_LEVEL = 3
_END_PAD = 3  # conv_pre and conv_post have kernels of 7
_SLOPE, _LAST_SLOPE = 0.1, 0.01  # of the leaky ReLUs
_MODES: tuple[Mode, ...] = ("stream", "block", "block", "block", "block")


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

    def width(self, level: int) -> int:
        """Channels of a level, behind its upsampling."""
        return int(self.arrays[f"ups.{level}.weight"].shape[1])

    def width_before(self, level: int) -> int:
        """Channels before the upsampling of a level."""
        return int(self.arrays[f"ups.{level}.weight"].shape[0])

    def residual_blocks(self, level: int) -> list[tuple[str, int]]:
        """Name and half-width of the kernel of each residual block of a level, the widest last."""
        names = [f"resblocks.{level * _BLOCKS_PER_LEVEL + index}" for index in range(_BLOCKS_PER_LEVEL)]
        return [(name, (self.arrays[f"{name}.convs1.0.weight"].shape[2] - 1) // 2) for name in names]

    def half_width(self, level: int) -> int:
        """Samples on each side that the widest residual block of a level looks at."""
        widest = max(half for _, half in self.residual_blocks(level))
        return sum(widest * (dilation + 1) for dilation in DILATIONS)


def decoder_graph(
    weights: DecoderWeights, modes: tuple[Mode, ...] = _MODES, *, fast_from: int = FAST_FROM_CHANNELS
) -> onnx.ModelProto:
    """The streaming graph; every choice gives the same samples, but for rounding.

    Args:
        weights: of the decoder.
        modes: how each level carries its past.
        fast_from: channels from which on a level's convolutions are the fast ones.
    """
    net = _Net(weights, fast_from)
    x = net.block("z", LATENT_WIDTH, net.entry, _Reach().convolved(_END_PAD).upsampled(weights, 0))
    for level, mode in enumerate(modes):
        x = net.stream_level(level, x) if mode == "stream" else net.block_level(level, x)
    x = net.block(x, weights.width(len(modes) - 1), net.exit, _Reach().convolved(_END_PAD))
    net.node("Identity", x, output="samples")
    condition = int(weights.arrays["conv_pre.weight"].shape[0])
    inputs = [
        helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, LATENT_WIDTH, "frames"]),
        helper.make_tensor_value_info("condition", TensorProto.FLOAT, [1, condition, 1]),
        helper.make_tensor_value_info("flush", TensorProto.INT64, [1]),
    ]
    return net.model(
        "decoder", inputs, [helper.make_tensor_value_info("samples", TensorProto.FLOAT, [1, 1, "samples"])]
    )


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
        return replace(self, left=self.left + half_width, right=self.right + half_width)

    def upsampled(self, weights: DecoderWeights, level: int) -> _Reach:
        stride, padding = weights.strides[level], weights.paddings[level]
        kernel = weights.arrays[f"ups.{level}.weight"].shape[2]
        left = self.left * stride + max(0, kernel - 1 - padding)
        return _Reach(self.ratio * stride, left, self.right * stride + padding)

    def in_columns(self) -> _Reach:
        """Given out in whole columns of 4, so that the next level gets whole columns too."""
        return replace(self, right=_whole(self.right, PHASES))

    @property
    def history(self) -> int:
        """Inputs to keep, so that the next output is computed beyond the spoilt left edge; in whole columns."""
        return _whole(-(-(self.left + self.right) // self.ratio), PHASES)


class _Net(GraphBuilder):
    """The layers of the decoder."""

    def __init__(self, weights: DecoderWeights, fast_from: int) -> None:
        super().__init__()
        self._weights, self._fast_from = weights, fast_from
        self._going_on = self.node("Sub", self.integers(1), "flush")  # 1 until the last call

    # -- levels --------------------------------------------------------------------------------------------------

    def entry(self, z: str) -> str:
        return self.upsample(0, self.node("Add", self.conv(z, "conv_pre", pad=_END_PAD), "condition"))

    def exit(self, x: str) -> str:
        return self.node("Tanh", self.conv(self.leaky(x, _LAST_SLOPE), "conv_post", pad=_END_PAD))

    def upsample(self, level: int, x: str) -> str:
        """A transposed convolution, computed as a plain one that makes the samples of each input side by side."""
        stride, padding = self._weights.strides[level], self._weights.paddings[level]
        kernel, reach = polyphase(self._weights.arrays[f"ups.{level}.weight"], stride)
        bias = np.repeat(self._weights.arrays[f"ups.{level}.bias"], stride)
        parameters = [self.array(f"ups.{level}.phases", kernel), self.array(f"ups.{level}.phases.bias", bias)]
        pads = [reach - 1, reach - 1]
        y = self.node("Conv", self.leaky(x), *parameters, kernel_shape=[reach], pads=pads)
        width = self._weights.width(level)
        y = self.node("Transpose", self.shaped(y, 1, width, stride, -1), perm=[0, 1, 3, 2])
        y = self.shaped(y, 1, width, -1)
        if reach == 1:
            return y
        end = self.node("Add", self.scaled(self.length(x), stride), self.integers(padding))
        return self.sliced(y, self.integers(padding), end)

    def block_level(self, level: int, x: str) -> str:
        """Upsampling (unless it was done) and residual blocks as one zero-padded pass."""
        reach = _Reach() if level == 0 else _Reach().upsampled(self._weights, level)
        reach = reach.convolved(self._weights.half_width(level)).in_columns()
        channels = self._weights.width_before(level) if level else self._weights.width(0)
        return self.block(x, channels, lambda y: self._plain_level(level, y), reach)

    def _plain_level(self, level: int, x: str) -> str:
        width = self._weights.width(level)
        is_fast = level > 0 and width >= self._fast_from  # the first level's samples come in no whole columns
        x = self.upsample(level, x) if level > 0 else x
        x = self.in_phases(x, width) if is_fast else x
        convolve = self.fast_conv if is_fast else self.same_conv
        branches = []
        for name, _ in self._weights.residual_blocks(level):
            y = x
            for pair, dilation in enumerate(DILATIONS):
                inner = convolve(self.leaky(y), f"{name}.convs1.{pair}", dilation)
                y = self.node("Add", convolve(self.leaky(inner), f"{name}.convs2.{pair}", 1), y)
            branches.append(y)
        return self.in_time(self.mean(branches), width) if is_fast else self.mean(branches)

    def stream_level(self, level: int, x: str) -> str:
        """Upsampling and residual blocks, each convolution with its own past; the narrow wait for the widest."""
        if level > 0:
            reach = _Reach().upsampled(self._weights, level)
            x = self.block(x, self._weights.width_before(level), lambda y: self.upsample(level, y), reach)
        branches = []
        for name, half in self._weights.residual_blocks(level):
            y = x
            for pair, dilation in enumerate(DILATIONS):
                y = self._stream_pair(y, name, pair, half, dilation)
            branches.append(y)
        ready = self.length(branches[-1])
        waiting = [self._wait(y, ready, self._weights.width(level)) for y in branches[:-1]]
        return self.mean([*waiting, branches[-1]])

    def _stream_pair(self, x: str, name: str, pair: int, half: int, dilation: int) -> str:
        """x + conv2(conv1(x)) where both convolutions continue from their kept context."""
        wide, channels = half * dilation, int(self._weights.arrays[f"{name}.convs1.{pair}.weight"].shape[0])
        past, kept = self.state(channels, wide), self.state(channels, half)
        whole = self.joined(past, x, self.zeros(channels, wide, self.scaled("flush", wide)))
        self.keep(past, whole, 2 * wide)
        inner = self.leaky(self.conv(self.leaky(whole), f"{name}.convs1.{pair}", dilation=dilation))
        inner = self.joined(kept, inner, self.zeros(channels, half, self.scaled("flush", half)))
        self.keep(kept, inner, 2 * half)
        outer = self.conv(inner, f"{name}.convs2.{pair}")
        # Sample i of `outer` stands for sample i + wide + half - len(kept) of `whole`.
        start = self.node("Sub", self.integers(wide + half), self.length(kept))
        return self.node("Add", outer, self.sliced(whole, start, self.node("Add", start, self.length(outer))))

    def _wait(self, x: str, ready: str, channels: int) -> str:
        """The first `ready` samples of what has come; the rest waits for the next call."""
        past = self.state(channels, 0)
        whole = self.joined(past, x)
        self.keep_from(past, whole, ready)
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

    # -- layers --------------------------------------------------------------------------------------------------

    def conv(self, x: str, name: str, *, pad: int = 0, dilation: int = 1) -> str:
        inputs = [x, self.weight(f"{name}.weight")]
        if f"{name}.bias" in self._weights.arrays:
            inputs.append(self.weight(f"{name}.bias"))
        kernel = self._kernel(name)
        return self.node("Conv", *inputs, kernel_shape=[kernel], dilations=[dilation], pads=[pad, pad])

    def same_conv(self, x: str, name: str, dilation: int) -> str:
        """As long as its input, zeros around it."""
        return self.conv(x, name, pad=(self._kernel(name) - 1) // 2 * dilation, dilation=dilation)

    def fast_conv(self, x: str, name: str, dilation: int) -> str:
        """The same over a signal in phases, float32 [1, 4, C, T / 4], by three layers."""
        weight = self._weights.arrays[f"{name}.weight"]
        layers = fast_convolution(weight, self._weights.arrays[f"{name}.bias"], dilation)
        enter = self.array(f"{name}.enter", layers.enter)
        before, after = layers.pads
        y = self.node("Conv", x, enter, kernel_shape=[1, layers.enter.shape[3]], pads=[0, before, 0, after])
        y = self.shaped(y, 1, layers.groups * weight.shape[1], -1)
        products = [self.array(f"{name}.products", layers.weight), self.array(f"{name}.products.bias", layers.bias)]
        blocks = layers.weight.shape[2]
        y = self.node("Conv", y, *products, group=layers.groups, kernel_shape=[blocks], dilations=[dilation])
        y = self.shaped(y, 1, layers.groups, weight.shape[0], -1)
        return self.node("Conv", y, self.array(f"{name}.leave", layers.leave), kernel_shape=[1, layers.leave.shape[3]])

    def in_phases(self, x: str, channels: int) -> str:
        """[1, C, T] -> [1, 4, C, T / 4]."""
        return self.node("Transpose", self.shaped(x, 1, channels, -1, PHASES), perm=[0, 3, 1, 2])

    def in_time(self, x: str, channels: int) -> str:
        """[1, 4, C, T / 4] -> [1, C, T]."""
        return self.shaped(self.node("Transpose", x, perm=[0, 2, 3, 1]), 1, channels, -1)

    def leaky(self, x: str, slope: float = _SLOPE) -> str:
        return self.once("LeakyRelu", x, alpha=slope)

    def mean(self, branches: list[str]) -> str:
        total = branches[0]
        for branch in branches[1:]:
            total = self.node("Add", total, branch)
        return self.node("Div", total, self.array("branches", np.array(len(branches), np.float32)))

    def weight(self, name: str) -> str:
        return self.array(name, self._weights.arrays[name])

    def _kernel(self, name: str) -> int:
        return int(self._weights.arrays[f"{name}.weight"].shape[2])


def polyphase(weight: Array, stride: int) -> tuple[Array, int]:
    """A transposed convolution's kernel [C, O, K] as the plain one [O * stride, C, J] of its phases, and J.

    Output q * stride + f is the sum over j of kernel sample f + j * stride on input q - j.
    """
    inputs, outputs, length = weight.shape
    reach = -(-length // stride)
    filled = np.zeros((inputs, outputs, reach * stride), np.float32)
    filled[:, :, :length] = weight
    phases = filled.reshape(inputs, outputs, reach, stride)[:, :, ::-1].transpose(1, 3, 0, 2)
    return np.ascontiguousarray(phases.reshape(outputs * stride, inputs, reach)), reach


def _whole(count: int, multiple: int) -> int:
    """`count`, rounded up."""
    return -(-count // multiple) * multiple
