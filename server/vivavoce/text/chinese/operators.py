"""Mathematics: powers, scientific notation, comparisons, signs between two terms."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.chinese.letters import outside_addresses
from vivavoce.text.chinese.numerals import HAN, NUMBER, cardinal
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.factorials import FACTORIAL, is_factorial

_PAIRS: Final = {"<=": "小于等于", ">=": "大于等于", "≤": "小于等于", "≥": "大于等于", "!=": "不等于", "≠": "不等于",
"==": "等于",
                 "->": "到", "=>": "推出", "±": "正负", "≈": "约等于", "→": "到"}  # fmt: skip
_NAMES: Final = {"∠": "角", "△": "三角形", "⊥": "垂直于", "∥": "平行于", "∵": "因为", "∴": "所以", "∈": "属于",
                 "∞": "无穷", "∑": "求和", "∫": "积分", "∪": "并", "∩": "交"}  # fmt: skip
_PAIR: Final = "|".join(re.escape(pair) for pair in sorted(_PAIRS, key=len, reverse=True))


def _power(found: re.Match[str]) -> str:
    written = found[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+"))
    if written in ("2", "3"):
        return "的平方" if written == "2" else "的立方"
    sign = "负" if written[0] == "-" else ""
    return f"的{sign}{cardinal(int(written.lstrip('+-')))}次方" if written.lstrip("+-") else ""


def _scientific(found: re.Match[str]) -> str:
    power = int(found[2])
    return f"{found[1]}乘以十的{'负' if power < 0 else ''}{cardinal(abs(power))}次方"


SCIENTIFIC: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\d+×÷/.-])(\d{1,9})/(\d{1,9})(?=[ ]?=)",
         lambda m: f"{m[1]}除以{m[2]}" if int(m[1]) >= int(m[2]) else None),
    rule(FACTORIAL, lambda m: f"{m[1]}的阶乘等于{m[2]}" if is_factorial(m) else None),
    rule(rf"(?<![\d.A-Za-z])({NUMBER})[eE]([+-]?\d{{1,3}})(?![A-Za-z\d.])", _scientific),
)  # fmt: skip

PRODUCTS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d)[ ]?[xX×*][ ]?(?=\d)|(?<=\d[cmk]m)[ ]?[xX×*][ ]?(?=\d)|(?<=\dm)[ ]?[xX×*][ ]?(?=\d)", "乘"),
    rule(r"(?<=\d)[ ]?÷[ ]?(?=\d)", "除以"),
)  # fmt: skip

OPERATORS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=[\w)）])(?:\^(?=-?\d)|(?=[⁰¹²³⁴-⁹⁻]))([⁺⁻]?[⁰¹²³⁴-⁹]+|-?\d{1,3})", _power),
    rule(r"(?<=平方|立方)[ ]?[-−–][ ]?(?=[\dA-Za-z(])", "减"),
    rule(rf"(?:(?<=[\w)）])|(?=[<>≤≥≈±≠]))[ ]?(?:{_PAIR})[ ]?(?=[\w(（-])", lambda m: _PAIRS[m[0].strip()]),
    rule(r"(?<!<)[ ]?<[ ]?(?=[\d.-])|(?<=\w)[ ]?<[ ]?(?=\w)", "小于"),
    rule(r"(?<!>)[ ]?>[ ]?(?=[\d.-])|(?<=\w)[ ]?>[ ]?(?=\w)", "大于"),
    rule(r"√(?=[ ]?[\w(（])", "根号"),
    rule("[" + "".join(_NAMES) + "]", lambda m: _NAMES[m[0]]),
    rule(r"§[ ]?(?=\d)", "第"),
    rule(r"(?<=\d)°(?![CFcf])", "度"),
    rule(rf"(?<=[{HAN}])[ ]?&[ ]?(?=[{HAN}])", "和"),
    rule(r"(?<=[\w)）])[ ]?\+[ ]?(?=[\w(（])", outside_addresses("加")),
    rule(r"(?<=[\w)）])[ ]?=[ ]?(?=[\w(（-])", outside_addresses("等于")),
)  # fmt: skip
