"""Years, where a number is one: told from quantities by what stands around it."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import after, before, counts_something, counts_surely
from vivavoce.text.english.numerals import cardinal, early_year, year
from vivavoce.text.english.rule import Rule, rule

_ERA: Final = r"(?:B\.?C\.?(?:E\.?)?|A\.D\.|AD|C\.?E\.?)(?!\w)"
# Words after which a number of four digits is a year, unless something is counted.
_OF_A_NUMBER: Final = re.compile(
    r"(?i)(?<!\w)(?:total|sum|number|group|crowd|fleet|army|flock|list|set|collection|maximum|minimum|average|price|"
    r"cost|population|speed|rate|at least|at most|up to|more than|less than|fewer than|over|under|nearly|almost|"
    r"only|just|exactly|roughly|approximately)(?: of)?[ ]\Z"
)
_ONLY_YEARS: Final = re.compile(r"(?i)(?<!\w)(?:in|since|until|till|during|circa|year|the|this|that|his|her|our|their|"
                                r"my|its|class of|by|early|late|mid|spring|summer|autumn|fall|"
                                r"winter)[ -](?:of )?\Z")  # fmt: skip
_DOLLARS: Final = re.compile(r"[ ](?:dollars|euros|pounds|USD)\b")
_OLD: Final = re.compile(r"(?i)(?<!\w)(?:in|of|by|since|until|till|after|before|around|during|circa|ca?\.?|year|"
    r"from|between|"
                         r"founded|established|built|born|died|est\.|published|painted|written|early|late|mid|mid-|"
                         r"spring|summer|autumn|fall|winter|to|and|back|about)[ -]\Z")  # fmt: skip
_RANGE_OF_YEARS: Final = re.compile(r"(?i)(?<!\w)(?:from|between) (?:1\d{3}|20\d\d) (?:to|and|until|till) \Z")


def _is_quantity(found: re.Match[str]) -> bool:
    front = before(found, 24)
    if _OF_A_NUMBER.search(front) and not re.search(r"(?i)\b(?:over|under|price|cost|speed|rate) of \Z", front):
        return counts_something(found)
    if counts_surely(found):
        return True
    if not counts_something(found):
        return False
    if _DOLLARS.match(after(found)):
        return re.search(r"(?i)(?<!\w)in \Z", front) is None
    return _ONLY_YEARS.search(front) is None


def _modern(found: re.Match[str]) -> str | None:
    return None if _is_quantity(found) else year(int(found["year"]))


def _old(found: re.Match[str]) -> str | None:
    """Before 1700 a number is a year only behind words that say so."""
    front = before(found, 24)
    if _is_quantity(found) or re.match(r"[ ]?[%°€£$]", after(found)):
        return None
    if counts_something(found) and re.search(r"(?<!\w)(?:in|by) \Z", front):  # in 1234 homes
        return None
    if re.search(r"(?i)(?<!\w)(?:to|and|about) \Z", front) and not _RANGE_OF_YEARS.search(front):
        return None
    return year(int(found["year"])) if _OLD.search(front) else None


_FUTURE: Final = re.compile(r"(?i)(?<!\w)(?:in|since|until|till|during|circa|years?|(?:spring|summer|autumn|"
                            r"fall|winter|"
                            r"early|late|mid|end|start|beginning|class)(?: of)?|\A\W?by)[ ]\Z")  # fmt: skip
_FUTURE_RANGE: Final = re.compile(r"(?i)(?<!\w)(?:from|between) 2[1-9]\d\d (?:to|and|until|till) \Z|(?<!\w)"
                                  r"(?:from|between) \Z")  # fmt: skip


def _future(found: re.Match[str]) -> str | None:
    """In 2245, by the year 2525: behind words that say so, or as the pair of one that does."""
    front = before(found, 40)
    if _is_quantity(found) or (counts_something(found) and not front.endswith("In ")):
        return None
    if _FUTURE_RANGE.search(front):
        paired = re.match(r" (?:to|and|until|till) 2[1-9]\d\d(?!\w)", after(found))
        return year(int(found["year"])) if paired or not front.endswith(("from ", "between ", "From ")) else None
    return year(int(found["year"])) if _FUTURE.search(front) else None


_FAR: Final = re.compile(r"(?i)(?<!\w)years?(?: (?:is|was|of))? \Z|(?<!\w)(?-i:In) \Z")


def _far(found: re.Match[str]) -> str | None:
    """The year 3024; "In 3024, ..." at a sentence's beginning."""
    front = before(found, 16)
    told = _FAR.search(front) is not None and (not front.endswith("In ") or after(found)[:1] == ",")
    return year(int(found["year"])) if told else None


_HISTORY: Final = re.compile(r"(?i)\b(?:born|died|crowned|founded|built|fell|fall|began|fought|killed|defeated|"
                             r"baptized|baptised|"
                             r"conquered|sacked|signed|established|invaded|captured|ruled|king|emperor|pope|battle|"
                             r"empire|reign|reigned|century|saint|dynasty|throne|treaty|siege|roman|viking|monk|"
                             r"bishop|caliph|war|history|until|since)\b")  # fmt: skip
_OF_HISTORY: Final = re.compile(r"(?i)(?<!\w)(?:in|since|until|till|around|circa|after|before|by|from)[ ]\Z")


def _ancient(found: re.Match[str]) -> str | None:
    """The year 962; 476 among words of history: "seven fifty-one"."""
    front = before(found)
    if re.search(r"(?i)(?<!\w)(?:(?:the|in|of|since|by) year|(?:battle|siege|treaty|council|plague) of) \Z", front):
        return early_year(int(found["year"]))
    if not _OF_HISTORY.search(front) or counts_something(found) or re.match(r"[ ]?[%°€£$]", after(found)):
        return None
    if re.match(r" [a-z]", after(found)) and not re.match(
        r" (?:the|a|he|she|by|with|at|and|when|his|her|to|in|until|"
        r"but|after|before|under|from)\b",
        after(found),
    ):
        return None
    return early_year(int(found["year"])) if _HISTORY.search(f"{front} {after(found)}") else None


def _pair(found: re.Match[str]) -> str | None:
    first, last = found["first"], found["last"]
    if len(last) == 2 and not int(first[2:]) < int(last):
        return None
    if counts_something(found) and re.search(r"(?i)(?<!\w)(?:the|in|of|from) \Z", before(found, 8)) is None:
        return None
    return f"{year(int(first))} to {year(int(last)) if len(last) == 4 else _short(last)}"


def _season(found: re.Match[str]) -> str | None:
    """2023/24: the year after the first one, or no years at all."""
    first, last = int(found["first"]), found["last"]
    return f"{year(first)} to {_short(last)}" if (first + 1) % 100 == int(last) else None


def _short(last: str) -> str:
    return f"oh {cardinal(int(last))}" if last[0] == "0" and last != "00" else cardinal(int(last))


def _era(found: re.Match[str]) -> str:
    first, last = found["first"], found["last"]
    words = f"{_of_era(first)} to {_of_era(last)}" if last else _of_era(first)
    return words + (" " if found["era"] else "")


def _of_era(written: str) -> str:
    plain = written.replace(",", "")
    return early_year(int(plain)) if len(plain) < 5 else cardinal(int(plain))


_ANY_YEAR: Final = r"(?:\d{1,2},\d{3}|\d{1,6})"

ERAS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\w.,$/+-])(?P<first>{_ANY_YEAR})(?:(?:[ ]?[–—-][ ]?| to | until )(?P<last>{_ANY_YEAR}))?(?P<era>[ ]?)"
         rf"(?={_ERA})", _era),
    rule(r"(?<=\bAD )(?P<first>\d{1,4})(?:(?:[ ]?[–—-][ ]?| to )(?P<last>\d{1,4}))?(?P<era>)(?![\w]|[.,]\d)", _era),
    rule(r"(?<![\w.,$/-])(?P<first>1[0-9]\d\d|20\d\d)(?:[ ]?[–—][ ]?|-)(?P<last>1[0-9]\d\d|20\d\d|"
    r"\d\d)(?![\w/-]|[.,]\d)",
         _pair),
    rule(r"(?<![\w.,$/-])(?P<first>1[89]\d\d|20\d\d)/(?P<last>\d\d)(?![\w/-]|[.,]\d)", _season),
    rule(r"(?<=\bFY|\bQ[1-4])[ ]?['’](\d\d)(?![\w'\"]|[.,]\d)", lambda m: f" {_short(m[1])}"),
    rule(r"(?<!\w)'(\d\d)(?![\w'\"]|[.,]\d)", lambda m: ("oh " if m[1][0] == "0" else "") + cardinal(int(m[1]))),
)  # fmt: skip

YEARS: Final[tuple[Rule, ...]] = (
    rule(
        r"(?:(?<=\b[QH][1-4] )|(?<=\bH one )|(?<=\bH two ))(?P<year>20\d\d|19\d\d)(?![\w%°/-]|[.,]\d)",
        lambda m: year(int(m["year"])),
    ),
    rule(
        r"(?i)(?<!\w)(mid|pre|post|late|early)-(?P<year>1\d{3}|20\d\d)(?![\w%°/]|[.,]\d)",
        lambda m: f"{m[1]} {year(int(m['year']))}",
    ),
    rule(r"(?<=\bFY|\bCY)[ ]?(?P<year>20\d\d|19\d\d)(?![\w%°/-]|[.,]\d)", lambda m: f" {year(int(m['year']))}"),
    rule(r"(?<![\w.,$#/+-])(?<!minus )(?P<year>1[0-6]\d\d)(?![\w%°/-]|[.,]\d)", _old),
    rule(r"(?<![\w.,$#/+-])(?<!minus )(?P<year>1[7-9]\d\d|20\d\d)(?![\w%°/-]|[.,]\d)", _modern),
    rule(r"(?<![\w.,$#/+-])(?<!minus )(?P<year>2[1-9]\d\d)(?![\w%°/-]|[.,]\d)", _future),
    rule(r"(?<![\w.,$#/+-])(?<!minus )(?P<year>[1-9]\d\d)(?![\w%°/-]|[.,]\d)", _ancient),
    rule(r"(?<![\w.,$#/+-])(?<!minus )(?P<year>[3-9]\d\d\d)(?![\w%°/-]|[.,]\d)", _far),
)
