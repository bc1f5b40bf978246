"""A dash between two of a kind is "to": times, days, months, prices, measures, ordinals.

Looks at what stands on either side of each dash, in a bounded window. Bare numbers next to each other are left to the
rules of measures and years.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import MONTHS
from vivavoce.text.english.money import SIGNS
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.english.units import UNIT

DAYS: Final = {"mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "weds": "Wednesday",
               "thu": "Thursday", "thur": "Thursday", "thurs": "Thursday", "fri": "Friday", "sat": "Saturday",
               "sun": "Sunday"}  # fmt: skip
_DAY: Final = r"(?:Mon|Tues?|Wed(?:s|nes)?|Thu(?:rs?)?|Fri|Satur|Sat|Sun)(?:day)?"
MONTH: Final = (r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
                r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)")  # fmt: skip
_SHORT_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
_HALF: Final = r"[ ]?[AaPp]\.?[Mm]\b\.?"
_AMOUNT: Final = r"\d[\d.,]*"
_MANY: Final = r"[ ]?(?:[kKmMbBtT]|bn|mn|tn|thousand|million|billion|trillion)?"
_WINDOW: Final = 28

# (what stands before the dash, what stands behind it, may spaces stand around it)
_KINDS: Final[tuple[tuple[re.Pattern[str], re.Pattern[str], bool], ...]] = tuple(
    (re.compile(rf"(?:{left})\Z"), re.compile(right), spaced)
    for left, right, spaced in [
        (rf"\d{_HALF}", rf"\d{{1,2}}(?:[:.]\d\d)?(?:{_HALF}|\b)|noon\b|midnight\b|close\b|late\b", True),
        (r"(?:\bnoon|\bmidnight)", r"\d{1,2}(?:[:.]\d\d)?[ ]?[AaPp]\.?[Mm]", True),
        (r"\d{1,2}:\d\d", r"\d{1,2}:\d\d", True),
        (rf"\b{_DAY}\.?", rf"{_DAY}\b", True),
        (rf"\b{MONTH}\.?", rf"{MONTH}\b", True),
        (rf"\b{MONTH}\.?[ ]\d{{1,2}}(?:st|nd|rd|th)?(?:, \d{{4}})?", rf"{MONTH}\b", True),
        (rf"\b{MONTH}\.?[ ]\d{{4}}", rf"{MONTH}\b", True),
        (r"(?<!\w)'\d\d", r"'\d\d(?!\w)", True),
        (r"\bv\d[\d.]*", r"v\d", True),
        (r"\d[\"″]", r"\d{1,3}[\"″'′]", True),
        (r"\d['′]", r"\d{1,3}['′](?!['′])", True),
        (r"\d(?:st|nd|rd|th)", r"\d{1,4}(?:st|nd|rd|th)\b", True),
        (rf"{SIGNS}[ ]?{_AMOUNT}{_MANY}", rf"-?{SIGNS}[ ]?\d", True),
        (rf"{SIGNS}[ ]?{_AMOUNT}[kKmMbBtT]", r"\d[\d.,]*[kKmMbBtT]\b", True),
        (rf"\d[ ]?{SIGNS}", rf"{_AMOUNT}[ ]?{SIGNS}", True),
        (rf"\d[ ]?(?:{UNIT}|°[CFK]?)", rf"-?{_AMOUNT}[ ]?(?:{UNIT}|°[CFK]?)(?!\w)", True),
        (r"\d°?", rf"{_AMOUNT}[ ]?°", False),
        (rf"(?<![\w.]){_AMOUNT}[kKMB]", rf"{_AMOUNT}[kKMB]\b", True),
        (r"(?<!\d)\d{4}", r"(?:present|now|today)\b", True),
        (r"['’]?\d0s", r"['’]?(?:\d\d)?\d0s\b", True),
        (r"(?<![\w/])\d{1,2}/\d{1,2}", r"\d{1,2}/\d{1,2}(?![\w/])", True),
        (r"\b(?:BCE?|AD|CE)", r"(?:AD|BC|\d)", True),
        (r"\b[A-Z]\d{1,3}", r"[A-Z]\d{1,3}\b", False),
        (r"(?<![\w-])A", r"Z\b", False),
        (r"(?<![\w-])a", r"z\b", False),
        (r"(?<![\w–-])[A-Z]", r"[A-Z](?![\w–-])", False),
        (r"\b[IVX]{1,5}", r"[IVX]{1,5}\b", False),
        (r"(?<![\d.,])\d{1,6}", r"\d{1,6}(?![\d.,]*\d)", False),
    ]
)
_LETTERS: Final = len(_KINDS) - 3  # two capitals: only with an en dash, a hyphen joins them
_BARE: Final = len(_KINDS) - 1  # two bare numbers: only with an en dash that has spaces around it


def _between(found: re.Match[str]) -> str | None:
    """ " to " where the text on both sides is of one kind."""
    text, dash = found.string, found[0]
    left, right = text[max(0, found.start() - _WINDOW) : found.start()], text[found.end() : found.end() + _WINDOW]
    spaced = len(dash) > 1
    for index, (before, behind, may_be_spaced) in enumerate(_KINDS):
        if index == _BARE and dash != " – ":
            continue
        if index == _LETTERS and dash != "–":
            continue
        if spaced and not may_be_spaced and index != _BARE:
            continue
        if behind.match(right) and before.search(left):
            return " to "
    return None


def _halves(found: re.Match[str]) -> str | None:
    """50-50, 60-40: shares of a hundred, and 24-7."""
    if found[1] is None:
        return "twenty-four seven"
    return f"{found[1]} {found[2]}" if int(found[1]) + int(found[2]) == 100 else None


def _months(found: re.Match[str]) -> str:
    written = found["month"] or found["month2"]
    return next(name for name in MONTHS if name.startswith(written[:3]))


def weekday(found: re.Match[str]) -> str:
    """The whole name of the short one in the group "day"."""
    return DAYS.get(found["day"].lower(), found["day"])


RANGES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\bx86)-(?=64(?!\d))", " "),
    rule(
        r"(?<![\w.,/-])(?:24-7|([1-9]\d)-([1-9]\d))(?![\w/%-]|[.,]\d)(?=[ ](?:split|chance|odds|ratio|partnership|mix|"
        r"access|support|shot|deal)\b|[.,;!?]?\Z)",
        _halves,
    ),
    rule(r"(?<![\w.,/-])(\d{1,4})-(for|of|by|in|on|out of)-(\d{1,4})(?![\w/-]|[.,]\d)", r"\1 \2 \3"),
    rule(r"(?<=[A-Za-z]-)(\d{1,4}(?:\.\d{1,3})?)-(?=\d)", r"\1 "),  # Llama-3.1-8B is a name
    rule(r"(?<=[A-Za-z]\d)-(?=\d{3,5}[A-Z]?(?!\w))", " "),
    rule(r"(?<=\d)(?:~|\.\.)(?=\d)", " to "),
    rule(r"(?<=\d)[ ]?[–-][ ]?(?=#\d)", " to "),
    rule(r"(?<=[\w%°.€£¥₩₽₺₫″′\"'])[ ]?[–—-][ ]?(?=[\w'’.$€£¥₹₩₦-])", _between),
    rule(rf"(?<!\w)(?P<month>{_SHORT_MONTH})\.?(?= to {MONTH}\b)|(?<= to )(?P<month2>{_SHORT_MONTH})(?!\w)", _months),
    rule(rf"(?<!\w)(?P<day>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun)\.?(?=,? (?:and |& )?{_DAY}(?!\w))", weekday),
    rule(r"(?<!\w)(?P<day>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun)\.?(?= to (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun))", weekday),
    rule(r"(?<= to )(?P<day>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun)(?:\.(?=[ ][a-z\d])|(?![\w]))", weekday),
    rule(
        r"(?<!\w)(?P<day>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|"
        r"Sun)\.?(?=[ ]\d{1,2}(?::\d\d)?(?:[ ]?[-–][ ]?\d{1,2}(?::\d\d)?)?[ ]?[ap]\.?m|"
        r",?[ ]\d{1,2}/\d{1,2}(?!\w)|,?[ ]\d{1,2}(?::\d\d)?[ ]?[-–][ ]?\d{1,2}(?::\d\d)?(?![\w.]\w|\w))",
        weekday,
    ),
    rule(r"(?<!\w)(?P<day>Mon|Wed|Fri|Sat|Sun)\.(?=[ ][a-z\d])", weekday),
    rule(r"(?<=[A-Za-z])–(?=[A-Z][a-z])", "-"),  # London–Paris makes no pause
)
