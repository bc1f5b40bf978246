"""The decoder in C: half the time of the graph on processors with AVX2, the same samples but for rounding.

Maps a file of `preparing.decoder_weights` and calls `kernels/vocoder.c`. `graph_decoder.py` is its stand-in where it
cannot run, or where it was measured to be faster. Called by `vocoder.py`.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.engines.genie.kernels import library
from vivavoce.engines.genie.shape import BRANCHES, DILATIONS, LATENT_WIDTH, LEVELS, SAMPLES_PER_FRAME
from vivavoce.engines.genie.sound.decoder_file import METHODS, read_header
from vivavoce.errors import VoiceUnavailable

Array = NDArray[np.float32]

_LAG_FRAMES = 12  # at most that many frames' worth of samples come with a later call
_PAIRS = len(DILATIONS)
_THREADS_MAX = 16  # TEAM_MEMBERS_MAX of team.h

_int, _int64, _pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p


class _Convolution(ctypes.Structure):
    """`convolution` of convolution.h."""

    _fields_ = (
        ("weights", _pointer),
        ("bias", _pointer),
        ("inputs", ctypes.c_int32),
        ("outputs", ctypes.c_int32),
        ("taps", ctypes.c_int32),
        ("dilation", ctypes.c_int32),
        ("method", ctypes.c_int32),
    )


_Level = _Convolution * _PAIRS * BRANCHES


class _Vocoder(ctypes.Structure):
    """`vocoder` of vocoder.h."""

    _fields_ = (
        ("pre", _Convolution),
        ("post", _Convolution),
        ("ups", _Convolution * LEVELS),
        ("first", _Level * LEVELS),
        ("second", _Level * LEVELS),
        ("strides", ctypes.c_int32 * LEVELS),
        ("paddings", ctypes.c_int32 * LEVELS),
        ("enter", _pointer * METHODS),
        ("leave", _pointer * METHODS),
    )


def vocoder_kernel() -> ctypes.CDLL | None:
    """The library, if this processor can run the decoder in it and both sides agree on its layout."""
    found = library()
    if found is None or not hasattr(found, "vocode") or not found.vocoder_is_supported():
        return None
    found.vocoder_bytes.restype = _int64
    found.vocoder_state_floats.restype = found.vocoder_scratch_floats.restype = _int64
    found.vocoder_state_floats.argtypes, found.vocoder_scratch_floats.argtypes = [_pointer], [_pointer, _int]
    found.vocode.restype = _int64
    found.vocode.argtypes = [
        _pointer, _pointer, _int64, _pointer, _pointer, _int64, _pointer, _int, _pointer, _int64, _pointer, _int,
    ]  # fmt: skip
    return found if found.vocoder_bytes() == ctypes.sizeof(_Vocoder) else None


class KernelVocoder:
    """The decoder of one voice; holds no stream's state. May be called from several threads at once.

    Args:
        kernel: from `vocoder_kernel`.
        weights: a file of `save_vocoder_weights`.
        threads: the most that a call is given.

    Raises:
        VoiceUnavailable: If the file is missing or is none of a decoder.
    """

    frames_per_step = 12  # nothing is computed twice, so few cost little more each: 0.04 s of compute for V2

    def __init__(self, kernel: ctypes.CDLL, weights: Path, threads: int) -> None:
        self._kernel, self._threads = kernel, min(max(threads, 1), _THREADS_MAX)
        try:
            header, start = read_header(weights)
            self._numbers = np.memmap(weights, np.float32, mode="r", offset=start)
            self._model = _model(header, self._numbers)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VoiceUnavailable(f"'{weights.name}' cannot be opened: {error}; prepare the voice again") from error
        self._address = ctypes.addressof(self._model)
        self._state_floats = int(kernel.vocoder_state_floats(self._address))
        self._scratch_floats = int(kernel.vocoder_scratch_floats(self._address, self._threads))
        if self._state_floats < 0 or self._scratch_floats < 0:
            raise VoiceUnavailable(f"'{weights.name}' is of another decoder; prepare the voice again")
        self._idle_scratch: list[Array] = []  # one for each call that ever ran beside another, about 18 MB

    @property
    def speaker_channels(self) -> int:
        """Of the speaker's condition."""
        return int(self._model.pre.outputs)

    def start(self) -> tuple[Array, ...]:
        """One float32 [floats], 0.9 MB at most."""
        return (np.zeros(self._state_floats, np.float32),)

    def decode(
        self, frames: Array, condition: Array, layers: tuple[Array, ...], seen: int, *, flush: bool, threads: int
    ) -> tuple[Samples, tuple[Array, ...]]:
        """See `vocoder.Decoder`.

        Raises:
            ValueError: If shapes do not fit the model.
        """
        (past,) = layers
        count, speaker = frames.shape[2], np.ascontiguousarray(condition, np.float32).reshape(-1)
        if frames.shape[:2] != (1, LATENT_WIDTH) or past.shape != (self._state_floats,) or past.dtype != np.float32:
            raise ValueError(f"frames {frames.shape} or a state {past.shape} that are none of this decoder's")
        if speaker.shape != (self.speaker_channels,):
            raise ValueError(f"a condition of {speaker.size} channels instead of {self.speaker_channels}")
        by_time = np.ascontiguousarray(frames[0].T, np.float32)  # [n, 192]
        after = np.empty_like(past)
        samples = np.empty((count + _LAG_FRAMES) * SAMPLES_PER_FRAME, np.float32)
        scratch = self._idle_scratch.pop() if self._idle_scratch else np.empty(self._scratch_floats, np.float32)
        made = self._kernel.vocode(
            self._address, by_time.ctypes.data, count, speaker.ctypes.data, past.ctypes.data, seen,
            after.ctypes.data, flush, samples.ctypes.data, len(samples), scratch.ctypes.data,
            min(threads, self._threads),
        )  # fmt: skip
        self._idle_scratch.append(scratch)
        if made < 0:
            raise ValueError(f"{count} frames after {seen} cannot be decoded")
        return np.tanh(samples[:made]), (after,)


def _model(header: dict[str, Any], numbers: Array) -> _Vocoder:
    """The structure that points into the mapped numbers."""

    def address(place: int, count: int) -> int | None:
        if place < 0:
            return None
        if place + count > len(numbers):
            raise ValueError("the file is cut off")
        return int(numbers.ctypes.data) + 4 * place

    def convolution(name: str) -> _Convolution:
        layer = header["layers"][name]
        shape = [int(layer[key]) for key in ("inputs", "outputs", "taps", "dilation", "method")]
        weights = address(layer["weights"], layer["size"])
        return _Convolution(weights, address(layer["bias"], shape[1]), *shape)

    model = _Vocoder(pre=convolution("pre"), post=convolution("post"))
    for level in range(LEVELS):
        model.ups[level] = convolution(f"up.{level}")
        model.strides[level], model.paddings[level] = header["strides"][level], header["paddings"][level]
        for branch in range(BRANCHES):
            for pair in range(_PAIRS):
                model.first[level][branch][pair] = convolution(f"first.{level}.{branch}.{pair}")
                model.second[level][branch][pair] = convolution(f"second.{level}.{branch}.{pair}")
    for method in range(1, METHODS):  # the plain one has no maps
        enter, leave = header["maps"][str(method)]
        model.enter[method], model.leave[method] = address(enter, 0), address(leave, 0)
    return model
