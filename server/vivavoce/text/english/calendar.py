"""Dates and decades."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import MONTHS
from vivavoce.text.english.context import before, counts_something
from vivavoce.text.english.numerals import cardinal, ordinal, plural, year
from vivavoce.text.english.ranges import MONTH, weekday
from vivavoce.text.english.rule import Rule, keep_stop, rule

_MONTH: Final = rf"(?P<month>{MONTH})(?:(?<=Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\.|(?<=Sept)\.)?"
_DAY: Final = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\w:%]|[.,]\d)"
_YEAR: Final = r"(?P<year>[12]\d{3})(?!\d|[.,]\d)"
_WEEKDAY: Final = r"(?P<day>Mon|Tues?|Weds?|Thu(?:rs?)?|Fri|Sat|Sun)"
# In front of 25.12.24, which may be a version too.
_RELEASE: Final = re.compile(
    r"(?i)(?<!\w)(?:versions?|v|ver|release|ubuntu|build|firmware|kernel|update|patch|section|§)[.: ]*\Z"
)
_DATED: Final = re.compile(r"(?i)(?<!\w)(?:on|by|since|until|till|from|to|of|dated?|born|due|before|after)[:]? \Z")


def _month_day(found: re.Match[str]) -> str | None:
    parts = found.groupdict()
    day = int(parts["day"])
    if not 1 <= day <= 31:
        return None
    words = f"{_month_name(parts['month'])} {ordinal(day)}"
    if parts.get("last"):
        words += f" to {ordinal(int(parts['last']))}"
    return words + (f", {year(int(parts['year']))}" if parts.get("year") else "")


def _day_month(found: re.Match[str]) -> str | None:
    parts = found.groupdict()
    day = int(parts["day"])
    if not 1 <= day <= 31:
        return None
    words = ordinal(day)
    if parts.get("last"):
        words += f" to {ordinal(int(parts['last']))}"
    if parts.get("short"):
        parts["year"] = f"20{parts['short']}" if int(parts["short"]) < 70 else f"19{parts['short']}"
    article = "" if re.search(r"\bthe $", before(found, 5)) else "the "
    words = f"{article}{words} of {_month_name(parts['month'])}"
    return keep_stop(words + (f", {year(int(parts['year']))}" if parts.get("year") else ""), found)


def _month_year(found: re.Match[str]) -> str:
    return f"{_month_name(found['month'])} {year(int(found['year']))}"


def _month_name(written: str) -> str:
    return next(name for name in MONTHS if name.startswith(written[:3]))


def _numeric(found: re.Match[str]) -> str | None:
    """2024-05-17, 5/17/2024 (month first, as in the United States, unless that cannot be), 17.05.2024."""
    parts = found.groupdict()
    month, day = int(parts["a"]), int(parts["b"])
    if month > 12 or parts.get("dot"):
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    words = f"{MONTHS[month - 1]} {ordinal(day)}"
    if not parts.get("year"):
        return words
    value = int(parts["year"])
    if len(parts["year"]) == 2:
        value += 2000 if value < 70 else 1900
    return f"{words}, {year(value)}"


def _short_dotted(found: re.Match[str]) -> str | None:
    """25.12.24, where a word says that it is a date."""
    return _numeric(found) if _DATED.search(before(found, 12)) else None


def _iso_week(found: re.Match[str]) -> str:
    return f"{year(int(found[1]))} week {cardinal(int(found[2]))}"


def _iso_month(found: re.Match[str]) -> str | None:
    """2024-02 is a month; 2010-11 may be a season, and then it is left to the ranges of years."""
    first, second = int(found["year"]), int(found["month"])
    if second == (first + 1) % 100:
        return None
    return f"{MONTHS[second - 1]} {year(first)}"


def _decade(found: re.Match[str]) -> str:
    written = found["decade"]
    return plural(cardinal(int(written)) if len(written) == 2 else year(int(written)))


DATES: Final[tuple[Rule, ...]] = (
    rule(rf"(?<!\w){_WEEKDAY}\.?(?=,? (?:{MONTH}\.? \d|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{MONTH}(?!\w)))", weekday),
    rule(r"(?<![\w./-])([12]\d{3})-?W(0[1-9]|[1-4]\d|5[0-3])(?![\w/-])", _iso_week),
    rule(r"(?<![\w./-])(?P<year>(?:19|20)\d\d)\.(?P<a>0?[1-9]|1[0-2])\.(?P<b>[0-3]?\d)(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>[0-3]\d)(?P<dot>\.)(?P<b>0[1-9]|1[0-2])\.(?P<year>\d\d)(?![\w/-]|\.\d)", _short_dotted),
    rule(rf"(?<![\w./-])(?P<day>[0-3]?\d)([/-])(?P<month>{MONTH})\2(?P<year>[12]\d{{3}})(?![\w/-])", _day_month),
    rule(rf"(?<![\w./-])(?P<day>[0-3]?\d)-(?P<month>{MONTH})-(?P<short>\d\d)(?![\w/-]|[.,]\d)", _day_month),
    rule(r"(?<![\w.,/$#+-])(?P<year>(?:19|20)\d\d)(?P<a>0[1-9]|1[0-2])(?P<b>0[1-9]|[12]\d|3[01])"
         r"(?![\w%/-]|[.,]\d)", lambda m: None if counts_something(m) else _numeric(m)),
    rule(r"(?<![\w./-])(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)(?![\w/-]|[.,]\d)",
         lambda m: f"{MONTHS[int(m['month']) - 1]} {year(int(m['year']))}"),
    rule(rf"(?<=from )(?P<first>[0-3]?\d)(?:st|nd|rd|th)? to (?=[0-3]?\d(?:st|nd|rd|th)? (?:of )?{MONTH}(?!\w))",
         lambda m: f"the {ordinal(int(m['first']))} to "),
    rule(r"(?<![\w./-])(?P<year>[12]\d{3})([-/])(?P<a>0?[1-9]|1[0-2])\2(?P<b>[0-3]?\d)(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>[0-3]?\d)([/-])(?P<b>[0-3]?\d)\2(?P<year>[12]\d{3}|\d\d)(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>[0-3]?\d)(?P<dot>\.)(?P<b>[01]?\d)\.(?P<year>[12]\d{3})(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>0[1-9]|[12]\d|3[01])(?P<dot>\.)(?P<b>0[1-9]|1[0-2])\.(?P<year>\d\d)(?![\w/-]|\.\d)",
         lambda m: None if _RELEASE.search(before(m)) or not (m["a"][0] == "0" or int(m["a"]) > 12) else _numeric(m)),
    rule(r"(?<![\w./-])(?P<year>1[6-9]\d\d|20\d\d)-(?P<month>0[1-9]|1[0-2])(?![\w/-]|[.,]\d)", _iso_month),
    rule(r"(?:(?<=day )|(?<=day, ))(?P<a>1[0-2]|0?[1-9])/(?P<b>[0-3]?\d)(?![\w/-]|[.,]\d)", _numeric),
    rule(r"(?i)(?<=\bon |\bby )(?P<a>1[0-2]|0?[1-9])/(?P<b>[0-3]?\d)(?![\w/-]|[.,]\d)", _numeric),
    rule(rf"(?<!\w){_MONTH} (?P<day>[0-3]?\d)(?:st|nd|rd|th)?[ ]?(?:[–-]| to )[ ]?(?P<last>[0-3]?\d)(?:st|nd|rd|th)?"
         rf"(?![\w:-])(?:,? {_YEAR})?", _month_day),
    rule(rf"(?<!\w){_MONTH} {_DAY}(?:,? {_YEAR})?", _month_day),
    rule(rf"(?<![\w.,/:$-])(?P<day>[0-3]?\d)(?:st|nd|rd|th)?[ ]?[–-][ ]?(?P<last>[0-3]?\d)(?:st|nd|rd|th)?(?: of)? "
         rf"{_MONTH}(?!\w)(?:,? {_YEAR})?", _day_month),
    rule(rf"(?<![\w.,/:$-]){_DAY}(?: of)? {_MONTH}(?!\w)(?:,? {_YEAR})?", _day_month),
    rule(rf"(?<!\w){_MONTH},? (?P<year>[12]\d{{3}})(?![\w%/-]|[.,]\d)", _month_year),
    rule(r"(?<![\w.,$+])['’]?(?P<decade>(?:1\d|20)\d0|[1-9]0)['’]?s(?!\w)", _decade),
)  # fmt: skip
