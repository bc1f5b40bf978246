"""Figures in Chinese text as they are said: 三百零五, 十二点五, 百分之五, 二零二六年. Pure.

For voices whose own front end drops what is no Han character. Knows no units and no dates: those are Chinese words by
then (`chinese.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = ("", "十", "百", "千")
_GROUPS: Final = ("", "万", "亿", "万亿")
_FIGURE: Final = re.compile(r"(?P<minus>-(?=\d))?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?(?P<after>%|年)?")

# What stands between figures: the time, fractions, ranges, versions; "℃" has no letter of its own.
_BETWEEN: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])"), lambda found: _time(found)),
    (re.compile(r"(?<=\d)[ ]?℃"), "度"),
    (re.compile(r"(?<![\d/])(\d{1,9})/(\d{1,9})(?![\d/])"), r"\2分之\1"),
    (re.compile(r"(?<=\d)(?:\.\d+){2,}(?!\d)"), lambda found: found[0].replace(".", "点")),
    (re.compile(r"(?<=[\d点分时度])[ ]?[-–~～][ ]?(?=\d)"), "到"),
)


def say_figures(text: str) -> str:
    """The text with every figure written out."""
    for pattern, said in _BETWEEN:
        text = pattern.sub(said, text)
    return _FIGURE.sub(_said, text)


def whole_number(digits: str) -> str:
    """A whole number; one with a leading zero, or of more than 16 figures, is said figure by figure."""
    if len(digits) > 16 or (len(digits) > 1 and digits[0] == "0"):
        return "".join(_DIGITS[int(digit)] for digit in digits)
    number, groups = int(digits), []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    said, gap = "", False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if group:
            said += "零" if said and (gap or group < 1000) else ""
            said += _of_four(group) + _GROUPS[place]
        gap = not group
    if said.startswith("一十"):
        said = said[1:]
    return said or "零"


def _time(found: re.Match[str]) -> str:
    """8:05 is 八点零五分."""
    minute = found[2]
    return f"{int(found[1])}点" + ("" if minute == "00" else f"零{minute[1]}分" if minute[0] == "0" else f"{minute}分")


def _of_four(group: int) -> str:
    """1..9999."""
    said, gap = "", False
    for place in reversed(range(4)):
        digit = group // 10**place % 10
        if digit:
            said += ("零" if said and gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = digit == 0
    return said


def _said(figure: re.Match[str]) -> str:
    digits, part, after = figure["whole"].replace(",", ""), figure["part"], figure["after"] or ""
    is_year = after == "年" and part is None and len(digits) == 4
    said = "".join(_DIGITS[int(digit)] for digit in digits) if is_year else whole_number(digits)
    if part is not None:
        said += "点" + "".join(_DIGITS[int(digit)] for digit in part)
    said = f"百分之{said}" if after == "%" else said + after
    return "负" * bool(figure["minus"]) + said
