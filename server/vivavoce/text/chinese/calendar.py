"""Dates in any order of their parts, times with seconds, moments written for machines."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.rule import Rule, rule


def _iso(found: re.Match[str]) -> str | None:
    month, day = int(found["month"]), int(found["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{found['year']}年{month}月" + (f"{day}日" if found["day"] else "")


def _day_first(found: re.Match[str]) -> str | None:
    """17/5/2024, and 5/17/2024 where the first cannot be a day of a month."""
    day, month = int(found["day"]), int(found["month"])
    if month > 12:
        day, month = month, day
    return f"{found['year']}年{month}月{day}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _clock(found: re.Match[str]) -> str:
    """A time with seconds, or one of a timestamp."""
    hour, minute, second = found["hour"], found["minute"], found["second"]
    minute = f"零{minute[1]}" if minute[0] == "0" and minute != "00" else minute
    words = f"{int(hour)}点{minute}分" if int(found["minute"]) or (second and int(second)) else f"{int(hour)}点"
    return words + (f"{second}秒" if second and int(second) else "")


MOMENTS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d)[ ]?T(?=\d\d:\d\d)", " "),
)  # fmt: skip

DATES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>[0-3]?\d)(?![\d/-])", _iso),
    rule(r"(?<![\w./-])(?P<day>[0-3]?\d)/(?P<month>[0-3]?\d)/(?P<year>19\d\d|20\d\d)(?![\w/-])", _day_first),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)-(?P<month>0[1-9]|1[0-2])(?P<day>)(?![\d/-])", _iso),
    rule(r"(?<=日 )(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d{1,9})?)?"
         r"(?:Z(?!\w)|[+-]\d\d:?\d\d)", _clock),
)  # fmt: skip

TIMES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d:])(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)[:：](?P<second>[0-5]\d)(?![\d:])", _clock),
    rule(r"(?<=\d)：(?=[0-5]\d(?!\d))(?<![\d]{3}：)", ":"),
)  # fmt: skip
