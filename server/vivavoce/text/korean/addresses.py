"""Telephones and long codes, digit by digit; web and mail addresses, with their marks by name."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.korean.numerals import digits

_MARKS: Final = {".": " 점 ", "@": " 골뱅이 ", "/": " 슬래시 ", "-": " 대시 ", "_": " 밑줄 ", ":": " 콜론 ",
                 "?": " 물음표 ", "=": " 이퀄 ", "&": " 앤드 ", "#": " 샵 ", "%": " 퍼센트 ", "+": " 플러스 ",
                 "~": " 물결 "}  # fmt: skip
_PART: Final = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}"


def _by_name(found: re.Match[str]) -> str:
    address = re.sub(r"(?i)^(?:https?|ftp)://", "", found[0])
    end = len(address.rstrip(".,!?;:/"))
    tail = address[end:].replace("/", "")
    named = "".join(_MARKS.get(char, digits(char) if char.isdecimal() else char) for char in address[:end])
    return " " + re.sub(r"(?i)^www\b", "더블유더블유더블유", named) + tail


def _telephone(found: re.Match[str]) -> str:
    """The groups stay apart: a hyphen is a short pause."""
    plus = "플러스 " if found[0][0] == "+" else ""
    return plus + "-".join(digits(group, "공") for group in re.findall(r"\d+", found[0]))


WEB: Final[tuple[Rule, ...]] = (
    rule(rf"[A-Za-z0-9._%+-]{{1,64}}@{_PART}(?:\.{_PART}){{1,4}}", _by_name),
    rule(r"(?i)\b(?:https?|ftp)://[!-~]{1,500}", _by_name),
    rule(rf"(?i)\bwww\.{_PART}(?:\.{_PART}){{1,4}}(?:/[!-~]{{0,300}})?", _by_name),
    rule(rf"(?i)(?<![\w@.]){_PART}(?:\.{_PART}){{0,3}}\.(?:com|net|org|kr|io|ai|dev|co|jp|cn)(?![\w@])(?:/[!-~]{{0,300}})?",
         _by_name),
)  # fmt: skip

TELEPHONES: Final[tuple[Rule, ...]] = (
    rule(r"\+\d{1,3}[- ]\d{1,4}(?:[- ]\d{3,4}){1,2}(?!\d)", _telephone),
    rule(r"(?<![\d.,-])\(?0\d{1,2}(?:\)[ ]?|[-. ])\d{3,4}[-. ]\d{4}(?![\d-])", _telephone),
    rule(r"(?<![\d.,-])1[568]\d\d-\d{4}(?![\d-])", _telephone),
    rule(r"(?<![\d.,-])01\d(\d{3,4})(\d{4})(?!\d)",
         lambda m: "-".join(digits(part, "공") for part in (m[0][:3], m[1], m[2]))),
    rule(r"(?<![\d.,-])\d{2,}+(?:-\d{2,}+){2,}+(?!\d)", _telephone),  # accounts, licences
    rule(r"(?<![\d.,-])\d{6}-\d{7}(?!\d)", _telephone),
    rule(r"(?:(?<=번호)|(?<=번호[는은 :])|(?<=번호[는은:] )|(?<=코드 ))\d{4,}+(?!\d|[.,]\d)",
         lambda m: digits(m[0], "공")),
    rule(r"(?<![\d.,-])(?:112|119|114)(?=에|로|[ ]?(?:신고|구급))", lambda m: digits(m[0])),
)  # fmt: skip
