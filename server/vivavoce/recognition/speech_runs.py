"""How long speech lasts, and how long silence: probabilities of 32 ms become runs.

Part of the turn detector, which decides what the runs mean.
"""

from __future__ import annotations

from typing import Final

from vivavoce.recognition.turn_events import FRAME_S

_HYSTERESIS: Final = 0.15  # a run goes on a little below the threshold at which it began (Silero's own value)
_CLICK_S: Final = 0.064  # speech that does not last this long does not end a silence


class SpeechRuns:
    """The present run of speech and the present silence of one stream.

    Attributes:
        heard_s: sound so far, in seconds.
        run_s: length of the speech up to now; 0: the last frame was none.
        run_start_s: place in the sound where it began.
        quiet_s: length of the silence up to now, with what a stall left out; clicks are part of it.
        quiet_start_s: place where it began.
    """

    def __init__(self) -> None:
        self.heard_s = 0.0
        self.run_s = 0.0
        self.run_start_s = 0.0
        self.quiet_s = 0.0
        self.quiet_start_s = 0.0

    def hear(self, probability: float, threshold: float, *, real: bool) -> bool:
        """Take the probability of speech of the next frame of 32 ms.

        Args:
            probability: of speech, 0..1.
            threshold: from which a new run begins.
            real: False for a frame that never came, and moves no place in the sound.

        Returns:
            Whether it was speech.
        """
        before_s = self.heard_s
        self.heard_s += FRAME_S if real else 0.0
        speaks = probability >= (threshold - _HYSTERESIS if self.run_s else threshold)
        if speaks and not self.run_s:
            self.run_start_s = before_s
        self.run_s = self.run_s + FRAME_S if speaks else 0.0
        if self.run_s >= _CLICK_S:
            self.quiet_s = 0.0
            return speaks
        if not self.quiet_s:
            self.quiet_start_s = before_s
        self.quiet_s += FRAME_S
        return speaks
