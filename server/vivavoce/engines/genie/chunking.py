"""When to vocode and how much: a small first chunk as soon as it is certain, later ones just in time and larger.

Pure: numbers in, a decision out; no clock, no model. `engine.py` asks before every step of a stream.

The first chunk decides when a listener hears something, so it is the smallest that starts the vocoder and leaves it
ahead. Afterwards sound is made as late as the listener's buffer allows: the text-to-semantic model runs ahead of real
time meanwhile, every committed frame then knows more of what follows, and larger chunks cost less each.
"""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_PER_FRAME = 0.02
LAG_FRAMES = 11  # frames the vocoder holds back until it is flushed


@dataclass(frozen=True, slots=True)
class ChunkPolicy:
    """Sizes and safety margins of one preset.

    Attributes:
        first_frames: frames of the first chunk; the vocoder holds back 11 of them.
        sizes: frames of the following chunks; the last one repeats.
        cost_s_per_frame: guess of the time to make one frame until it has been measured.
        margin_s: sound that must be left with the listener when a chunk is ready.
    """

    first_frames: int
    sizes: tuple[int, ...] = (8, 8, 10, 10, 12, 14, 16, 20, 24, 28, 32, 40)
    cost_s_per_frame: float = 0.0065
    margin_s: float = 0.06

    def next(
        self,
        chunks: int,
        available: int,
        *,
        final: bool,
        buffered_s: float,
        cost_s_per_frame: float | None = None,
    ) -> int:
        """Frames to vocode now; 0: rather make more tokens first.

        Args:
            chunks: chunks of this sentence so far.
            available: frames that may be committed now.
            final: no further token will come.
            buffered_s: sound the listener still has, in seconds; infinite where nobody listens in real time.
            cost_s_per_frame: measured time to make one frame, in seconds.
        """
        wanted = self.first_frames if chunks == 0 else self.sizes[min(chunks - 1, len(self.sizes) - 1)]
        if final:
            return available if available <= wanted + LAG_FRAMES + 1 else wanted
        if available < wanted:
            return 0
        if chunks == 0:
            return wanted
        cost = self.cost_s_per_frame if cost_s_per_frame is None else cost_s_per_frame
        return wanted if buffered_s < cost * wanted + self.margin_s else 0


# Source of the sizes: `benchmarks/` on two cores; smaller first chunks left gaps, larger ones only waited longer.
POLICIES = {"quality": ChunkPolicy(first_frames=22), "fast": ChunkPolicy(first_frames=18)}
