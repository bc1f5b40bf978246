"""What stands around a number: the words that tell a quantity from a year, and a measure from an adjective.

Looks at a bounded window on either side of a match, so that a rule that asks stays linear. Knows no numbers; asked by
the rules of years, units and money.
"""

# ruff: noqa: SIM905  # words in one string read better than a column of quoted ones
from __future__ import annotations

import re
from typing import Final

WINDOW: Final = 48  # characters on either side; no rule looks further

# Words behind a measure that are no noun it could belong to.
_NO_NOUN: Final = frozenset(
    "to of in on at by for from with without that which who whose than as and or but nor so if when while where is "
    "are was were be been has have had do does did can could will would should may might must i he she it we you "
    "they me him us them this these those there the a an my your his her its our their not more less fewer above "
    "below away ago apart each per every total today yesterday tomorrow tonight now then later earlier before after "
    "since until under over during across along around between into onto off up down out back here north south east "
    "west via plus minus times equals only just even also too again once twice about approximately because though "
    "although yet still already long tall wide deep high thick old daily weekly monthly yearly always sometimes "
    "outside inside indoors outdoors upstairs downstairs perhaps".split()
)
# Verbs that end like a plural.
_VERBS: Final = frozenset(
    "was is has does sees says marks brings begins starts ends comes goes makes shows gives wins looks feels seems "
    "becomes remains sets gets takes turns needs wants means costs opens closes runs falls rises marks keeps leaves "
    "stays helps works moves lasts equals contains includes gains loses offers plays ships hits lies sits stands "
    "onwards forwards backwards afterwards upwards downwards this its his hers us as thus plus always perhaps "
    "yes less across towards besides sometimes".split()
)
_IRREGULAR: Final = frozenset(
    "people men women children feet teeth mice geese sheep deer fish police cattle units dollars cents pence".split()
)
# Words that a number of them is never the name of a year for.
_COUNTED: Final = frozenset(
    "seconds minutes days weeks steps words pages pieces parts places cases ways miles meters metres feet inches "
    "kilometers kilometres kilograms grams pounds liters litres calories points people times volts watts degrees "
    "characters tokens bytes lines rows".split()
)
_ADJECTIVES: Final = frozenset("long tall wide deep high thick old".split())

# What a measure in front of it describes, though no article tells: "3.5mm jack", "$99/month plan".
_DESCRIBED: Final = frozenset(
    "jack jacks plug socket cable connector port screen monitor display lens film drill bolt pipe hose tube "
    "wrench battery "
    "charger adapter outlet bulb motor engine memory storage bag bottle jar run race hike salary salaries plan plans "
    "subscription membership fee fees fine fines budget deposit bonus loan coupon voucher discount deal prize ticket "
    "bill bills tier package invoice donation resistor capacitor supply fiber fibre hike increase decrease interval "
    "intervals radius diameter circumference gap margin delay timeout window buffer warranty guarantee "
    "bandwidth connection license licence pistol rifle handgun walk drive ride workout commute relay tent "
    "pizza chip rug coax".split()
)

# Between a number and what it counts: "1850 new people".
_COUNTED_SUCH: Final = re.compile(r"[ ](?:new|more|extra|additional|other|different|active|registered|unique|"
                                  r"total|full|free|"
                                  r"paid|paying|daily|monthly|American|local|small|young|metric|square)[ ]"
                                  r"([a-z]+)(?![\w'])")  # fmt: skip
_MAGNITUDE: Final = re.compile(r"[ ](?:million|billion|trillion|thousand|hundred|percent|dozen)\b")

_NEXT: Final = re.compile(r"[ ]([A-Za-z][A-Za-z]*)(?![\w'])")
_DETERMINER: Final = re.compile(
    r"(?i)(?:(?<![\w'])(?:an?|one)(?:[ ][a-z]{2,14})?(?:[ ]{1,2}[a-z\d.,-]{1,16} (?:by|to|and)){0,3}|"
    r"(?<![\w'])(?:the|this|that|each|every|another|any|my|your|his|"
    r"her|its|our|their|no|per))[ ]{1,3}(?:minus )?\Z"
)


def before(found: re.Match[str], length: int = WINDOW) -> str:
    """The text in front of the match."""
    return found.string[max(0, found.start() - length) : found.start()]


def after(found: re.Match[str], length: int = WINDOW) -> str:
    """The text behind the match."""
    return found.string[found.end() : found.end() + length]


def next_word(found: re.Match[str]) -> str:
    """The word behind the match, in lower case; "" where something else follows."""
    word = _NEXT.match(after(found))
    return word[1].lower() if word else ""


def is_plural(word: str) -> bool:
    """True for a noun of which there are several."""
    if word in _IRREGULAR:
        return True
    return len(word) > 3 and word.endswith("s") and word[-2] not in "sui" and word not in _VERBS


def is_noun(word: str) -> bool:
    """True for a word that may be what a number or measure in front of it belongs to."""
    return bool(word) and word not in _NO_NOUN and word not in _VERBS


def counts_something(found: re.Match[str]) -> bool:
    """True where the number is followed by what it counts: "1999 dollars", "2012 small birds" is not seen."""
    rest = after(found)
    word = _COUNTED_SUCH.match(rest) or _NEXT.match(rest)
    return word is not None and word[1].islower() and is_plural(word[1])


def counts_surely(found: re.Match[str]) -> bool:
    """True where what follows is counted even behind "in": "in 2000 steps"."""
    return next_word(found) in _COUNTED or _MAGNITUDE.match(after(found)) is not None


def is_adjective(found: re.Match[str]) -> bool:
    """True where the measure describes the noun behind it: "a 2TB drive", "45 kg weights", not "5 km to town"."""
    return describes(found, next_word(found)) or is_plural(next_word(found))


def describes(found: re.Match[str], word: str) -> bool:
    """True where the measure describes this word, which may stand further behind."""
    determined = _DETERMINER.search(before(found)) is not None
    if determined and word in _ADJECTIVES:
        return True
    return bool(word) and word not in _NO_NOUN and (determined or word in _DESCRIBED)
