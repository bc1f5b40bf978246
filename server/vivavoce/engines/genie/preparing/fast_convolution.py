"""Convolutions with half the multiplications: the weights of a Toom-Cook (Winograd) convolution along time.

Four outputs of a convolution with a kernel of 4 take 16 multiplications a pair of channels; as the product of two
polynomials, evaluated at 7 points, they take 7. A kernel of 11 becomes three such blocks of 4 taps (21 instead of 44),
one of 7 two (14 instead of 28), one of 3 a single block of 3 taps evaluated at 6 points (6 instead of 12). What is
added are small linear maps in and out, which cost little beside the products of all channels with all channels. In
float32 the rounding error grows fourfold, to 1e-6 of the signal.

Time is laid out in four phases: sample t is in phase t % 4, column t // 4. A dilated kernel works in the same layout,
since its taps fall on all phases in turn: the maps in and out then reach over several columns.

Pure numpy; makes weights and knows no graph. `decoder_graph.py` makes the layers.

Source: Lavin and Gray, "Fast algorithms for convolutional neural networks" (2016); Toom (1963), Cook (1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Matrix = NDArray[np.float64]

PHASES = 4
INFINITY = None  # as a point of evaluation: the highest power
_HALF = Fraction(1, 2)
# Points of evaluation, infinity besides. Of the sets tried these lose the fewest bits in float32.
_POINTS: dict[int, tuple[Fraction | int, ...]] = {3: (0, 1, -1, _HALF, -2), 4: (0, 1, -1, 2, -2, _HALF)}
_ONE = 1  # index of the point 1 in both: a constant added there comes out as that constant everywhere


@dataclass(frozen=True, slots=True, eq=False)
class FastConvolution:
    """Three layers that together are one dilated convolution over [1, C, T], T a multiple of 4, laid out in phases.

    Attributes:
        groups: points of evaluation, g.
        enter: float32 [g, 4, 1, e], a plain 2-D convolution over [1, 4, C, T / 4].
        pads: zero columns before and after the input of `enter`.
        weight: float32 [g * O, C, b], a convolution of g groups over [1, g * C, columns], of the dilation given.
        bias: float32 [g * O].
        leave: float32 [4, g, 1, l], a plain 2-D convolution over [1, g, O, columns].
    """

    groups: int
    enter: Array
    pads: tuple[int, int]
    weight: Array
    bias: Array
    leave: Array


def fast_convolution(weight: Array, bias: Array, dilation: int) -> FastConvolution:
    """The layers for a kernel; their output is as long as the input, which zeros surround.

    Args:
        weight: float32 [O, C, K], K odd and at least 3.
        bias: float32 [O].
        dilation: odd, so that the taps fall on all phases.
    """
    taps = 3 if weight.shape[2] == 3 else PHASES
    enter, evaluate, leave = _maps(taps)
    blocks = -(-weight.shape[2] // taps)
    first = -(weight.shape[2] - 1) // 2 * dilation  # the sample that the first tap of output 0 reads
    reads = [first + step * dilation for step in range(PHASES + taps - 1)]
    writes = [step * dilation for step in range(PHASES)]
    skew = _column(writes[-1])  # a group of 4 outputs begins that many columns before its last one
    return FastConvolution(
        groups=len(evaluate),
        enter=_scattered(enter, reads, _column(first)),
        pads=(skew - _column(first), _column(reads[-1]) + (blocks - 1) * dilation),
        weight=_evaluated(weight, evaluate, blocks),
        bias=np.concatenate([bias if point == _ONE else np.zeros_like(bias) for point in range(len(evaluate))]),
        leave=_gathered(leave, writes, skew),
    )


def _evaluated(weight: Array, evaluate: Matrix, blocks: int) -> Array:
    """Kernels at each point, float32 [g * O, C, blocks]."""
    outputs, inputs, kernel = weight.shape
    taps = evaluate.shape[1]
    filled = np.zeros((outputs, inputs, blocks * taps))
    filled[:, :, :kernel] = weight
    filled = filled.reshape(outputs, inputs, blocks, taps)
    values = np.einsum("gt,oibt->goib", evaluate, filled)
    kernels: Array = values.reshape(-1, inputs, blocks).astype(np.float32)
    return kernels


def _scattered(enter: Matrix, reads: list[int], start: int) -> Array:
    """The map in, as a convolution over columns from `start` on."""
    layer = np.zeros((len(enter), PHASES, 1, _column(reads[-1]) - start + 1))
    for step, at in enumerate(reads):
        layer[:, at % PHASES, 0, _column(at) - start] += enter[:, step]
    return layer.astype(np.float32)


def _gathered(leave: Matrix, writes: list[int], skew: int) -> Array:
    """The map out, as a convolution over columns: output phase p of column v comes from the group begun before it."""
    layer = np.zeros((PHASES, leave.shape[1], 1, skew + 1))
    for step, at in enumerate(writes):
        layer[at % PHASES, :, 0, skew - _column(at)] += leave[step]
    return layer.astype(np.float32)


def _column(sample: int) -> int:
    return sample // PHASES


@cache
def _maps(taps: int) -> tuple[Matrix, Matrix, Matrix]:
    return toom_cook((*_POINTS[taps], INFINITY), PHASES, taps)


def toom_cook(points: Sequence[Fraction | int | None], outputs: int, taps: int) -> tuple[Matrix, Matrix, Matrix]:
    """Map in [g, outputs + taps - 1], evaluation of a kernel [g, taps], map out [outputs, g]; g points.

    By transposition of polynomial multiplication: the map in is the transposed interpolation. Rows are scaled so that
    kernels and inputs have numbers of the same size.

    Args:
        points: outputs + taps - 1 different ones, `INFINITY` among them or not.
        outputs: made at once.
        taps: of the kernel.
    """
    interpolate = _inverse(_powers(points, outputs + taps - 1))
    enter = np.array(interpolate, dtype=np.float64).T
    evaluate = np.array(_powers(points, taps), dtype=np.float64)
    leave = np.array(_powers(points, outputs), dtype=np.float64).T
    scale = np.sqrt(np.abs(enter).sum(axis=1) / np.abs(evaluate).sum(axis=1))[:, np.newaxis]
    return enter / scale, evaluate * scale, leave


def _powers(points: Sequence[Fraction | int | None], count: int) -> list[list[Fraction]]:
    """Powers 0..count-1 of each point."""
    return [
        [Fraction(power == count - 1) if point is None else Fraction(point) ** power for power in range(count)]
        for point in points
    ]


def _inverse(matrix: list[list[Fraction]]) -> Any:
    """Exact, by Gauss and Jordan."""
    size = len(matrix)
    rows = [[*row, *(Fraction(column == index) for column in range(size))] for index, row in enumerate(matrix)]
    for index in range(size):
        pivot = next(row for row in range(index, size) if rows[row][index] != 0)
        rows[index], rows[pivot] = rows[pivot], rows[index]
        rows[index] = [value / rows[index][index] for value in rows[index]]
        for other in range(size):
            if other != index and rows[other][index] != 0:
                factor = rows[other][index]
                rows[other] = [value - factor * own for value, own in zip(rows[other], rows[index], strict=True)]
    return [row[size:] for row in rows]
