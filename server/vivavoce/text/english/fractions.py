"""Fractions, ratings and everything else that is written with a slash between two numbers."""

from __future__ import annotations

import math
import re
from typing import Final

from vivavoce.text.english.context import after, before, counts_something
from vivavoce.text.english.numerals import cardinal, number, ordinal, plural
from vivavoce.text.english.rule import Rule, keep_stop, rule
from vivavoce.text.english.units import UNIT, unit_name

VULGAR: Final = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
                 "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
                 "⅞": (7, 8), "⅐": (1, 7), "⅑": (1, 9), "⅒": (1, 10)}  # fmt: skip

_NAMES: Final = {"24/7": "twenty-four seven", "9/11": "nine eleven", "7/11": "seven eleven", "50/50": "fifty fifty",
                 "20/20": "twenty twenty", "1/1": "one one"}  # fmt: skip
_RATED: Final = re.compile(r"(?i)\b(?:rat(?:e|ed|es|ing|ings)|scor(?:e|ed|es|ing)|review(?:ed)?|grade[ds]?|"
    r"stars?|marks?|"
                           r"test|exam|quiz|got|gets?|gave|gives?|giving|verdict|worth|solid|perfect)\b")  # fmt: skip
_DATED: Final = re.compile(r"(?i)\b(?:due|expir\w+|exp|dates?d?|deadline|valid|through|thru|until|till|from|starts?|"
                           r"starting|ends?|ending|week|weekend|since|arriv\w+|depart\w+|check-?in|to|after|"
                           r"before)\W{1,3}(?:of )?\Z")  # fmt: skip
_COUNTED: Final = re.compile(r"(?i)\b(?:page|step|part|day|level|slide|question|chapter|episode|round|lesson|item|"
                             r"attempt|player|players|disc|track|file|batch|epoch|lap|wave|stage|quest|mission|heat|rep|reps|set|hp|mp|"
                             r"xp|sp|mana|health|stamina|energy|ammo|progress|kills|wins|"
                             r"lives)[: ]{1,2}\Z")  # fmt: skip
_BEAT: Final = re.compile(r"[ -](?:time|beat|meter|signature)\b")
_ARTICLE: Final = re.compile(r"(?i)(?<![\w'])(?:an?|the|each|every|another|one) \Z")


def fraction_words(above: int, below: int) -> str:
    """ "one half", "three quarters", "seven eighths"."""
    name = {2: "half", 4: "quarter"}.get(below) or ordinal(below)
    return f"{cardinal(above)} {name if above == 1 else plural(name)}"


def _mixed(whole: str, above: int, below: int) -> str:
    words = fraction_words(above, below)
    return f"{number(whole)} and {'a' + words[3:] if above == 1 else words}"


def _parts(found: re.Match[str]) -> tuple[str | None, int, int]:
    if sign := found["sign"]:
        return found["whole"], *VULGAR[sign]
    return found["whole"], int(found["above"]), int(found["below"])


_ALONE: Final = re.compile(r"[ ]?(?:by\b|x\b|×|[.,;)]|\Z)")  # behind inches that describe nothing


def measure(found: re.Match[str]) -> str | None:
    """A fraction in front of a unit: "one and three quarters teaspoons", "a quarter inch"."""
    whole, above, below = _parts(found)
    if not below or above >= below:
        return None
    unit = found["unit"] if found["unit"] != '"' else "in"
    single = not whole or (found["unit"] == '"' and not _ALONE.match(after(found)))
    name = ("inch" if single else "inches") if unit == "in" else unit_name(unit, single=single)
    if whole:
        return keep_stop(f"{_mixed(whole, above, below)} {name}", found)
    words = fraction_words(above, below)
    if above == 1 and _ARTICLE.search(before(found)):
        words = words.removeprefix("one ")
    return keep_stop(f"{words} {name}", found)


def _fraction(found: re.Match[str]) -> str | None:
    whole, above, below = found["whole"], int(found["above"]), int(found["below"])
    if (name := _NAMES.get(found[0])) is not None:
        return name
    front = before(found, 60)
    if whole and 0 < above < below <= 100:
        return _mixed(whole, above, below)
    lead = f"{number(whole)} " if whole else ""
    pair = f"{lead}{cardinal(above)} {cardinal(below)}"
    if _BEAT.match(after(found)):
        return pair
    alone = front.endswith("(") and found.string[found.end() : found.end() + 1] == ")"  # (3/10)
    if _COUNTED.search(front) or (alone and above <= below <= 100):
        return f"{lead}{cardinal(above)} of {cardinal(below)}"
    is_date = 1 <= above <= 12 and 1 <= below <= 31
    if is_date and _DATED.search(front):
        return pair
    is_rating = (
        above == below
        or _RATED.search(front) is not None
        or (below == 10 and (counts_something(found) or after(found).startswith(" would")))
    )
    if below in (5, 10, 20, 50, 100) and above <= below and is_rating:
        return f"{lead}{cardinal(above)} out of {cardinal(below)}"
    if above == below or (above > below and above + below == 100):
        return pair
    if above > below or not 2 <= below <= 100:
        return f"{lead}{cardinal(above)} over {cardinal(below)}"
    if is_date and above > 1 and below > 12 and below != 16:
        return pair
    if math.gcd(above, below) > 1 and below > 10 and below != 100:
        return pair
    return lead + fraction_words(above, below)


def _vulgar(found: re.Match[str]) -> str:
    above, below = VULGAR[found["sign"]]
    words = _mixed(found["whole"], above, below) if found["whole"] else fraction_words(above, below)
    return f" {words}{' ' if found.string[found.end() : found.end() + 1].isalpha() else ''}"


_AMOUNT: Final = (r"(?:(?P<whole>\d{1,3})[ -]?(?:(?<=[ -])(?=\d)|(?=[½-⅞⅐-⅞¼-¾])))?"
                  r"(?:(?P<above>\d{1,3})[/](?P<below>\d{1,3})|(?P<sign>[" + "".join(VULGAR) + "]))")  # fmt: skip

BEFORE_UNITS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\w.,/]){_AMOUNT}(?:[ -]?(?P<unit>{UNIT}|\"|in(?=\.|[ ](?:wide|long|thick|tall|deep)))\.?)(?![\w/'])",
         measure),
)  # fmt: skip

FRACTIONS: Final[tuple[Rule, ...]] = (
    rule(
        r"(?<![\w.,/])(\d{1,3}(?:,\d{3})+)/(\d{1,3}(?:,\d{3})+)(?![\w/]|[.,]\d)",
        lambda m: f"{number(m[1])} of {number(m[2])}",
    ),
    rule(r"(?<![\w./])24/7/365(?![\w/])", "twenty-four seven three sixty-five"),
    rule(
        r"(?<![\w.,/])(\d{1,3})/(\d{1,7})(?:ths?|rds?|nds?)(?!\w)",
        lambda m: fraction_words(int(m[1]), int(m[2])) if int(m[2]) > 1 else None,
    ),
    rule(
        r"(?<![\w.,/])(\d{1,2}\.\d)/(5|10|100)(?![\w/]|[.,]\d)",
        lambda m: f"{number(m[1])} out of {cardinal(int(m[2]))}",
    ),
    rule(r"(?<![\w.,/^])(?:(?P<whole>\d{1,3})[ -])?(?P<above>\d{1,3})/(?P<below>\d{1,3})(?![\w/]|[.,]\d)", _fraction),
    rule(rf"(?:(?<![\d.,])(?P<whole>\d{{1,6}})[ ]?)?(?P<sign>[{''.join(VULGAR)}])", _vulgar),
)
