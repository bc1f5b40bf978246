"""Times of day and moments written for machines."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import cardinal, digits, number
from vivavoce.text.english.rule import Rule, rule

_HALF: Final = r"(?P<half>[AaPp])(?:\.[ ]?[Mm]\.|\.?[Mm](?![\w]))"


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
    if second is not None and second != "00":
        words += f" and {cardinal(int(second))} second{'' if second == '01' else 's'}"
    return words + half


def _zone(found: re.Match[str]) -> str:
    minutes = f" {cardinal(int(found[3]))}" if found[3] and int(found[3]) else ""
    return f" {'plus' if found[1] == '+' else 'minus'} {cardinal(int(found[2]))}{minutes}"


def _moment(found: re.Match[str]) -> str:
    """08:30:00Z of a timestamp: seconds only where there are some, their fraction never."""
    hour, minute, second = int(found["hour"]), found["minute"], found["second"]
    if minute == "00":
        words = f"{cardinal(hour)} o'clock" if 0 < hour <= 12 else f"{cardinal(hour)} hundred"
    else:
        words = f"{cardinal(hour)} {'oh ' if minute[0] == '0' else ''}{cardinal(int(minute))}"
    if second and int(second):
        words += f" and {cardinal(int(second))} second{'' if int(second) == 1 else 's'}"
    zone = found["zone"] or ""
    if zone:
        words += " U.T.C."[: -1 if found.string[found.end() : found.end() + 1] == "." else None]
    if zone[:1] in ("+", "-") and (int(zone[1:3]) or int(zone[-2:])):
        words += f" {'plus' if zone[0] == '+' else 'minus'} {cardinal(int(zone[1:3]))}"
        words += f" {cardinal(int(zone[-2:]))}" if int(zone[-2:]) else ""
    return f", {words}" if found["joint"] else words


_SPANS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def _duration(found: re.Match[str]) -> str | None:
    """2h 30m, 1d4h: what falls from days to seconds is a length of time, whatever "m" means elsewhere."""
    parts = re.findall(r"(\d{1,4})([dhms])", found[0])
    order = ["dhms".index(sign) for _, sign in parts]
    if order != sorted(set(order)):
        return None
    return " ".join(f"{cardinal(int(n))} {_SPANS[sign]}{'' if n == '1' else 's'}" for n, sign in parts)


_ISO_SPANS: Final = ("year", "month", "week", "day", "hour", "minute", "second")


def _iso_duration(found: re.Match[str]) -> str | None:
    """PT1H30M, P3DT4H: lengths of time as machines write them."""
    parts = [(found[f"n{at}"], name) for at, name in enumerate(_ISO_SPANS) if found[f"n{at}"]]
    if not parts:
        return None
    return " ".join(f"{number(n)} {name}{'' if n == '1' else 's'}" for n, name in parts)


def _lap(found: re.Match[str]) -> str:
    """1:23.45: minutes, seconds and their hundredths."""
    seconds = f"{'oh ' if found[2][0] == '0' else ''}{cardinal(int(found[2]))}"
    return f"{cardinal(int(found[1]))} {seconds} point {digits(found[3])}"


def _countdown(found: re.Match[str]) -> str:
    """T-10 minutes, T+30s."""
    unit = found[3] if len(found[3]) > 1 else f" {_SPANS[found[3]]}{'' if found[2] == '1' else 's'}"
    return f"T {'plus' if found[1] == '+' else 'minus'} {cardinal(int(found[2]))}{unit}"


def _military(found: re.Match[str]) -> str:
    words = _of_the_day(found[1], found[2])
    return f"{words} hours" if found[0].endswith("rs") else words


def _of_the_day(hour: str, minute: str) -> str:
    """0830, 1700 as soldiers say them."""
    first = f"{'oh ' if hour[0] == '0' and hour != '00' else ''}{cardinal(int(hour))}"
    return f"{first} {'hundred' if minute == '00' else ('oh ' if minute[0] == '0' else '') + cardinal(int(minute))}"


def _military_range(found: re.Match[str]) -> str:
    times = [part for part in found.groups() if part]
    return " to ".join(_of_the_day(times[at], times[at + 1]) for at in (0, 2))


def _minutes(found: re.Match[str]) -> str | None:
    """10'30": minutes and seconds where no foot has so many inches."""
    if int(found[2]) < 12:
        return None
    return f"{cardinal(int(found[1]))} minutes {cardinal(int(found[2]))} seconds"


# before a formula is seen in P1Y
DURATIONS: Final[tuple[Rule, ...]] = (
    rule(
        r"(?<![\w.-])((?:19|20)\d\d)(0[1-9]|1[0-2])([0-3]\d)T([01]\d|2[0-4])([0-5]\d)([0-5]\d)?(Z?)(?!\w)",
        lambda m: f"{m[1]}-{m[2]}-{m[3]}T{m[4]}:{m[5]}:{m[6] or '00'}{m[7]}",
    ),
    rule(
        r"(?<![\w.-])P(?=\d{1,5}[YMWD]|T\d)(?:(?P<n0>\d{1,5})Y)?(?:(?P<n1>\d{1,5})M)?(?:(?P<n2>\d{1,5})W)?(?:(?P<n3>\d{1,5})D)?"
        r"(?:T(?=\d)(?:(?P<n4>\d{1,5})H)?(?:(?P<n5>\d{1,5})M)?(?:(?P<n6>\d{1,5}(?:\.\d{1,9})?)S)?)?(?![\w-]|\.\w)",
        _iso_duration,
    ),
)

TIMES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.,$])(\d{1,3})m(?=[ ](?:ago|left|read|remaining)\b)|"
         r"(?:(?<=[Pp]rep: )|(?<=[Cc]ook: )|(?<=[Tt]otal: )|(?<=[Tt]ime: )|(?<=[Dd]uration: )|"
         r"(?<=[Rr]untime: )|(?<=ETA ))"
         r"(\d{1,3})m(?!\w)", lambda m: f"{m[1] or m[2]} minute{'' if (m[1] or m[2]) == '1' else 's'}"),
    rule(r"\bT[ ]?([-−–+])[ ]?(\d{1,4})([ ]?(?:minutes?|mins?|seconds?|secs?|hours?|hrs?|days?)|[smhd])\b", _countdown),
    rule(r"(?<![\w:.,$])(\d{1,2}):([0-5]\d)\.(\d{1,3})(?![\w:])",
         _lap),
    rule(r"(?<![\w:.,$/-])(0\d|1\d|2[0-3])([0-5]\d)[ ]?[–-][ ]?(0\d|1\d|2[0-3])([0-5]\d)(?=[ ]?(?:hours|hrs)\b)|"
         r"(?<![\w:.,$/-])(0\d)([0-5]\d)[ ]?[–-][ ]?(0\d|1\d|2[0-3])([0-5]\d)(?![\w:/-]|[.,]\d)", _military_range),
    rule(r"(?i)(?:(?<=\bat )|(?<=\bby )|(?<=\buntil ))(0\d)([0-5]\d)(?![\w:/-]|[.,]\d| hours| hrs)", _military),
    rule(r"(?<![\d.])(\d{1,3})['′]([1-5]\d)(?:\"|″)(?!\w)", _minutes),
    rule(r"(?<![\w:.,$])12:00(?= (?:noon|midnight)\b)", "twelve"),
    rule(r"(?<![\w.,:/-])\d{1,4}[dhms](?:[ ]?\d{1,4}[dhms]){1,3}(?![\w'^/])", _duration),
    rule(r"(?<![\w.,:/-])(?P<hour>[01]?\d|2[0-3])[hH](?P<minute>[0-5]\d)(?![\w:])", _clock),
    rule(r"(?<=\bUTC|\bGMT)[ ]?([+−–-])[ ]?(\d{1,2})(?::?([0-5]\d))?(?![\w:])", _zone),
    rule(r"(?<![\w:.,$])(?P<hour>1[0-2]|0?[1-9]):(?P<minute>[0-5]\d)(?P<half>[ap])(?!\w)", _clock),
    rule(r"(?:(?<=\d)(?P<joint>T)|(?<=\d\d-\d\d)(?P<joint2>[ ])|(?<![\w:.,$]))(?P<hour>[01]\d|"
    r"2[0-4]):(?P<minute>[0-5]\d)"
         r"(?::(?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?(?P<zone>Z(?!\w)|[+-]\d\d:?\d\d(?!\d))", _moment),
    rule(r"(?<=\d)(?P<joint>T)(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,]\d{1,9})?)?"
         r"(?P<zone>)(?![\d:])", _moment),
    rule(rf"(?<![\w.,:$])(\d{{1,2}}(?::\d\d)?)[ ]?[–—-][ ]?(?=\d{{1,2}}(?:[:.]\d\d)?[ ]?{_HALF})",
         lambda m: f"{m[1]} to "),
    rule(rf"(?<![\w:.,$])(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)[ ]?{_HALF}", _clock),
    rule(rf"(?<![\w:.,$])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])"
         rf"(?:[ ]?{_HALF})?", _clock),
    rule(rf"(?<![\w:.,$])(?P<hour>1[0-2]|0?[1-9])[ ]?{_HALF}", _clock),
    rule(r"(?<![\w:.,$])([01]\d|2[0-3])([0-5]\d)[ ](?:hours|hrs)\b", _military),
    rule(r"(?<![\d:.,])(\d{1,4}):(\d{1,4})(?![\d:]|[.,]\d)", lambda m: f"{m[1]} to {m[2]}"),
)  # fmt: skip
