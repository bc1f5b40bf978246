"""When each written word is heard: placed by the times of spoken words where an engine knows them, else estimated.

An estimate shares the length of the audio among the words by their letters and the pauses after their marks, and says
that it is one. Knows no model. Called by engines once a sentence's length is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vivavoce.text.language import is_unspaced, is_wide, script_of
from vivavoce.text.normalize import SpokenText
from vivavoce.words import WordTiming

# Seconds at an ordinary speed; only their ratios matter. Fitted to the word times a recognizer (Whisper tiny.en) heard
# in 17 sentences of the embedded voice: letters tell more than syllables alone.
_WORD: Final = 0.15
_SYLLABLE: Final = 0.055
_CONSONANT: Final = 0.026
_SHORT_PAUSE: Final = 0.3
_LONG_PAUSE: Final = 0.6
_WIDE: Final = 0.2  # a Chinese or Korean syllable
_KANA: Final = 0.14  # a mora is shorter, and a Japanese Han character is often two
_SMALL_KANA_MORA: Final = 0.04
_JAPANESE_HAN: Final = 0.27
_DIGIT: Final = 0.2  # of a voice whose front end reads figures itself
_LETTER: Final = 0.07  # of a script we know nothing about

_VOWELS: Final = re.compile(r"[aeiouyàáâäãåæèéêëìíîïòóôöõøœùúûü]+")
_SILENT_E: Final = re.compile(r"[^aeiouyl]e(?:d|s)?\b")
_TOKEN: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d|[,;:、，；：]|[.!?…。！？]+")
_SMALL_KANA: Final = frozenset("ぁぃぅぇぉゃゅょゎァィゥェォャュョヮ")
_SPOKEN: Final = re.compile(r"\S*[^\W_]\S*")  # what stands between spaces and can be heard
_OPENERS: Final = frozenset("([{“‘«「『（《〈【〔")


@dataclass(slots=True)
class _Word:
    """A written word in the making."""

    source_start: int
    source_end: int
    text: str
    start: int  # in the spoken text
    end: int
    voiced: float = 0.0  # sound
    pause: float = 0.0  # silence behind it


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


def place_words(spoken: SpokenText, sounds: Sequence[tuple[float, float]], duration_s: float) -> tuple[WordTiming, ...]:
    """Give the written words the times of the spoken ones.

    Args:
        spoken: the sentence as it was given to the engine.
        sounds: (start_s, end_s) of each word of `spoken.text` that stands between spaces and holds a letter or digit,
            in order.
        duration_s: length of the audio.

    Returns:
        As `estimate_words`, and not estimated; but an estimate where the engine's front end made more or fewer words
        of the text than it has.
    """
    tokens = [found.span() for found in _SPOKEN.finditer(spoken.text)]
    if len(tokens) != len(sounds):
        return estimate_words(spoken, duration_s)
    timings: list[WordTiming] = []
    at, now_s = 0, 0.0
    for word in _written_words(spoken):
        while at < len(tokens) - 1 and tokens[at][1] <= word.start:
            at += 1
        begins = _time_in(tokens[at], sounds[at], word.start)
        while at < len(tokens) - 1 and tokens[at + 1][0] < word.end:
            at += 1
        ends = _time_in(tokens[at], sounds[at], word.end)
        start_s = min(max(begins, now_s), duration_s)
        now_s = min(max(ends, start_s), duration_s)
        timings.append(WordTiming(word.text, start_s, now_s, word.source_start, word.source_end, estimated=False))
    return tuple(timings)


def _time_in(token: tuple[int, int], sound: tuple[float, float], place: int) -> float:
    """When a place of a spoken word is reached."""
    share = min(max((place - token[0]) / (token[1] - token[0]), 0.0), 1.0)
    return sound[0] + share * (sound[1] - sound[0])


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
                _extend(words[-1], end, source_end, written, voiced, pause)
            else:
                place = opening[0][0] if opening else source_start
                text = "".join(marks for _, marks in opening) + written
                words.append(_Word(place, source_end, text, start, end, voiced, pause))
                opening.clear()
        before = piece[-1]
    return words


def _goes_on(before: str, first: str) -> bool:
    """True when no word border lies between two neighbouring characters."""
    return before.isalnum() and not is_unspaced(before) and not first.isspace() and not is_unspaced(first)


def _extend(word: _Word, end: int, source_end: int, written: str, voiced: float, pause: float) -> None:
    word.source_end, word.text = source_end, word.text + written
    if voiced:
        word.end = end
    word.voiced += voiced
    word.pause = pause if voiced else max(word.pause, pause)


def _weights(piece: str, language: str) -> tuple[float, float]:
    """(sound, pause behind) of a piece of spoken text; a pause inside it counts as voiced."""
    voiced, pause = 0.0, 0.0
    for found in _TOKEN.finditer(piece.lower()):
        token = found[0]
        if not token[0].isalnum():
            pause = max(pause, _LONG_PAUSE if token[0] in ".!?…。！？" else _SHORT_PAUSE)
            continue
        voiced += pause + _voiced(token, language)
        pause = 0.0
    return voiced, pause


def _voiced(word: str, language: str) -> float:
    """Roughly how long a word sounds."""
    wide = [char for char in word if is_wide(char)]
    if wide:
        return sum(_wide_voiced(char, language) for char in wide) + _LETTER * (len(word) - len(wide))
    if word.isdigit():
        return _DIGIT
    if script_of(word[0]) != "latin":
        return _WORD + _LETTER * len(word)
    vowels = _VOWELS.findall(word)
    silent = len(_SILENT_E.findall(word)) if len(word) > 3 else 0
    consonants = len(word) - sum(map(len, vowels))
    return _WORD + _SYLLABLE * max(1, len(vowels) - silent) + _CONSONANT * consonants


def _wide_voiced(char: str, language: str) -> float:
    script = script_of(char)
    if script == "kana":
        return _SMALL_KANA_MORA if char in _SMALL_KANA else _KANA
    return _JAPANESE_HAN if script == "han" and language == "ja" else _WIDE
