"""The decoder's weights as its kernel wants them, in one file that is mapped and not read.

The file is a line of JSON that says where each layer lies, filled up with blanks, then float32 numbers. Wide layers are
packed as Toom-Cook convolutions with the numbers of points that `kernels/convolution.c` knows; the points are pairs a
and -a, so that its maps need half the multiplications. Called by `building.py`; read by `kernel_decoder.py`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.preparing.decoder_graph import DecoderWeights, polyphase
from vivavoce.engines.genie.preparing.fast_convolution import INFINITY, toom_cook
from vivavoce.engines.genie.shape import DILATIONS, LEVELS

Array = NDArray[np.float32]

PANEL, WIDE_PANEL = 16, 24  # outputs whose weights lie side by side; the wide one where there are 24
_ALIGNMENT = 64  # bytes
_LANES = 8  # every number of a map is written that often


@dataclass(frozen=True, slots=True)
class FastMethod:
    """How a kernel of some length is computed fast.

    Attributes:
        number: in `convolution.h`.
        points: of evaluation: 0, pairs a and -a, perhaps infinity.
        outputs: made at once.
        taps: of a block; the kernel is cut into blocks, whose number of taps is also `outputs` where there are two.
    """

    number: int
    points: tuple[Fraction | int | None, ...]
    outputs: int
    taps: int


def _zero_and_pairs(*values: Fraction | int) -> tuple[Fraction | int, ...]:
    return (0, *(point for value in values for point in (value, -value)))


# By length of the kernel. Of the sets of points tried these lose the fewest bits in float32.
_FOUR_TO_SEVEN = _zero_and_pairs(Fraction(5, 4), Fraction(4, 5), Fraction(5, 2), Fraction(2, 5))
_SIX_TO_SIX = _zero_and_pairs(4, Fraction(3, 4), Fraction(7, 4), Fraction(3, 8), Fraction(8, 7))
FAST_METHODS = {
    3: FastMethod(1, (*_zero_and_pairs(1, 2, Fraction(1, 2)), INFINITY), outputs=6, taps=3),
    7: FastMethod(2, (*_FOUR_TO_SEVEN, INFINITY), outputs=4, taps=7),
    11: FastMethod(3, _SIX_TO_SIX, outputs=6, taps=6),
}
# Narrowest level, by length of the kernel, that gains by it: the maps in and out cost in channels, products in squares.
FAST_FROM_CHANNELS = {3: 24, 7: 16, 11: 16}


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """A convolution in the file.

    Attributes:
        weights, bias: places, counted in float32 from the first number on; -1 for none.
        size: of the weights, in float32.
        inputs, outputs, taps, dilation: of the convolution.
        method: 0 for the plain one, else of `FAST_METHODS`.
    """

    weights: int
    bias: int
    size: int
    inputs: int
    outputs: int
    taps: int
    dilation: int
    method: int


def save_vocoder_weights(weights: DecoderWeights, path: Path, fast_from: dict[int, int] | None = None) -> None:
    """Write a voice's decoder as the native kernel reads it.

    Args:
        weights: of the decoder, five levels of three branches.
        path: of the file.
        fast_from: channels from which on convolutions of each length are the fast ones.
    """
    packer = _Packer(weights, FAST_FROM_CHANNELS if fast_from is None else fast_from)
    layers = {"pre": packer.plain("conv_pre"), "post": packer.last("conv_post")}
    for level in range(LEVELS):
        layers[f"up.{level}"] = packer.upsampling(level)
        branches = sorted(weights.residual_blocks(level), key=lambda branch: branch[1])
        for branch, (name, _) in enumerate(branches):
            for pair, dilation in enumerate(DILATIONS):
                layers[f"first.{level}.{branch}.{pair}"] = packer.convolution(f"{name}.convs1.{pair}", dilation)
                layers[f"second.{level}.{branch}.{pair}"] = packer.convolution(f"{name}.convs2.{pair}", 1)
    maps = {str(method.number): packer.maps(method) for method in FAST_METHODS.values()}
    header: dict[str, Any] = {
        "layers": {name: asdict(layer) for name, layer in layers.items()},
        "maps": maps,
        "strides": weights.strides,
        "paddings": weights.paddings,
    }
    line = json.dumps(header).encode()
    line += b" " * (-(len(line) + 1) % _ALIGNMENT) + b"\n"
    with path.open("wb") as file:
        file.write(line)
        for part in packer.parts:
            file.write(part.tobytes())


class _Packer:
    """Puts one array after the other, each on a boundary of 64 bytes."""

    def __init__(self, weights: DecoderWeights, fast_from: dict[int, int]) -> None:
        self._weights, self._fast_from = weights, fast_from
        self.parts: list[Array] = []
        self._floats = 0

    def plain(self, name: str, dilation: int = 1) -> PackedLayer:
        weight = self._weights.arrays[f"{name}.weight"]
        return self._layer(weight, self._weights.arrays.get(f"{name}.bias"), dilation, 0, _points_of_plain(weight))

    def convolution(self, name: str, dilation: int) -> PackedLayer:
        weight, bias = self._weights.arrays[f"{name}.weight"], self._weights.arrays[f"{name}.bias"]
        length = weight.shape[2]
        if weight.shape[1] < self._fast_from[length]:
            return self.plain(name, dilation)
        method = FAST_METHODS[length]
        return self._layer(weight, bias, dilation, method.number, _at_points(weight, method))

    def upsampling(self, level: int) -> PackedLayer:
        """Its outputs are the samples of one input one after the other."""
        stride = self._weights.strides[level]
        phases, reach = polyphase(self._weights.arrays[f"ups.{level}.weight"], stride)
        width, inputs = phases.shape[0] // stride, phases.shape[1]
        kernel = phases.reshape(width, stride, inputs, reach).swapaxes(0, 1).reshape(-1, inputs, reach)
        bias = np.tile(self._weights.arrays[f"ups.{level}.bias"], stride)
        return self._layer(kernel, bias, 1, 0, _points_of_plain(kernel))

    def last(self, name: str) -> PackedLayer:
        """One output: its weights as its inputs lie in time."""
        weight = self._weights.arrays[f"{name}.weight"]
        place = self.put(weight[0].T)
        return PackedLayer(place, -1, weight[0].size, weight.shape[1], 1, weight.shape[2], 1, 0)

    def maps(self, method: FastMethod) -> list[int]:
        """Places of the map in and the map out."""
        enter, _, leave = toom_cook(method.points, method.outputs, method.taps)
        return [self.put(np.repeat(matrix.astype(np.float32), _LANES)) for matrix in (enter, leave)]

    def _layer(self, weight: Array, bias: Array | None, dilation: int, method: int, points: Array) -> PackedLayer:
        outputs, inputs, taps = weight.shape
        place = self.put(_in_panels(points))
        shift = -1 if bias is None else self.put(bias)
        return PackedLayer(place, shift, points.size, inputs, outputs, taps, dilation, method)

    def put(self, array: NDArray[Any]) -> int:
        place = self._floats
        flat = np.ascontiguousarray(array, np.float32).reshape(-1)
        filled = np.zeros(-(-len(flat) // 16) * 16, np.float32)
        filled[: len(flat)] = flat
        self.parts.append(filled)
        self._floats += len(filled)
        return place


def _points_of_plain(weight: Array) -> Array:
    """[1, taps, inputs, outputs]."""
    return weight.transpose(2, 1, 0)[np.newaxis]


def _at_points(weight: Array, method: FastMethod) -> Array:
    """A kernel [outputs, inputs, taps] evaluated: float32 [points, blocks, inputs, outputs]."""
    _, evaluate, _ = toom_cook(method.points, method.outputs, method.taps)
    outputs, inputs, length = weight.shape
    blocks = -(-length // method.taps)
    filled = np.zeros((outputs, inputs, blocks * method.taps))
    filled[:, :, :length] = weight
    values = filled.reshape(outputs, inputs, blocks, method.taps) @ evaluate.T
    return values.transpose(3, 2, 1, 0).astype(np.float32)


def _in_panels(points: Array) -> Array:
    """[points, blocks, inputs, outputs] -> [outputs / panel, points, blocks, inputs, panel]."""
    *shape, outputs = points.shape
    panel = WIDE_PANEL if outputs % PANEL else PANEL
    return points.reshape(*shape, outputs // panel, panel).transpose(3, 0, 1, 2, 4)
