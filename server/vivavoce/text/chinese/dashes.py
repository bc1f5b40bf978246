"""What a dash stands for: "to" between two of a kind, a minus before an amount, nothing in a name."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.numerals import DASH, DIGITS, HAN, NUMBER
from vivavoce.text.english.rule import Rule, rule

_TO: Final = "[ ]?[-–—~～〜]{1,2}[ ]?"
# What may stand between a number and the dash of a range: 2万-3万, 10℃-15℃, 周一-周五.
_OF_RANGE: Final = "万亿千百元个天年月日号点时分秒度层楼岁米人次克斤折章节页倍℃℉°%％一二三四五六"
_AMOUNT_FOLLOWS: Final = re.compile(rf"{NUMBER}[ ]?(?:[度°℃℉%％元]|米|摄氏)")
_VALUE_BEFORE: Final = re.compile(r"[是为到至达约从在值率额温拔得于比]\Z")


def minus(found: re.Match[str]) -> str:
    """What a minus is read as: "零下" in front of degrees, else "负"."""
    degrees = re.match(rf"{NUMBER}[ ]?(?:度|°|℃|摄氏)", found.string[found.end() : found.end() + 28])
    return "零下" if degrees else "负"


def _after_han(found: re.Match[str]) -> str:
    """A hyphen between a Chinese name and its number is silent: 歼-20; a dash in front of an amount is a minus."""
    front = found.string[max(0, found.start() - 2) : found.start()]
    if found[0] in "-－" and not (_AMOUNT_FOLLOWS.match(found.string, found.end()) or _VALUE_BEFORE.search(front)):
        return ""
    return minus(found)


def _years(found: re.Match[str]) -> str:
    """(1990-2020): from year to year."""
    return "到".join("".join(DIGITS[int(figure)] for figure in year) for year in found.groups())


RANGES: Final[tuple[Rule, ...]] = (
    rule(r"(?<=满)(\d{2,6})[ ]?[-–][ ]?(\d{1,6})(?!\d)", r"\1减\2"),
    rule(r"(?<=[(（])(1[0-9]\d\d|20\d\d)[-–—~～](1[0-9]\d\d|20\d\d)(?=[)）])", _years),
    rule(r"(?<=\d[kKMBbm万亿])[ ]?[-–~～][ ]?(?=(?:US)?[$€£¥￥]\d)", "到"),
    rule(r"(?<=\d)[ ]?[-–−][ ]?(?=\d{1,9}[ ]?=)", "减"),
    rule(r"(?<![\d-])(1[0-9]\d\d|20\d\d)[-–—~～](1[0-9]\d\d|20\d\d)(?=年)", r"\1年到\2"),
    rule(rf"(?<=\d[{_OF_RANGE}]){_TO}(?=\d)", "到"),
    rule(rf"(?<=周[一二三四五六日]|期[一二三四五六日]){_TO}(?=周|星期)", "到"),
    rule(rf"(?<=\d[点时月号日年]){_TO}(?=[上下中]午|早|晚|凌晨|次日|今|明|\d)", "到"),
    rule(r"(?<=\d)(?:—{1,2}|[ ]?[~～〜][ ]?)(?=\d)", "到"),
    rule(r"(?<=第)(\d{1,4})/(\d{1,4})(?=页)", r"\1页共\2"),
    rule(r"(?:(?<=比分)|(?<=比分[是为：:])|(?<=以))(\d{1,3})[-–—](\d{1,3})(?!\d)", r"\1比\2"),
    rule(r"(?<![\d.-])(\d{1,3})[-–—](\d{1,3})(?=[完险大惜战]?[胜负平败]|战|击败|领先|落后|获胜|取胜|逆转|告负)",
         r"\1比\2"),
)  # fmt: skip

MINUS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![\d\w%％)）°]){DASH}(?=[.]?\d)", minus),
    rule(rf"(?<=[{HAN}]){DASH}(?=\d)(?!\d{{1,4}}[-–~～至到])", _after_han),
)  # fmt: skip
