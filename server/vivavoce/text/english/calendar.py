"""Times of day, dates, years and decades."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import MONTHS
from vivavoce.text.english.numerals import cardinal, ordinal, plural, year
from vivavoce.text.english.rule import Rule, rule

_MONTH: Final = (r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
                 r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?")  # fmt: skip
_HALF: Final = r"(?P<half>[AaPp])(?:\.[ ]?[Mm]\.|[Mm](?![\w]))"
_DAY: Final = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\w:%]|[.,]\d)"
_YEAR: Final = r"(?P<year>[12]\d{3})(?!\d|[.,]\d)"


def _clock(found: re.Match[str]) -> str:
    parts = found.groupdict()
    hour, minute, second = int(parts["hour"]), parts.get("minute"), parts.get("second")
    half = f" {parts['half'].upper()}.M." if parts.get("half") else ""
    if minute is None or (minute == "00" and half):
        words = cardinal(hour)
    elif minute == "00":
        words = f"{cardinal(hour)} o'clock" if 0 < hour <= 12 else f"{cardinal(hour)} hundred"
    else:
        words = f"{cardinal(hour)} {'oh ' if minute[0] == '0' else ''}{cardinal(int(minute))}"
    if second is not None:
        words += f" and {cardinal(int(second))} seconds"
    return words + half


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
    article = "" if re.search(r"\bthe $", found.string[max(0, found.start() - 5) : found.start()]) else "the "
    words = f"{article}{ordinal(day)} of {_month_name(parts['month'])}"
    return words + (f", {year(int(parts['year']))}" if parts.get("year") else "")


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


def _decade(found: re.Match[str]) -> str:
    written = found["decade"]
    if len(written) == 2:
        return plural(cardinal(int(written)))
    return plural(year(int(written)))


def _years(found: re.Match[str]) -> str:
    first, last = found["first"], found["last"]
    return f"{year(int(first))} to {year(int(last)) if len(last) == 4 else cardinal(int(last))}"


TIMES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d)T(?=\d\d:\d\d)", ", "),
    rule(r"(?<=\d)[ ]?[–—-][ ]?(?=\d{1,2}:\d\d)", " to "),
    rule(rf"(?<![\w.,:$])(\d{{1,2}}(?::\d\d)?)[ ]?[–—-][ ]?(?=\d{{1,2}}(?::\d\d)?[ ]?{_HALF})",
         lambda m: f"{m[1]} to "),
    rule(rf"(?<![\w:.,$])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
         rf"(?:[ ]?{_HALF})?", _clock),
    rule(rf"(?<![\w:.,$])(?P<hour>1[0-2]|0?[1-9])[ ]?{_HALF}", _clock),
    rule(r"(?<![\d:.,])(\d{1,4}):(\d{1,4})(?![\d:]|[.,]\d)", lambda m: f"{m[1]} to {m[2]}"),
)  # fmt: skip

DATES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w./-])(?P<year>[12]\d{3})([-/])(?P<a>0?[1-9]|1[0-2])\2(?P<b>[0-3]?\d)(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>[0-3]?\d)([/-])(?P<b>[0-3]?\d)\2(?P<year>[12]\d{3}|\d\d)(?![\w/-]|\.\d)", _numeric),
    rule(r"(?<![\w./-])(?P<a>[0-3]?\d)(?P<dot>\.)(?P<b>[01]?\d)\.(?P<year>[12]\d{3})(?![\w/-]|\.\d)", _numeric),
    rule(r"(?i)(?<=\bon |\bby )(?P<a>1[0-2]|0?[1-9])/(?P<b>[0-3]?\d)(?![\w/-]|[.,]\d)", _numeric),
    rule(rf"(?<!\w){_MONTH} (?P<day>[0-3]?\d)[–-](?P<last>[0-3]?\d)(?![\w-])(?:,? {_YEAR})?", _month_day),
    rule(rf"(?<!\w){_MONTH} {_DAY}(?:,? {_YEAR})?", _month_day),
    rule(rf"(?<![\w.,/:$-]){_DAY}(?: of)? {_MONTH}(?!\w)(?:,? {_YEAR})?", _day_month),
    rule(r"(?<![\w.,$/-])(?P<first>1[1-9]\d\d|20\d\d)[ ]?[–—-][ ]?(?P<last>1[1-9]\d\d|20\d\d|\d\d)(?![\w/-]|[.,]\d)",
         _years),
    rule(r"(?<![\w.,$])['’]?(?P<decade>(?:1\d|20)\d0|[2-9]0)['’]?s(?!\w)", _decade),
    rule(r"(?<!\w)'(\d\d)(?![\w'])", lambda m: ("oh " if m[1][0] == "0" else "") + cardinal(int(m[1]))),
    rule(r"(?i)(?<=\bin |\bof |\bby )(?P<year>1[0-6]\d\d)(?![\w%]|[.,]\d)", lambda m: year(int(m["year"]))),
    rule(r"(?i)(?<=\bsince |\buntil )(?P<year>1[0-6]\d\d)(?![\w%]|[.,]\d)", lambda m: year(int(m["year"]))),
    rule(r"(?<![\w.,$#/+-])(?P<year>1[7-9]\d\d|20\d\d)(?![\w%°/-]|[.,]\d)", lambda m: year(int(m["year"]))),
)  # fmt: skip
