"""Chapters and verses: "Psalm 23:4", "1 Corinthians 13:4-7", "Surah 2:255"."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import cardinal
from vivavoce.text.english.rule import Rule, rule

_BOOKS: Final = {
    "Gen": "Genesis", "Exod": "Exodus", "Lev": "Leviticus", "Deut": "Deuteronomy", "Josh": "Joshua", "Ps": "Psalm",
    "Prov": "Proverbs", "Eccl": "Ecclesiastes", "Isa": "Isaiah", "Jer": "Jeremiah", "Ezek": "Ezekiel",
    "Matt": "Matthew", "Rom": "Romans", "Cor": "Corinthians", "Gal": "Galatians", "Eph": "Ephesians",
    "Phil": "Philippians", "Col": "Colossians", "Thess": "Thessalonians", "Tim": "Timothy", "Heb": "Hebrews",
    "Rev": "Revelation", "Sam": "Samuel", "Chron": "Chronicles", "Pet": "Peter",
}  # fmt: skip
_WHOLE: Final = (
    "Numbers|Judges|Ruth|Kings|Ezra|Nehemiah|Esther|Job|Psalms?|Song of Songs|Lamentations|Daniel|Hosea|Joel|Amos|"
    "Obadiah|Jonah|Micah|Nahum|Habakkuk|Zephaniah|Haggai|Zechariah|Malachi|Mark|Luke|John|Acts|Titus|Philemon|James|"
    "Jude|Revelations|Surah?|Quran|Qur'an|Koran|Gita|Bhagavad Gita"
)
_NAMES: Final = "|".join([_WHOLE, *(f"{whole}|{short}\\.?" for short, whole in _BOOKS.items())])
_PLACE: Final = r"\d{1,3}:\d{1,3}(?:[ ]?[–-][ ]?\d{1,3}(?::\d{1,3})?)?(?:, ?\d{1,3}(?:[–-]\d{1,3})?(?![:\d]))*"
_ORDINALS: Final = {"1": "First ", "2": "Second ", "3": "Third "}


def _verses(found: re.Match[str]) -> str:
    name = found["book"].rstrip(".")
    apart = re.sub(r"[ ]?[–-][ ]?", " to ", found["place"])
    said = re.sub(r"\d+", lambda run: cardinal(int(run[0])), apart)
    return f"{_ORDINALS.get(found['number'] or '', '')}{_BOOKS.get(name, name)} {said.replace(':', ' ')}"


SCRIPTURE: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\w.])(?:(?P<number>[123])[ ])?(?P<book>{_NAMES})[ ]"
         rf"(?P<place>{_PLACE})(?![\d:%])(?! ?[AaPp]\.?[Mm]\b)", _verses),
)  # fmt: skip
