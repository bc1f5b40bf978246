"""Mathematics: comparisons, powers, operators of two signs, numbers in scientific notation."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import before
from vivavoce.text.english.numerals import NOT_INSIDE, NUMBER, cardinal, number, ordinal
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.english.units import UNIT, unit_name
from vivavoce.text.factorials import FACTORIAL, is_factorial

_PAIRS: Final = {"<=>": "if and only if", "<->": "if and only if", "===": "equals", "!==": "is not equal to",
                 "<=": "is at most", ">=": "is at least", "=<": "is at most", "≤": "is at most", "≥": "is at least",
                 "⩽": "is at most", "⩾": "is at least", "==": "equals", "!=": "is not equal to", "≠": "is not equal to",
                 "<>": "is not equal to", "=/=": "is not equal to", "~=": "is about", "≈": "is about",
                 "->": "to", "-->": "to",
                 "==>": "implies", "=>": "implies", "<-": "from", "<--": "from", "&&": "and", "||": "or",
                 "+=": "plus equals",
                 "-=": "minus equals", "*=": "times equals", "/=": "divided by equals", ":=": "is set to",
                 "+/-": "plus or minus", "+-": "plus or minus", "<<": "is much less than",
                 ">>": "is much greater than", "≪": "is much less than", "≫": "is much greater than"}  # fmt: skip
_PAIR: Final = "|".join(re.escape(pair) for pair in sorted(_PAIRS, key=len, reverse=True))
_SUBJECT: Final = re.compile(r"[\w)\]}|'\"][ ]{0,3}\Z")
_NO_SUBJECT: Final = re.compile(r"(?i)(?<!\w)(?:if|when|while|and|or|with|for|is|are|be|until|than|of|to|need|needs|"
                                r"use|only|where)[ ]\Z")  # fmt: skip


def _pair(found: re.Match[str]) -> str:
    words = _PAIRS[found[0].strip()]
    if words.startswith("is ") and (
        _SUBJECT.search(before(found, 12)) is None or _NO_SUBJECT.search(before(found, 12) + " ")
    ):
        words = words.removeprefix("is ")
    return f" {words} "


def _exponent(written: str) -> str:
    """A power behind what it stands on: "squared", "to the fourth", "to the power of minus three"."""
    sign = "minus " if written[0] == "-" else ""
    plain = written.lstrip("+-")
    if not plain.isdecimal():
        return f" to the power of {sign}{plain}"
    value = int(plain) if len(plain) < 16 else 0
    if not sign and value in (2, 3):
        return " squared" if value == 2 else " cubed"
    if not sign and 4 <= value <= 9:
        return f" to the {ordinal(value)}"
    return f" to the power of {sign}{number(plain)}"


def _power(found: re.Match[str]) -> str:
    return _exponent(found["power"])


def _power_of_ten(found: re.Match[str]) -> str:
    written = found["power"]
    sign = "minus " if written[0] == "-" else ""
    unit = f" {unit_name(found['unit'], single=False)}" if found["unit"] else ""
    if written == "2":
        return f"ten squared{unit}"
    return f"ten to the power of {sign}{number(written.lstrip('+-'))}{unit}"


def _scientific(found: re.Match[str]) -> str:
    power = int(found["power"])
    exponent = f"minus {cardinal(-power)}" if power < 0 else ordinal(power) if power else cardinal(0)
    minus = "minus " if found["minus"] else ""
    unit = f" {unit_name(found['unit'], single=False)}" if found["unit"] else ""
    return f" {minus}{number(found['amount'])} times ten to the {exponent}{unit}"


_TERM: Final = r"\d{1,9}(?:[.,]\d{1,9})?"

SCIENTIFIC: Final[tuple[Rule, ...]] = (
    rule(FACTORIAL, lambda m: f"{m[1]} factorial = {m[2]}" if is_factorial(m) else None),
    rule(r"(?<![\w)])[-−–](?=∞)", "minus "),
    rule(r"(?<=\^\d)[-−–](?=\d{0,4}[a-z(])", " minus "),
    rule(r"(?<=\b[a-z])--(?=[ ]?(?:[;,.)]|and\b|\Z))", " minus minus"),
    rule(r"\b([fgh])['′](?=\()", r"\1 prime"),
    rule(r"(?<=[=+*<>≤≥×÷−] )(-?\d{1,4})([xyzn])(?=[ ]?(?:[-+*/=<>^,;.)]|\Z))", r"\1 \2"),
    rule(r"(?<=\w) % (?=\d{1,6} ?[=!]=|[a-z]\b ?[=!]=)", " modulo "),
    rule(r"∑(?= from\b)", "sum"),
    rule(r"∫(?= from\b)", "integral"),
    # a dash in front of "=" takes away: 5-3=2, 5 – 3 = 2
    rule(rf"(?<=[\d)])[ ]?[–−-][ ]?(?={_TERM}(?:[ ]?[-+*/×÷–−][ ]?{_TERM}){{0,6}}[ ]?=)", " minus "),
    rule(r"(?<![\w-])([xyznijtm]|\d{1,4}[xyzn])[-−–](?=\d{1,4}(?![\w-]|\.\d))", r"\1 minus "),
    rule(r"(?<=[=<>≤≥(,±×÷])[ ]{0,3}[-−–](?=[a-zA-Z√π](?![A-Za-z]))", " minus "),
    rule(r"(?<![\w.'])(\d{1,3}|[nmkrNx])!(?!=)(?=[ ]?[=/+*×÷<>≤≥-][ ]?[\w(])", r"\1 factorial"),
    rule(r"(?<![\w.'])([nmkrN])!(?!!)", r"\1 factorial"),
    rule(r"(?<![\w.])(\d{1,3})!(?=[ ](?:is|equals|means|has|grows|ways|permutations)\b|[)\]?])", r"\1 factorial"),
    rule(r"(?i)(?:(?<=\bcompute )|(?<=\bcalculate )|(?<=\bevaluate )|(?<=\bwhat is )|(?<=\bvalue of ))(\d{1,3})!",
         r"\1 factorial"),
    rule(r"(?<=\()([a-z])-([a-z])(?=\))", r"\1 minus \2"),
    rule(r"(\((?:[nmkr]|\d{1,2})(?:[ ]?(?:[-+]|minus|plus)[ ]?(?:[nmkr]|\d{1,2}))?\))!(?!!)", r"\1 factorial"),
    rule(r"(?<![\w+-])([A-DF])[-−–](?=[.,;:!?)]|\Z|[ ](?!(?:and|or|to) [A-Z]-\w))", r"\1 minus"),
    rule(r"(?<=factorial)[ ]?/[ ]?(?=[\w(])", " over "),
    rule(r"(?<=\d)[ ]?[xX×·⋅*][ ]?(?=10\^)", " times "),
    # in front of all else, before the number behind it becomes words
    rule(r"(?<![\w<>=!)\]|&-])(?<![\w)] )<[ ]?(?=[-–]?[$€£¥]?\.?\d)", "less than "),
    rule(r"(?<![\w<>=!)\]|&-])(?<![\w)] )>[ ]?(?=[-–]?[$€£¥]?\.?\d)", "greater than "),
    rule(rf"(?P<minus>(?<![\w)])-)?{NOT_INSIDE}(?<!\w)(?P<amount>{NUMBER})[eE]"
         rf"(?P<power>[+-]?\d{{1,3}})(?:[ ]?(?P<unit>{UNIT}))?"
         r"(?![\w.^]\w|\w)", _scientific),
    rule(rf"(?<![\w.,])10\^\(?(?P<power>[+-]?\d{{1,4}})\)?(?:[ ]?(?P<unit>{UNIT}))?(?!\w)", _power_of_ten),
)  # fmt: skip

POWERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\^\d) [-−–] (?=[\w(])|(?<=\d[a-z]) [-−–] (?=\d|[a-z]\b)", " minus "),
    rule(
        r"(?<=[\w)\]])[ ]?\^[ ]?(?:\((?=[^()]{1,15}\))|\{(?=[^{}]{1,15}\}))(?P<power>[+-]?(?:\d{1,15}|[A-Za-z]))[)}]",
        _power,
    ),
    rule(
        r"(?<=[\w)\]])\^(?:\((?=[^()]{1,24}\))|\{(?=[^{}]{1,24}\}))([^(){}]{1,24})[)}]",
        lambda m: f" to the power of {m[1]}",
    ),
    rule(r"(?<=[\w)\]])[ ]?\^[ ]?(?P<power>[+-]?(?:\d{1,15}|[A-Za-z](?![A-Za-z])))", _power),
    rule(r"(?<=\d)\*\*(?P<power>-?\d{1,15})", _power),
)

OPERATORS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=[(&|=] )!(?=[A-Za-z(])|(?<=[(&|=])!(?=[A-Za-z(])", " not "),
    rule(rf"(?<![<>=!~|&])[ ]?(?:{_PAIR})(?![<>=|&])[ ]?(?=[\w\s.,$€£√π('\"-]|\Z)", _pair),
)
