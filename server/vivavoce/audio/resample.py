"""Changing the sample rate of a stream without a seam between its chunks.

Knows samples and two rates, nothing of encodings or engines. Called by the encoders (codecs that take only certain
rates) and by the synthesizer (a listener who asked for another rate than the engine's).
"""

from __future__ import annotations

import numpy as np
import soxr

from vivavoce.audio.chunk import Samples

EMPTY: Samples = np.zeros(0, np.float32)


class Resampler:
    """Converts one mono stream from one sample rate to another; the result does not depend on how it was cut.

    Between 12 and 45 ms of sound stay inside the filter until `flush()`. Equal rates pass through untouched.

    Args:
        rate_in: Hz of the samples given to `process()`.
        rate_out: Hz of the samples it returns.

    Raises:
        ValueError: If a rate is not positive.

    Source: libsoxr, "high quality" (passband to 91 % of the Nyquist frequency, rejection above 100 dB).
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        if rate_in <= 0 or rate_out <= 0:
            raise ValueError(f"sample rates must be positive, got {rate_in} and {rate_out}")
        self.rate_in = rate_in
        self.rate_out = rate_out
        self._stream = None if rate_in == rate_out else soxr.ResampleStream(rate_in, rate_out, 1, "float32", "HQ")
        self._taken = 0  # samples in
        self._given = 0  # samples out

    def process(self, samples: Samples) -> Samples:
        """Take float32 [n] at `rate_in`, return float32 [m] at `rate_out`; m may be 0."""
        if self._stream is None or not len(samples):
            return samples
        self._taken += len(samples)
        out: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32))
        self._given += len(out)
        return out

    def flush(self) -> Samples:
        """Return the tail and start afresh; in all exactly `round(taken * rate_out / rate_in)` samples came out."""
        if self._stream is None or not self._taken:
            return EMPTY
        tail: Samples = self._stream.resample_chunk(EMPTY, last=True)
        self._stream.clear()
        missing = (2 * self._taken * self.rate_out + self.rate_in) // (2 * self.rate_in) - self._given
        self._taken = self._given = 0
        return tail[:missing] if len(tail) >= missing else np.pad(tail, (0, missing - len(tail)))
