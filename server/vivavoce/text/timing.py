"""Placeholder until the real one lands."""

from __future__ import annotations

import re

from vivavoce.audio.chunk import WordTiming
from vivavoce.text.normalize import SpokenText


def estimate_words(spoken: SpokenText, duration_s: float) -> tuple[WordTiming, ...]:
    n = max(1, len(spoken.source))
    return tuple(
        WordTiming(m.group(), m.start() / n * duration_s, m.end() / n * duration_s, m.start(), m.end())
        for m in re.finditer(r"\S+", spoken.source)
    )
