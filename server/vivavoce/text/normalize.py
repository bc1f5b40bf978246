"""Written text to text that can be spoken aloud, with a map back to what was written.

Markup and soundless characters go in every language; English and Korean numbers, dates, money, addresses and signs
become words. Chinese and Japanese keep their numbers: the front ends of those voices read them better. Pure, linear
in the length of the text. Called for each sentence before an engine sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vivavoce.text.characters import clean_characters, plain_english_characters, plain_primes
from vivavoce.text.chinese.reader import read_chinese
from vivavoce.text.emoticons import silence_emoticons
from vivavoce.text.english.reader import read_english
from vivavoce.text.japanese import read_japanese
from vivavoce.text.korean.reader import read_korean
from vivavoce.text.language import detect_language, speakable
from vivavoce.text.mapped import MappedText
from vivavoce.text.markup import strip_markup

_LINE_END: Final = re.compile(r"(?<!\s)[^\S\n]*+\n\s*+")
_TWO_SPACES: Final = re.compile(r"(?<=\s)\s++")
_SPACE_BEFORE_MARK: Final = re.compile(r"\s(?=[，。！？；：、]|[,.;:!?](?:\s|\Z))|(?<=\w)\s(?=[)\]])")
_AFTER_BRACKET: Final = re.compile(r"(?<=[(\[])\s")
_SECOND_COMMA: Final = re.compile(r"(?<=[,;:!?])(?:\s?,)++(?=\s|\Z)")
_ORPHANS: Final = re.compile(r"\A[\s.,;:!?…、，。！？；：)\]}」』）】》〉-]++")
_LINE_PAUSE: Final = {"zh": "，", "ja": "、"}


@dataclass(frozen=True, slots=True)
class SpokenText:
    """What is spoken, and where each piece of it stands in the written text.

    Attributes:
        source: the text as written.
        text: the text as spoken; empty where nothing can be spoken.
        language: ISO 639-1 code of the text's main language.
        spans: (start, end, source_start, source_end) in code points, ascending in both, covering `text`.
        unspoken: (start, end) of what is written to be said and is not, since the voice lacks its letters.
    """

    source: str
    text: str
    language: str
    spans: tuple[tuple[int, int, int, int], ...] = ()
    unspoken: tuple[tuple[int, int], ...] = ()


def normalize(source: str, language: str = "auto", *, preferred: str = "en") -> SpokenText:
    """Rewrite `source` as it is said.

    Args:
        source: one sentence, or a whole text.
        language: ISO 639-1 code, or "auto": told by the script.
        preferred: with "auto", the language of what its script does not tell, such as "2024" or Han that may be
            Japanese.

    Returns:
        A text of at most 20 times the length of `source`; "" where that holds no letter or digit to say.
    """
    text = MappedText.of(source)
    text = silence_emoticons(text)
    text = strip_markup(text)
    text = clean_characters(text)
    chosen = detect_language(text.text, preferred) if language == "auto" else language
    if not speakable(text.text):
        return SpokenText(source, "", chosen)
    text = text.sub(_LINE_END, lambda found: _pause(found, chosen))
    if chosen == "en":
        text = plain_english_characters(text)
        text = read_english(text)
    else:
        text = plain_primes(text)
    if chosen == "ko":
        text = read_korean(text)
    elif chosen == "zh":
        text = read_chinese(text)
    elif chosen == "ja":
        text = read_japanese(text)
    for pattern in (_TWO_SPACES, _SPACE_BEFORE_MARK, _AFTER_BRACKET, _SECOND_COMMA, _ORPHANS):
        text = text.sub(pattern, "")
    text = text.strip()
    if not speakable(text.text):
        return SpokenText(source, "", chosen)
    return SpokenText(source, text.text, chosen, text.spans())


def _pause(found: re.Match[str], language: str) -> str:
    """A line's end is a pause, unless a mark has made one."""
    before = found.string[found.start() - 1 : found.start()]
    if not before.isalnum() or found.end() == len(found.string):
        return " "
    return _LINE_PAUSE.get(language, ", ")
