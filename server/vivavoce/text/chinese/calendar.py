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


_DATE_BEFORE: Final = re.compile(
    r"(?:[今明后昨前]天|日期|时间|生日|期限|截[止至]|定[于在]|改[到在]|推迟[到至]|[上本这下]周.?|周[一二三四五六日天]|星期[一二三四五六日天]|"
    r"日前|每年)[是为:：]?[ ]?(?:[(（][^()（）]{1,4}[)）])?[ ]?\Z"
)
_MAYBE_BEFORE: Final = re.compile(r"(?:自从?|从|至|到|于|在)[ ]?\Z")  # of simple fractions too
_DATE_BEHIND: Final = re.compile(
    r"[ ]?(?:[(（](?:周|星期)?[一二三四五六日天][)）]|(?:周|星期)[一二三四五六日天]|号|[之以]?[前后](?![卫锋])|"
    r"早[上晨]|[上下中]午|晚[上间]?|凌晨|"
    r"快乐|愉快|见面?|起(?!来)|开[会始学业幕盘]|放假|国庆|劳动节|儿童节|元旦|圣诞|出[发生]|到[期达]|截止|生日|发[布货售]|上[线市映班]|举[行办]|考试|"
    r"交[付作稿]|结束|更新|第[一二三四五]|活动)"
)


_PARTS_OF: Final = (16, 20, 24, 25, 30)  # into which a whole is divided
_PART_BEFORE: Final = re.compile(
    r"(?:占|总[数量体]的?|全[部体校班]的?|其中的?|大?约|共|剩下?|剩余|[成完]了?|达到?|仅|超过|不足|少于|多于|"
    r"近|至少|概率|比例|系数|进?度|率|乘以?|等于|[×÷+=*(（-])[是为：:]?[ ]?\Z"
)
_PART_BEHIND: Final = re.compile(
    r"[ ]?(?:的(?:人|学|员|总|时间|面积|水|钱|收|国|全)|杯|勺|英寸|圈|页|桶|碗|强|弱|左右|[以之]上|[以之]下|[=+×÷*)）])"
)


def _short_date(found: re.Match[str]) -> str | None:
    """5/17 is a day where a word around it says so, else a fraction, which the front end reads."""
    month, day = int(found["month"]), int(found["day"])
    text, start, end = found.string, found.start(), found.end()
    front = text[max(0, start - 12) : start]
    behind = text[end : end + 8]
    told = _DATE_BEFORE.search(front) or _DATE_BEHIND.match(behind)
    if told is None and day > 12 and day not in _PARTS_OF:  # seventeenths are rare
        is_part = _PART_BEFORE.search(front) or _PART_BEHIND.match(behind)
        return None if is_part or not 1 <= month <= 12 else f"{month}月{day}日"
    if told is None and (day > 12 or month >= day):
        told = _MAYBE_BEFORE.search(front)
    return f"{month}月{day}日" if told and 1 <= month <= 12 and 1 <= day <= 31 else None


def _date_range(found: re.Match[str]) -> str | None:
    """5/17-5/20; two fractions of a cup are none."""
    first, last = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    if all(above < below <= 12 for above, below in (first, last)):
        return None
    return f"{first[0]}月{first[1]}日到{last[0]}月{last[1]}日"


def _clock(found: re.Match[str]) -> str:
    """A time with seconds, or one of a timestamp."""
    hour, minute, second = found["hour"], found["minute"], found["second"]
    minute = f"零{minute[1]}" if minute[0] == "0" and minute != "00" else minute
    words = f"{int(hour)}点{minute}分" if int(found["minute"]) or (second and int(second)) else f"{int(hour)}点"
    return words + (f"{second}秒" if second and int(second) else "")


def _half_of_day(found: re.Match[str]) -> str:
    """8:30pm: the half of the day stands first."""
    half = "上午" if found[2] in "Aa" else "下午"
    return f"{half}{found[1]}{'' if ':' in found[1] else '点'}"


MOMENTS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d:])(\d{1,2}(?::[0-5]\d)?)[ ]?([AaPp])\.?[Mm]\.?(?![A-Za-z])", _half_of_day),
    rule(r"(?<=\d)[ ]?T(?=\d\d:\d\d)", " "),
)  # fmt: skip

DATES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d/])(20\d\d)/(\d\d)(?=赛季|学年|年度|财年|雪季)", r"\1到\2"),
    rule(r"(?<![\d/])24/7(?![\d/])", "24小时7天"),
    rule(r"(?<![\w./-])(?P<year>\d\d)\.(?P<month>0[1-9]|1[0-2])\.(?P<day>0[1-9]|[12]\d|3[01])(?![A-Za-z\d/-]|\.\d)",
         lambda m: f"{m['year']}年{int(m['month'])}月{int(m['day'])}日"),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>[0-3]?\d)(?![\d/-])", _iso),
    rule(r"(?<![\w./-])(?P<day>[0-3]?\d)/(?P<month>[0-3]?\d)/(?P<year>19\d\d|20\d\d)(?![\w/-])", _day_first),
    rule(r"(?<![A-Za-z\d./-])(1[0-2]|0?[1-9])/([12]\d|3[01]|0?[1-9])[ ]?[-–—~～至到][ ]?(1[0-2]|"
         r"0?[1-9])/([12]\d|3[01]|0?[1-9])(?![A-Za-z\d/-])",
         _date_range),
    rule(r"(?<![A-Za-z\d./-])(?P<month>1[0-2]|0?[1-9])/(?P<day>[12]\d|3[01]|0?[1-9])(?![A-Za-z\d/.]|-\d)", _short_date),
    rule(r"(?<![\d-])(?P<year>1[6-9]\d\d|20\d\d)-(?P<month>0[1-9]|1[0-2])(?P<day>)(?![\d/-])", _iso),
    rule(r"(?<=日 )(?P<hour>[01]\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d{1,9})?)?"
         r"(?:Z(?!\w)|[+-]\d\d:?\d\d)", _clock),
)  # fmt: skip

TIMES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d:])(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)[:：](?P<second>[0-5]\d)(?![\d:])", _clock),
    rule(r"(?<=\d)：(?=[0-5]\d(?!\d))(?<![\d]{3}：)", ":"),
)  # fmt: skip
