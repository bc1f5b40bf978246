"""When to vocode and how much: a small first chunk as soon as it is certain, later ones just in time and larger.

Pure: numbers in, a decision out; no clock, no model. `engine.py` asks before every step of a stream.

The first chunk decides when a listener hears something, so it is the smallest that starts the vocoder and leaves it
ahead. Afterwards, and where a sentence before it is still being heard, sound is made as late as the listener's buffer
allows: the text-to-semantic model runs ahead of real time meanwhile, every committed frame then knows more of what
follows, and larger chunks cost less each. How late that is depends on how long this machine takes (`Pace`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vivavoce.engines.genie.shape import LAG_FRAMES

_LEAD_STEPS = 1.75  # of the usual time: steps vary, and another stream's may come first
_LEAD_OPENINGS = 1.25
_FIRST_LEAD_S = 0.3  # more where a sentence begins: its first chunk makes half as much sound as it takes frames
_SLOWER, _FASTER = 0.5, 0.1  # weights of a new time in the usual one: what is late is heard, what is early is not


@dataclass(frozen=True, slots=True)
class Pace:
    """How long work has taken lately on this machine, under this load.

    Attributes:
        step_s: a vocoding step.
        opening_s: all steps of a sentence up to its first sound.
    """

    step_s: float = 0.0
    opening_s: float = 0.0

    def after_step(self, took_s: float) -> Pace:
        """With one more vocoding step."""
        return replace(self, step_s=_smoothed(self.step_s, took_s))

    def after_opening(self, took_s: float) -> Pace:
        """With one more sentence that sounds."""
        return replace(self, opening_s=_smoothed(self.opening_s, took_s))


def _smoothed(usual_s: float, took_s: float) -> float:
    if usual_s == 0:
        return took_s
    return usual_s + (_SLOWER if took_s > usual_s else _FASTER) * (took_s - usual_s)


_UNKNOWN = Pace()


@dataclass(frozen=True, slots=True)
class ChunkPolicy:
    """Sizes and safety margin of the chunks of a sentence.

    Attributes:
        first_frames: frames of the first chunk; the vocoder holds back 11 of them.
        sizes: frames of the following chunks; the last one repeats.
        lead_s: sound that must still be with the listener when work on the next chunk begins, at least.
    """

    first_frames: int
    sizes: tuple[int, ...] = (8, 10, 12, 16, 20, 24, 32, 40, 48, 60, 72, 84)
    lead_s: float = 0.2

    def next(self, chunks: int, available: int, *, final: bool, buffered_s: float, pace: Pace = _UNKNOWN) -> int:
        """Frames to vocode now; 0: rather make more tokens first.

        Args:
            chunks: chunks of this sentence so far.
            available: frames that may be committed now.
            final: no further token will come.
            buffered_s: sound the listener still has, in seconds; 0 where the result must not depend on timing,
                infinite where nobody listens in real time.
            pace: of this machine.
        """
        wanted = self.first_frames if chunks == 0 else self.sizes[min(chunks - 1, len(self.sizes) - 1)]
        if final:
            return available if available <= wanted + LAG_FRAMES + 1 else wanted
        lead_s = max(self.lead_s, _LEAD_STEPS * pace.step_s)
        # From the second chunk on a sentence may end at any time, and the next one needs as long as they usually do.
        lead_s = lead_s + _FIRST_LEAD_S if chunks == 0 else max(lead_s, _LEAD_OPENINGS * pace.opening_s)
        return 0 if available < wanted or buffered_s >= lead_s else wanted


# Smaller first chunks left gaps on two cores. Sizes and lead were chosen by simulating one and two listeners with the
# costs of a fast and a slow machine (experiments/LOG.md): faster growth left a gap at the start on the slow one, slower
# growth cost 3 % more, and with less lead the slow one committed most frames knowing little of what follows.
POLICY = ChunkPolicy(first_frames=22)
