"""Dates and times of day."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.korean.numerals import digits, native, whole

_MONTHS: Final = {6: "유월", 10: "시월"}  # said so, and never 육월 and 십월


def hour(figures: str) -> str:
    """Hours up to noon are counted, later ones of a 24-hour clock are not."""
    value = int(figures)
    return f"{native(str(value)) if 1 <= value <= 12 else whole(str(value))}시"


def _month(figures: str) -> str:
    return _MONTHS.get(int(figures), f"{whole(str(int(figures)))}월")


def _date(found: re.Match[str]) -> str | None:
    month, day = int(found["month"]), int(found["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{whole(found['year'])}년 {_month(found['month'])} {whole(str(day))}일"


def _time(found: re.Match[str]) -> str | None:
    minute, second = int(found["minute"]), int(found["second"] or 0)
    if int(found["hour"]) > 24 or minute > 59 or second > 59:
        return None
    words = hour(found["hour"])
    words += f" {whole(str(minute))}분" if minute or second else ""
    return words + (f" {whole(str(second))}초" if second else "")


def _day_of_history(found: re.Match[str]) -> str:
    """6·25 is 육이오, 12·12 is 십이십이."""
    first, second = found[1], found[2]
    if len(first) > 1 or second == "10":
        return whole(first) + whole(second)
    return digits(first) + digits(second)


_WEEKDAY: Final = r"(?=[ ]?\([월화수목금토일](?:요일)?\))"
_DAY_BEHIND: Final = (rf"(?:{_WEEKDAY}|(?=[ ]?(?:까지|부터|에(?!서)|[월화수목금토일]요일|오전|오후|이전|이후|마감|출시|"
                      r"개봉|시작|예정)))")  # fmt: skip
_REMEMBERED: Final = (
    r"(?=절|[ ]?(?:광복|민주|민중|항쟁|전쟁|혁명|운동|사건|사태|만세|학살))"  # what a day of history is followed by
)

DATES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d/.])(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])[ ]?[~–-][ ]?(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|"
         r"3[01])(?![\d/.])",
         lambda m: f"{_month(m[1])} {whole(str(int(m[2])))}일에서 {_month(m[3])} {whole(str(int(m[4])))}일"),
    rule(r"(?<![\d.])(?P<year>[12]\d{3})(?P<joint>[-./])[ ]?(?P<month>\d{1,2})(?P=joint)[ ]?(?P<day>\d{1,2})"
         r"(?:\.(?=[ ]|\()|(?![\d.-]\d|\d))", _date),
    rule(r"(?<![\w./-])(?P<year>\d\d)\.(?P<month>0[1-9]|1[0-2])\.(?P<day>0[1-9]|[12]\d|3[01])(?:\.(?=[ ]|\()|"
         r"(?![A-Za-z\d/-]|\.\d))", _date),
    rule(r"(?<![\d./-])(?P<month>0?[1-9]|1[0-2])/(?P<day>0?[1-9]|[12]\d|3[01])/(?P<year>[12]\d{3})(?![\d./-])", _date),
    rule(r"(?<![\d.-])([12]\d{3})-(0[1-9]|1[0-2])(?![\d-])", lambda m: f"{whole(m[1])}년 {_month(m[2])}"),
    rule(rf"(?<![\d/.])(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01]){_DAY_BEHIND}",
         lambda m: f"{_month(m[1])} {whole(str(int(m[2])))}일"),
    rule(rf"(?<![\d.])(\d{{1,2}})\.(\d{{1,2}}){_REMEMBERED}", _day_of_history),
    rule(r"(?<!\d)'(\d\d)(?=년)", lambda m: whole(str(int(m[1])))),
    rule(r"(?<![\d·])(\d{1,2})[·](\d{1,2})(?![\d·])", _day_of_history),
    rule(r"(?<![\d.,])(0?[1-9]|1[0-2])월(?!\s?(?:간|호선))", lambda m: _month(m[1])),
)  # fmt: skip

TIMES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![A-Za-z])(?i:([AP])\.?M\.?)[ ]?(?=\d{1,2}(?::\d\d|[ ]?시))",
         lambda m: "오전 " if m[1] in "aA" else "오후 "),
    rule(r"(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])", _time),
    rule(r"(?<![\d:.,])(\d{1,2})[ ]?시(?=\d|[ ]?[반정]|[ ]?~|[에까부로이가를는은도쯤경]|[^가-힣]|\Z)",
         lambda m: hour(m[1]) if int(m[1]) <= 24 else None),
)  # fmt: skip
