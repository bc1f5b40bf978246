"""Speaking faster or slower without changing the pitch, for speeds an engine cannot do by itself.

Knows samples and a tempo. Called by engines between their own synthesis and the chunk they return.
"""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import EMPTY
from vivavoce.audio.samples import fade_out

MIN_TEMPO = 0.25
MAX_TEMPO = 4.0
BLOCK_S = 0.01  # the filters' result depends a little on how their input is cut, so it is always cut the same way
PADDING_S = 0.25  # silence pushed in at the end so that the last windows of both filters are computed in full


class TimeStretcher:
    """Stretches one mono stream; `process()` returns sound as it becomes final, `flush()` the rest.

    Up to 0.1 s of input stay inside until `flush()`, 0.3 s where two filters are chained. A tempo of 1 passes through
    untouched.

    Args:
        sample_rate: Hz, of input and output.
        tempo: 0.25..4; 2 speaks twice as fast and returns half as many samples.

    Raises:
        ValueError: If the tempo is out of range.

    Source: FFmpeg's `atempo` (waveform-similarity overlap-add). One filter above 2 skips input and one below 0.5 is
    refused, so such tempos are shared by two.
    """

    def __init__(self, sample_rate: int, tempo: float) -> None:
        if not MIN_TEMPO <= tempo <= MAX_TEMPO:
            raise ValueError(f"tempo must be within {MIN_TEMPO}..{MAX_TEMPO}, got {tempo}")
        self.sample_rate = sample_rate
        self.tempo = tempo
        self._graph = None if tempo == 1.0 else _open_graph(sample_rate, tempo)
        self._block = round(BLOCK_S * sample_rate)
        self._taken = 0  # samples in
        self._pushed = 0  # samples given to the filters
        self._given = 0  # samples out
        self._unread: Samples = EMPTY  # taken, but less than a block
        self._waiting: Samples = EMPTY  # made, but not yet due

    def process(self, samples: Samples) -> Samples:
        """Take float32 [n], return float32 [m]; m may be 0."""
        if self._graph is None or not len(samples):
            return samples
        self._taken += len(samples)
        self._unread = np.concatenate([self._unread, samples])
        whole = len(self._unread) // self._block * self._block
        for start in range(0, whole, self._block):
            self._push(self._unread[start : start + self._block])
        self._unread = self._unread[whole:]
        # Never run ahead of the tempo: what lies past the due length may be the silence that `flush()` cuts off.
        return self._release(int(self._taken / self.tempo))

    def flush(self) -> Samples:
        """Return the tail: in all exactly `round(samples in / tempo)` samples came out. The stretcher is then spent."""
        if self._graph is None or not self._taken:
            return EMPTY
        self._push(np.pad(self._unread, (0, round(PADDING_S * self.sample_rate))))
        self._graph.push(None)
        self._pull()
        due = round(self._taken / self.tempo) - self._given
        tail = self._release(self._given + due)
        return fade_out(np.pad(tail, (0, due - len(tail))), self.sample_rate)

    def _push(self, samples: Samples) -> None:
        assert self._graph is not None
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), "flt", "mono")
        frame.sample_rate = self.sample_rate
        frame.pts, frame.time_base = self._pushed, Fraction(1, self.sample_rate)
        self._pushed += len(samples)
        self._graph.push(frame)
        self._pull()

    def _pull(self) -> None:
        """Move everything the filters have finished to `_waiting`."""
        assert self._graph is not None
        done = [self._waiting]
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            assert isinstance(frame, av.AudioFrame)
            done.append(frame.to_ndarray()[0])
        self._waiting = np.concatenate(done)

    def _release(self, until: int) -> Samples:
        """Hand over what is finished, up to output sample `until`."""
        out, self._waiting = np.split(self._waiting, [max(0, until - self._given)])
        self._given += len(out)
        return out


def _open_graph(sample_rate: int, tempo: float) -> av.filter.Graph:
    """Source, one or two `atempo` filters, sink."""
    factors = [tempo] if 0.5 <= tempo <= 2.0 else [tempo**0.5, tempo**0.5]
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=sample_rate, format="flt", layout="mono", time_base=Fraction(1, sample_rate))
    filters = [graph.add("atempo", f"{factor:.9f}") for factor in factors]
    graph.link_nodes(source, *filters, graph.add("abuffersink")).configure()
    return graph
