"""What was heard of a recording, in another language: phrase by phrase, each where it was said."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

from vivavoce.recognition.listener import HeardSegment
from vivavoce.recognition.transcript import Phrase, Transcript
from vivavoce.translation.translator import Translator


async def translated(
    segments: AsyncIterator[HeardSegment], translator: Translator, target: str, duration_s: float
) -> AsyncGenerator[HeardSegment, None]:
    """Segments as they are heard become segments of the other language: one for each phrase, with its times.

    Args:
        segments: final ones; where their words have times, a phrase is a subtitle, else all of the segment.
        target: ISO 639-1 code.
        duration_s: of the recording.
    """
    async for segment in segments:
        source = segment.heard.text_language
        phrases = Transcript.of("transcribe", duration_s, (segment,)).phrases()
        if not phrases:
            continue
        lines = [phrase.text for phrase in phrases]
        if source != target:
            lines = await translator.translate(lines, source, target)
        for phrase, line in zip(phrases, lines, strict=True):
            if line.strip():
                yield _segment(segment, phrase, line.strip())


def _segment(of: HeardSegment, phrase: Phrase, line: str) -> HeardSegment:
    """Words and tokens are of what was heard, and no longer there."""
    heard = replace(
        phrase.heard,
        text=line,
        duration_s=phrase.end_s - phrase.start_s,
        words=(),
        tokens=(),
        avg_logprob=phrase.avg_logprob,
    )
    return HeardSegment(of.segment, phrase.start_s, phrase.end_s, heard)
