"""Written text to text that can be spoken aloud, with a map back to what was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What is spoken, and where each piece of it stands in the written text.

    Attributes:
        source: the text as written.
        text: the text as spoken; empty where nothing can be spoken.
        language: ISO 639-1 code of the text's main language.
        spans: (start, end, source_start, source_end) in code points, ascending in both, covering `text`.
    """

    source: str
    text: str
    language: str
    spans: tuple[tuple[int, int, int, int], ...] = ()


def normalize(source: str, language: str = "auto") -> SpokenText:
    """Placeholder until the real one lands."""
    text = " ".join(source.split())
    text = text if any(c.isalnum() for c in text) else ""
    return SpokenText(source, text, "en" if language == "auto" else language, ((0, len(text), 0, len(source)),))
