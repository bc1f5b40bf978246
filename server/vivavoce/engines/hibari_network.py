"""hibari's network with one more output: when each phoneme sounds. Used by `embedded.py`.

The graph in the package decides how many frames each phoneme lasts and gives away the spectrum only. Its file is a
protocol buffer, and of those two put together are one that has the fields of both: so the tensor of the frames is made
an output by a few bytes behind the file, without the package that edits such graphs. Where a graph has no such tensor
the spectrum comes without times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vivavoce.errors import VoiceUnavailable
from vivavoce.onnx_session import open_session

LENGTHS: Final = "/CumSum_output_0"  # of the graph: frames until the end of each id, int64 [ids]
_GRAPH, _OUTPUT, _NAME = b"\x3a", b"\x62", b"\x0a"  # tags of ModelProto.graph, GraphProto.output, ValueInfoProto.name
_MARKS: Final = frozenset(';:,.!?—…"()“” ')  # of the phoneme alphabet: they are silent


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """What the network makes of a phoneme string.

    Attributes:
        arrays: magnitudes and phases float32 [601, frames], five of them, and the pitch float32 [frames].
        ends: share of the sound that is over at the end of each id, float64 [ids], ascending to 1; None: not told.
    """

    arrays: tuple[Any, ...]
    ends: np.ndarray[Any, np.dtype[np.float64]] | None


class HibariNetwork:
    """The network of one voice.

    Args:
        path: the package's ONNX file.
        threads: of a call.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        graph = path.read_bytes()
        # Strings differ in length, and an arena keeps the largest region for each mix of calls that ever met in it.
        # Without one a call takes as long (20 to 120 phonemes, measured); of longer strings, which are rare, one that
        # runs beside others takes up to a quarter more.
        try:
            self._session = open_session(_with_output(graph, LENGTHS), threads=threads, arena=False)
        except VoiceUnavailable:  # a graph that lacks the tensor
            self._session = open_session(graph, threads=threads, arena=False)

    def run(self, ids: Sequence[int], speed: float) -> Spectrum:
        """One pass, a hundredth of the sound's time.

        Args:
            ids: of a phoneme string, with the one before and after it.
            speed: 0.5 to 2.
        """
        given = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
        *arrays, last = self._session.run(None, given)
        if last.dtype != np.int64:
            return Spectrum(tuple(made[0] for made in (*arrays, last)), None)
        ends = last.reshape(-1).astype(np.float64)
        return Spectrum(tuple(made[0] for made in arrays), ends / ends[-1] if len(ends) == len(ids) else None)


def word_shares(phonemes: str, known: frozenset[str], spectrum: Spectrum) -> list[tuple[float, float]] | None:
    """(start, end) of each word in a phoneme string, as shares of its sound; None where the network did not tell.

    Args:
        phonemes: words with a space between them.
        known: signs that have an id; others were left out of the string.
        spectrum: of this string.
    """
    if spectrum.ends is None:
        return None
    found: list[tuple[float, float]] = []
    place = 1  # of the next sign among the ids
    for word in phonemes.split(" "):
        signs = [sign for sign in word if sign in known]
        heard = [place + index for index, sign in enumerate(signs) if sign not in _MARKS]
        if heard:
            found.append((float(spectrum.ends[heard[0] - 1]), float(spectrum.ends[heard[-1]])))
        place += len(signs) + 1  # and the space
    return found


def _with_output(graph: bytes, name: str) -> bytes:
    """An ONNX file that has one more output. Names of up to 120 bytes."""
    value = _field(_NAME, name.encode())
    return graph + _field(_GRAPH, _field(_OUTPUT, value))


def _field(tag: bytes, content: bytes) -> bytes:
    assert len(content) < 0x80, "lengths of one byte"
    return tag + bytes([len(content)]) + content
