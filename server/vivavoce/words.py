"""A written word and when it is heard: what engines tell, routes send and the assistant remembers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a word of the written text is heard.

    Attributes:
        text: the word as written.
        start_s, end_s: seconds. Relative to the sentence's first sample when an engine makes it, to the
            utterance's first sample once it has passed the synthesizer.
        source_start, source_end: code points in the text as written, with the same two origins.
        estimated: False where the engine measured the time (an alignment), True where it was derived from lengths.
    """

    text: str
    start_s: float
    end_s: float
    source_start: int
    source_end: int
    estimated: bool = True
