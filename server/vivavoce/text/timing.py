"""When each written word is probably heard, for engines that do not say.

Shares the length of the audio among the words by their syllables and the pauses after their marks. Knows no model;
the times are estimates and say so. Called by engines once a sentence's length is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vivavoce.audio.chunk import WordTiming
from vivavoce.text.language import is_unspaced, is_wide, script_of
from vivavoce.text.normalize import SpokenText

# In syllables. Proportions of read speech, rounded; only their ratios matter.
_WORD: Final = 0.35  # what a word costs besides its syllables
_SHORT_PAUSE: Final = 1.2
_LONG_PAUSE: Final = 2.0
_KANA: Final = 0.75  # a mora is shorter than a syllable, and Japanese Han are longer than one
_JAPANESE_HAN: Final = 1.5

_VOWELS: Final = re.compile(r"[aeiouyàáâäãåæèéêëìíîïòóôöõøœùúûü]+")
_SILENT_E: Final = re.compile(r"[^aeiouyl]e(?:d|s)?\b")
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d|[,;:、，；：]|[.!?…。！？]+")
_SMALL_KANA: Final = frozenset("ぁぃぅぇぉゃゅょゎァィゥェォャュョヮ")
_OPENERS: Final = frozenset("([{“‘«「『（《〈【〔")


@dataclass(slots=True)
class _Word:
    """A written word in the making."""

    source_start: int
    source_end: int
    text: str
    voiced: float = 0.0  # syllables
    pause: float = 0.0  # silence behind it, in syllables


def estimate_words(
    spoken: SpokenText, duration_s: float, *, lead_s: float = 0.0, tail_s: float = 0.0
) -> tuple[WordTiming, ...]:
    """Spread the written words over the audio.

    Args:
        spoken: the sentence as it was given to the engine.
        duration_s: length of its audio.
        lead_s, tail_s: silence known to stand before the first and after the last word.

    Returns:
        Words as written (Chinese and Japanese: one character each, with the marks behind it), in order, without
        overlap, inside 0..duration_s; their source places count from the start of `spoken.source`. What a rule
        rewrote as one piece ("5 p.m.") is one word.
    """
    words = _written_words(spoken)
    if not words:
        return ()
    words[-1].pause = 0.0  # the last mark's silence is the tail
    start_s = min(max(lead_s, 0.0), max(duration_s, 0.0))
    end_s = max(start_s, duration_s - max(tail_s, 0.0))
    total = sum(word.voiced + word.pause for word in words)
    scale = (end_s - start_s) / total if total else 0.0
    timings: list[WordTiming] = []
    at = 0.0
    for word in words:
        begins, ends = start_s + at * scale, start_s + (at + word.voiced) * scale
        at += word.voiced + word.pause
        place = (word.source_start, word.source_end)
        timings.append(WordTiming(word.text, min(begins, end_s), min(ends, end_s), *place))
    return tuple(timings)


def _written_words(spoken: SpokenText) -> list[_Word]:
    """Join the spans of one written word; marks stay with the word before them, opening ones with the word after."""
    words: list[_Word] = []
    opening: list[tuple[int, str]] = []  # (place, marks) waiting for their word
    before = " "  # the character spoken before this piece
    for start, end, source_start, source_end in spoken.spans:
        piece, written = spoken.text[start:end], spoken.source[source_start:source_end]
        if not piece.isspace():
            voiced, pause = _weights(piece, spoken.language)
            if voiced == 0.0 and (not words or piece[-1] in _OPENERS or (piece[-1] in "\"'" and before.isspace())):
                opening.append((source_start, written))
            elif voiced == 0.0 or (not opening and _goes_on(before, piece[0])):
                _extend(words[-1], source_end, written, voiced, pause)
            else:
                place = opening[0][0] if opening else source_start
                text = "".join(marks for _, marks in opening) + written
                words.append(_Word(place, source_end, text, voiced, pause))
                opening.clear()
        before = piece[-1]
    return words


def _goes_on(before: str, first: str) -> bool:
    """True when no word border lies between two neighbouring characters."""
    return before.isalnum() and not is_unspaced(before) and not first.isspace() and not is_unspaced(first)


def _extend(word: _Word, end: int, written: str, voiced: float, pause: float) -> None:
    word.source_end, word.text = end, word.text + written
    word.voiced += voiced
    word.pause = pause if voiced else max(word.pause, pause)


def _weights(piece: str, language: str) -> tuple[float, float]:
    """(syllables, pause behind) of a piece of spoken text; a pause inside it counts as voiced."""
    voiced, pause = 0.0, 0.0
    for found in _TOKEN.finditer(piece.lower()):
        token = found[0]
        if not token[0].isalnum():
            pause = max(pause, _LONG_PAUSE if token[0] in ".!?…。！？" else _SHORT_PAUSE)
            continue
        voiced += pause + _syllables(token, language)
        pause = 0.0
    return voiced, pause


def _syllables(word: str, language: str) -> float:
    """Roughly how many syllables a word has."""
    wide = [char for char in word if is_wide(char)]
    if wide:
        others = len(word) - len(wide)
        return sum(_wide_syllables(char, language) for char in wide) + 0.5 * others
    if word.isdigit() or script_of(word[0]) != "latin":
        return 1.0 if word.isdigit() else _WORD + 0.45 * len(word)
    groups = len(_VOWELS.findall(word)) - (len(_SILENT_E.findall(word)) if len(word) > 3 else 0)
    if groups < 1 and len(word) < 6:
        groups = 1
    return _WORD + max(groups, 0.4 * len(word) if not groups else 1)


def _wide_syllables(char: str, language: str) -> float:
    script = script_of(char)
    if script == "kana":
        return 0.2 if char in _SMALL_KANA else _KANA
    return _JAPANESE_HAN if script == "han" and language == "ja" else 1.0
