"""English text -> ARPAbet symbols.

Takes text whose numbers, currencies and addresses are words already, and stays sane where they are not. Knows the
marks, the article, the neighbours of a word; the sounds of a word come from `english_pronunciation.py`. Called by
`phonemes.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from vivavoce.engines.genie.reading.english_homographs import homograph
from vivavoce.engines.genie.reading.english_pronunciation import EnglishPronunciation
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.reading import Reading, ReadingWriter
from vivavoce.text.mapped import MappedText

_MARKS = {
    **dict.fromkeys("‘’ʼ`´＇", "'"),
    **dict.fromkeys(";:：；，、､—–―·", ","),
    **dict.fromkeys("。．｡", "."),
    **dict(zip("…！？‐‑‒−\n", ".!?----\n", strict=True)),
    **dict(zip("&@%+=ß", [" and ", " at ", " percent ", " plus ", " equals ", "ss"], strict=True)),
}
_KEPT = re.compile(r"[A-Za-z0-9'.,?!\n-]")
_PARAGRAPH = re.compile(r"\s*\n\s*")
_TOKEN = re.compile(
    r"(?P<dotted>(?<![A-Za-z0-9'])(?:[A-Za-z]\.){2,})"  # U.S., e.g.
    r"|(?P<word>'?[A-Za-z0-9]+(?:['-]+[A-Za-z0-9]+)*(?:(?<=[sS])'(?![A-Za-z]))?)"
    r"|(?P<pause>[.,?!](?:\s*[.,?!-])*|(?<!\S)-(?!\S)|--+)"
)
_NAMED_BY_LETTERS = re.compile(
    r"vitamin|plan|grade|type|hepatitis|section|group|class|point|option|appendix|exhibit|model|part|team|letter"
)


class EnglishFrontEnd:
    """Reads English; any number of threads at once."""

    def __init__(self, data: GenieData) -> None:
        self._pronunciation = EnglishPronunciation(data)

    def warm_up(self) -> None:
        self._pronunciation.warm_up()

    def read(self, text: MappedText) -> Reading:
        """ARPAbet symbols and pauses; the written words in order."""
        folded = text.map(_folded).sub(_PARAGRAPH, ". ")
        tokens = list(_TOKEN.finditer(folded.text))
        words = ["" if token["pause"] else token[0] for token in tokens]
        shouted = _shouted(words, self._pronunciation)
        writer = ReadingWriter()
        for index, token in enumerate(tokens):
            if mark := token["pause"]:
                writer.pause("," if mark.startswith("--") else mark[0])
            else:
                writer.word(self._sounds(token, words, index, shouted), folded.origin(token.start(), token.end()))
                if token["dotted"] and index + 1 == len(tokens):
                    writer.pause(".")
        return writer.done()

    def _sounds(self, token: re.Match[str], words: Sequence[str], index: int, shouted: bool) -> Sequence[str]:
        if token["dotted"]:
            return self._pronunciation.letters(token[0].replace(".", ""))
        word = token[0]
        before, after = words[index - 1] if index else "", words[index + 1] if index + 1 < len(words) else ""
        if (sounds := homograph(word.lower(), before.lower(), after.lower())) is not None:
            return sounds.split()
        if word == "A" and (_letter(after) or (_letter(before) and before != "I") or _names_a_letter(before, after)):
            return self._pronunciation.letters(word)
        if word[0] == "'" and not self._pronunciation.in_dictionary(word.lower()):
            word = word[1:]
        if word[-1] == "'" and not self._pronunciation.in_dictionary(word.lower()):
            word = word[:-1]
        return self._pronunciation.sounds(word, shouted)


def _folded(char: str) -> str:
    """One character as plain ASCII; a space where it has no sound and no meaning."""
    if _KEPT.match(char):
        return char
    if char in _MARKS:
        return _MARKS[char]
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if part.isascii())
    return "".join(part if _KEPT.match(part) else " " for part in plain) or ("" if unicodedata.combining(char) else " ")


def _shouted(words: Sequence[str], pronunciation: EnglishPronunciation) -> bool:
    """Whether the text is in capitals throughout, and is not just an acronym or two."""
    written = [word for word in words if len(word) > 1]
    if len(written) < 2 or any(char.islower() for word in words for char in word):
        return False
    return sum(pronunciation.in_dictionary(word.lower()) for word in written) * 2 > len(written)


def _letter(word: str) -> bool:
    return len(word) == 1 and word.isupper()


def _names_a_letter(before: str, after: str) -> bool:
    """ "Plan A", "Vitamin A is", "A股": after a noun with letters for names, or with nothing to be the article of."""
    return _NAMED_BY_LETTERS.fullmatch(before.lower()) is not None or after == ""
