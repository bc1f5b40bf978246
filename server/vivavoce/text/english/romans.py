"""Roman numerals: of chapters, wars, rulers, heirs, centuries, and of what carries a title."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import SPOKEN_BEFORE_NUMBER
from vivavoce.text.english.context import after, before
from vivavoce.text.english.numerals import cardinal, ordinal, roman, year
from vivavoce.text.english.rule import Rule, rule

_PARTS: Final = ("Chapter|Part|Book|Volume|Act|Scene|Section|Article|Title|Appendix|Phase|Stage|Level|Class|Type|Grade|"
                 "Episode|Season|World War|Super Bowl|Final Fantasy|Star Wars|Rocky|Apollo|Schedule|Figure|Table|Round|"
                 "Version|Symphony No\\.|Mark")  # fmt: skip
_RULERS: Final = ("Henry|Louis|Charles|George|William|Edward|Richard|James|John|Paul|Elizabeth|Mary|Anne|Catherine|"
                  "Victoria|Philip|Ferdinand|Alexander|Nicholas|Peter|Ivan|Frederick|Francis|Joseph|Napoleon|Leopold|"
                  "Pius|Benedict|Gregory|Innocent|Clement|Leo|Urban|Boniface|Ramses|Ramesses|Thutmose|Ptolemy|"
                  "Christian|Gustav|Olaf|Harald|Stephen|Robert|Albert|Umberto|Otto|Wilhelm")  # fmt: skip
_LOUD_RULERS: Final = _RULERS.upper()
_SHORT_PARTS: Final = r"(?i:vols?|ch|sec|pt|art|fig|nos?|eq|op)\."
_ROMAN: Final = r"(?P<roman>[IVXLCDM]{1,9})(?!\w|'(?!s\b)\w|\.\w)"
# What a lone X or V behind it numbers; elsewhere a single letter is a letter: Malcolm X, Mega Man X.
_SERIES: Final = re.compile(
    r"(?<!\w)(?:GTA|Grand Theft Auto|Civilization|Civ|Elder Scrolls|Metal Gear Solid|MGS|Street Fighter|FF|"
    r"Resident Evil|Saw|Dragon Quest|Ultima|Age of Empires|iPhone|macOS|Mac OS|OS|Gemini|Saturn|Scream|Fallout|"
    r"Diablo|Tekken|Halo|Battlefield|Leisure Suit Larry|King's Quest|Monkey Island|Amendment|Category|Opus|"
    r"Sonata|Concerto|Symphony|Suite|Canto|Psalm|Olympiad|Legion|Corps) \Z"
)
_FIRST_NAMES: Final = re.compile(
    r"(?<!\w)(?:Adlai|Albert|Andrew|Anthony|Arthur|Benjamin|Charles|Daniel|David|Edward|Francis|Frank|Franklin|"
    r"Frederick|George|Harold|Harry|Henry|Howard|Jack|James|John|Joseph|Kenneth|Lawrence|Martin|Michael|Nathaniel|"
    r"Patrick|Paul|Peter|Philip|Ralph|Raymond|Richard|Robert|Samuel|Sammy|Stephen|Theodore|Thomas|Thurston|Walter|"
    r"William)(?: [A-Z]\.?| [A-Z][a-z]{2,12})? [A-Z][a-z]{2,14},? \Z"
)
_NAME_BEFORE: Final = re.compile(r"(?<![\w'])(?:[A-Z][A-Za-z'’]+|[a-z]?[A-Z]{2,8}|[A-Za-z]+[A-Z]\w*|of [A-Z][a-z]+) \Z")
# IV behind these is what stands in a hospital.
_WARD: Final = re.compile(r" (?:drips?|fluids?|lines?|bags?|poles?|antibiotics|therapy|therapies|infusions?|needles?|"
                          r"tubes?|access|meds|medications?)\b")  # fmt: skip
_PRONOUN: Final = (r"(?!I[ ](?:think|thought|like|love|am|was|have|had|did|do|can|could|will|would|want|need|know|"
                   r"wrote|read|saw|said|never|really|just|don't|didn't)\b)")  # fmt: skip


def _part(found: re.Match[str]) -> str | None:
    written, value = found["roman"], roman(found["roman"])
    if value is None or (written in "LCDM" and found["part"] != "Super Bowl"):  # Class C, Schedule D
        return None
    return f"{found['part']} {cardinal(value)}"


def _titled(found: re.Match[str]) -> str | None:
    """Diablo IV, GTA V, Robert Downey III: a number behind a name, of a person an ordinal."""
    value, front = roman(found["roman"]), before(found)
    known = _NAME_BEFORE if len(found["roman"]) > 1 else _SERIES
    if value is None or known.search(front) is None or (found["roman"] == "IV" and _WARD.match(after(found))):
        return None
    if len(found["roman"]) > 1 and _FIRST_NAMES.search(front):
        return f"the {ordinal(value)}"
    return cardinal(value)


def _alone(found: re.Match[str]) -> str | None:
    """XVIII: of so many letters, all of them I, V and X, nothing else is made."""
    value = roman(found["roman"])
    return None if value is None else cardinal(value)


def _small(found: re.Match[str]) -> str | None:
    """Scene ii, page xii, (iv): small letters."""
    value = roman(found["roman"].upper())
    return None if value is None else cardinal(value)


def _century(found: re.Match[str]) -> str | None:
    value = roman(found["roman"])
    return None if value is None else ordinal(value)


def _two_parts(found: re.Match[str]) -> str | None:
    """Chapters IV to VI, Part I of II."""
    first, last = roman(found["first"]), roman(found["roman"])
    if first is None or last is None:
        return None
    joint = {"–": " to "}.get(found["joint"], found["joint"])
    return f"{found['part']}{found['many']} {cardinal(first)}{joint}{cardinal(last)}"


def _short_part(found: re.Match[str]) -> str | None:
    value = roman(found["roman"])
    words = SPOKEN_BEFORE_NUMBER[found["part"].lower().rstrip(".")]
    return None if value is None else f"{words} {cardinal(value)}"


def _listed(found: re.Match[str]) -> str | None:
    """The number of a line: "III. Results"."""
    value = roman(found["roman"].upper())
    return None if value is None or value > 30 else cardinal(value)


def _dated(found: re.Match[str]) -> str | None:
    """MMXXIV, MCMXCIX: a year."""
    value = roman(found["roman"])
    return year(value) if value is not None and 1000 <= value <= 2100 else None


def _ruler(found: re.Match[str]) -> str | None:
    value = roman(found["roman"])
    return None if value is None else f"{found['ruler']} the {ordinal(value)}"


ROMAN_NUMERALS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.])(?P<roman>[IVX]{1,6})(?:st|nd|rd|th)?(?= (?:century|centuries|c\.))", _century),
    rule(r"(?m)^(?P<roman>[IVX]{2,5}|[ivx]{2,5})(?=[.)](?:\s|\Z))", _listed),
    rule(r"(?<![\w.])(?=[MDCLXVI]{5,9}(?!\w))(?P<roman>[MDC]{1,7}[MDCLXVI]{0,8})(?!\w|\.\w)", _dated),
    rule(rf"(?<!\w)(?P<part>{_PARTS}|chapter|part|book|volume|act|article|section)(?P<many>s?) "
         rf"(?P<first>[IVXLCDM]{{1,9}})(?P<joint> to |, | and |–| of (?=[IVX]))"
         rf"{_ROMAN}", _two_parts),
    rule(rf"(?<!\w)(?P<part>{_SHORT_PARTS}) (?!I(?: [a-z]|['’])){_ROMAN}", _short_part),
    rule(rf"(?<!\w)(?P<part>{_PARTS}) {_PRONOUN}{_ROMAN}", _part),
    rule(r"(?:(?<=\b[Ss]cene )|(?<=\b[Aa]ct ))(?P<roman>[ivx]{1,5})(?![\w'])", _small),
    rule(r"(?:(?<=\b[Cc]hapter )|(?<=\b[Pp]age )|(?<=\b[Pp]ages )|(?<=\b[Pp]art )|(?<=\b[Bb]ook ))"
         r"(?P<roman>[ivx]{2,6})(?![\w'])", _small),
    rule(r"(?<=\()(?P<roman>[ivx]{2,5})(?=\))", _small),
    rule(rf"(?<!\w)(?P<ruler>{_RULERS}|{_LOUD_RULERS}) (?!I[ ][A-Za-z]|[CDM](?!\w)){_ROMAN}", _ruler),
    rule(r"(?<!\w)(?P<ruler>Elizabeth|Charles|James|Mary|Napoleon|Nicholas|Francis|Peter) (?P<roman>I)"
         r"(?= (?:of|was|is|had|ruled|reigned|died|became)(?!\w))", _ruler),
    rule(r"(?:(?<=\bPope )|(?<=\bKing )|(?<=\bQueen )|(?<=\bEmperor )|(?<=\bTsar )|(?<=\bCzar )|(?<=\bPharaoh ))"
         rf"(?P<ruler>[A-Z][a-zé]{{2,14}}) {_PRONOUN}(?![CDLM](?!\w)){_ROMAN}", _ruler),
    rule(r"(?<= )(?P<roman>X{0,2}(?:I{2,3}|IV|VI{1,3}|IX)|X{2}I?|XI|X?V|X)(?!\w|'(?!s\b)\w|\.\w)", _titled),
    rule(r"(?<![\w.'-])(?!XXX)(?P<roman>[IVX]{3,7})(?![\w'-]|\.\w)", _alone),
)  # fmt: skip
