"""A sentence that grew when it was read out, cut again: what an engine is given at once is bounded in spoken length.

The splitter bounds what is written, but figures and addresses become many times as long. Pure; called between
`normalize` and an engine.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from vivavoce.text.language import is_wide
from vivavoce.text.mapped import Span
from vivavoce.text.normalize import SpokenText

LONGEST: Final = 240  # Latin characters, about 15 s of speech and 80 ms of the embedded voice (one core, measured)
_WIDE_WEIGHT: Final = 3  # a syllable of Chinese, Japanese or Korean lasts as long as three Latin characters
_COMMA: Final = re.compile(r"[,;:.!?，、；：。！？][ ]?")
_SPACE: Final = re.compile(r"[ ]")


def pieces_of(spoken: SpokenText, longest: int = LONGEST) -> list[SpokenText]:
    """The sentence as it is, or in pieces that are cut at its commas, else between words, else anywhere.

    Args:
        longest: spoken Latin characters of a piece; a wide character counts as three.

    Returns:
        Pieces that say the same in the same order, each with the whole `source` and its own part of the map.
    """
    if len(spoken.text) * _WIDE_WEIGHT <= longest or _weight(spoken.text) <= longest:
        return [spoken]
    cuts = [0]
    while (cut := _next_cut(spoken.text, cuts[-1], longest)) < len(spoken.text):
        cuts.append(cut)
    cuts.append(len(spoken.text))
    return _parts(spoken, cuts)


def _weight(text: str) -> int:
    return len(text) + (_WIDE_WEIGHT - 1) * sum(map(is_wide, text))


def _next_cut(text: str, start: int, longest: int) -> int:
    """Where the piece that begins at `start` ends: at the last comma of its second half, else its last space."""
    end, weight = start, 0
    while end < len(text) and weight < longest:
        weight += _WIDE_WEIGHT if is_wide(text[end]) else 1
        end += 1
    if end == len(text):
        return end
    for mark, earliest in ((_COMMA, start + (end - start) // 2), (_SPACE, start + 1)):
        ends = [found.end() for found in mark.finditer(text, earliest, end)]
        if ends:
            return ends[-1]
    return end


def _parts(spoken: SpokenText, cuts: list[int]) -> list[SpokenText]:
    """Divide the map along with the text; a replacement that is cut shares out the source it stands for."""
    parts: list[list[Span]] = [[]]
    borders = iter(cuts[1:])
    border = next(borders)
    for start, end, source_start, source_end in spoken.spans:
        at, source_at = start, source_start
        while end > border:
            share = source_at + (source_end - source_at) * (border - at) // (end - at)
            if border > at and share > source_at:
                parts[-1].append((at, border, source_at, share))
                at, source_at = border, share
            elif border > at:  # too little source to share: every part stands for the same
                parts[-1].append((at, border, min(source_at, source_end - 1), source_end))
                at, source_at = border, source_end
            parts.append([])
            border = next(borders)
        if end > at:
            parts[-1].append((at, end, min(source_at, source_end - 1), source_end))
    return [_part(spoken, spans) for spans in parts if spans]


def _part(spoken: SpokenText, spans: list[Span]) -> SpokenText:
    first = spans[0][0]
    text = spoken.text[first : spans[-1][1]]
    lead = len(text) - len(text.lstrip())
    kept = len(text.strip())
    moved = [
        (max(start - first - lead, 0), min(end - first - lead, kept), source_start, source_end)
        for start, end, source_start, source_end in spans
    ]
    return replace(spoken, text=text.strip(), spans=tuple(span for span in moved if span[1] > span[0]))
