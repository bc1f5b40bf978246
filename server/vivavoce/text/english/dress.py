"""Letters and digits in other dress become plain before any rule runs.

Superscripts, subscripts, Roman numerals of their own, Greek letters that stand alone, numbers grouped as in
other countries. Called by the reader.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vivavoce.text.english.context import after, before, counts_something
from vivavoce.text.english.money import CURRENCIES
from vivavoce.text.english.numerals import cardinal, roman, year
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.english.units import UNIT

_GREEK: Final = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψωϑϕϵϖϱ",
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "theta", "phi", "epsilon", "pi", "rho"], strict=True))  # fmt: skip
_GREEK_LETTER: Final = "\u0370-\u0373\u0376-\u037d\u037f\u0386\u0388-\u03ff\u1f00-\u1fff"
_SMALL: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙᵢₓ", "0123456789+-=()ni0123456789+-=()nix")
_UNIT_END: Final = re.compile(rf"(?<![A-Za-z])(?:{UNIT})\Z")
_WORD_END: Final = re.compile(r"[A-Za-z]{3,}[.,;:!?\"')]?\Z|[.,;:!?\"')]\Z")
_TERM_END: Final = re.compile(r"\([^()]{0,12}(?:\d|(?<![A-Za-z])[a-z](?![A-Za-z]))[^()]{0,3}\)\Z")  # (x + 1)
_FUNCTION: Final = re.compile(r"(?:sin|cos|tan|log|exp)\Z")
_RULER_BEFORE: Final = re.compile(r"(?:Henry|Louis|Charles|George|William|Edward|Richard|James|John|Paul|"
    r"Elizabeth|Mary|"
                                  r"Pius|Benedict|Philip|Catherine|Alexander|Nicholas|Peter|"
                                  r"Napoleon)[ ]\Z")  # fmt: skip
_DECIMAL_COMMA_FOLLOWS: Final = (rf"(?=[ ]?(?:{UNIT}|[%‰°º]|kr|zł|Kč|EUR|percent|million|billion|euros?|meters?|"
    rf"metres?|"
                                 rf"kilos?|liters?|litres?|degrees?)(?![\w])|[ ]?[{''.join(CURRENCIES)}]|"
                                 rf"[ ]?[%‰°])")  # fmt: skip


def _superscript(found: re.Match[str]) -> str:
    """A power of what it stands on, a footnote behind a word."""
    plain = found[0].translate(_SMALL)
    front = before(found, 16)
    if not front or front[-1].isspace():
        return plain
    if _WORD_END.search(front) and not (_TERM_END.search(front) or _UNIT_END.search(front) or _FUNCTION.search(front)):
        return ""
    return plain if not any(char.isalnum() for char in plain) else f"^{plain}"


def _subscript(found: re.Match[str]) -> str:
    return found[0].translate(_SMALL)


def _roman(found: re.Match[str]) -> str:
    """Ⅳ is four wherever it stands; behind a ruler's name the letters are left to the rule of rulers."""
    letters = unicodedata.normalize("NFKC", found[0]).upper()
    value = roman(letters)
    if value is None or _RULER_BEFORE.search(before(found, 16)):
        return letters
    return _spaced(cardinal(value), found)


def _greek(found: re.Match[str]) -> str | None:
    letter = found[0]
    name = _GREEK.get(letter.lower())
    return _spaced(name, found) if name else None


def _spaced(words: str, found: re.Match[str]) -> str:
    text = found.string
    left = " " if found.start() and text[found.start() - 1].isalnum() else ""
    right = " " if text[found.end() : found.end() + 1].isalnum() else ""
    return f"{left}{words}{right}"


def _thousands(found: re.Match[str]) -> str | None:
    """1.234.567 has two stops or more between groups of three; four such groups below 256 are a network address."""
    groups = found[0].split(".")
    return None if len(groups) == 4 and max(map(int, groups)) < 256 else "".join(groups)


def _joined(found: re.Match[str]) -> str:
    return re.sub(r"\D", "", found[0])


def _decimal_comma(found: re.Match[str]) -> str:
    whole, _, part = found[0].rpartition(",")
    return f"{re.sub(r'[^0-9]', '', whole)}.{part}"


GREEK_LETTERS: Final[tuple[Rule, ...]] = (
    rule(rf"(?<![{_GREEK_LETTER}])(?!μ(?:[mgslLFVAWH]|mol|Sv|Ω)(?![A-Za-z])|(?<=[\dkKMGm])Ω|(?<=\d )Ω)"
         rf"[{_GREEK_LETTER}](?![{_GREEK_LETTER}\u0300-\u036f])", _greek),
)  # fmt: skip


def _spaced_groups(found: re.Match[str]) -> str | None:
    """10 000: thousands with an ordinary space, where they can be nothing else."""
    whole, _, part = found[0].partition(",")
    groups = whole.split(" ")
    money = re.match(rf"[ ]?(?:[{''.join(CURRENCIES)}%]|(?:kr|zł|Kč|EUR|CHF|SEK|NOK|DKK|PLN|CZK|HUF)\b)", after(found))
    measured = re.match(rf"[ ]?(?:{UNIT})(?!\w)", after(found)) is not None
    if part and money is None:
        return None
    if not ("000" in groups[1:] or money or measured or (len(groups) > 2 and counts_something(found))):
        return None
    return "".join(groups) + (f".{part}" if part else "")


_FAR: Final = (
    "km|km²|m²|kWh|ha|Euro|euros?|people|inhabitants|users|Einwohner|Menschen|habitants|personnes|personas|miles"
)
_MANY: Final = (
    r"Euro|euros?|dollars|people|inhabitants|users|followers|views|copies|Einwohner|Menschen|"
    r"habitants|personnes|personas"
)


def _bounds(found: re.Match[str]) -> str:
    """∫₀¹: from zero to one."""
    low = found[1].translate(_PLAIN_FIGURES)
    return f"∫ from {low} to {'∞' if found[2] == '∞' else found[2].translate(_PLAIN_FIGURES)} of"


_PLAIN_FIGURES: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789-0123456789")

DRESS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d),[-–—](?=[ ]?€|[\s.;)]|\Z)", ""),
    rule(r"(?<![\w.])([hH])\.(2)(6[1-6])(?!\w)", lambda m: f"{m[1]} dot two {cardinal(int(m[3]))}"),
    rule(r"∫[ ]?([₀-₉]{1,4}|₋[₀-₉]{1,4})([⁰¹²³⁴-⁹]{1,4}|∞)", _bounds),
    rule(r"(?<=\d)[ ]?''(?!['\w])", lambda m: None if "''" in before(m, 400) and "'" not in before(m, 4) else '"'),
    rule(rf"~(?=[ ]?-?[{''.join(CURRENCIES)}][ ]?[.]?\d)", "about "),
    rule(r"(?<=\d)ⁿ(?=d(?!\w))", "n"),
    rule(r"(?<!\w)(#[A-Za-z]{2,30})(?=(?:19|20)\d\d(?!\w))", r"\1 "),
    rule(r"(?<![\w&])#((?:19|20)\d\d)(?=[A-Za-z]{2})", lambda m: f"hashtag {year(int(m[1]))} "),
    rule(r"(?<![\w.])802\.11([a-z]{0,2})(?!\w)", lambda m: " ".join(["eight oh two dot eleven", *m[1].upper()])),
    rule(r"(?<=\d)-(alpha|beta|rc|dev|pre|preview|canary|nightly|snapshot)(?:[.-]?(\d{1,4}))?(?!\w)",
         lambda m: " ".join(filter(None, [" " + m[1], m[2]]))),
    rule(r"(?<=[A-Za-z]\d)²⁺|(?<=\w)[⁺⁻](?![⁰¹²³⁴-⁹])", lambda m: " plus" if "⁺" in m[0] else " minus"),
    rule(r"[⁰¹²³⁴-⁹⁺⁻⁼⁽⁾ⁿⁱ]++", _superscript),
    rule(r"[₀-₉₊₋₌₍₎ₙᵢₓ]++", _subscript),
    rule(r"(?<!\w)Y2K(?!\w)", "Y two K"),
    rule(r"[Ⅰ-ⅿ]++", _roman),
    rule(r"(?<!\w)[Nn]\.?[º°][ ]?(?=\d)", "number "),
    *GREEK_LETTERS,
    rule(r"(?<!\w)WWI{1,3}(?!\w)", lambda m: f"World War {cardinal(m[0].count('I'))}"),
    rule(r"(?<!\w)WW([12])(?!\w)", lambda m: f"World War {cardinal(int(m[1]))}"),
    # numbers as other countries write them: 1'000, 1,50,000, 1.234.567, 22,1 °C
    rule(r"(?<![\w.,'])\d{1,3}(?:'\d{3})++(?![\w'])", _joined),
    rule(r"(?<![\w.,])\d{1,3}(?:_\d{3})++(?!\w)", _joined),
    rule(r"(?<![\w.,])[1-9]\d{0,2}(?:\.\d{3}){2,}+(?![\w]|[.,]\d)", _thousands),
    rule(r"(?<![\w.,])\d{1,2}(?:,\d\d){1,6},\d{3}(?![\w,]\d|\d)", _joined),
    rule(r"(?<![\w.,:])[1-9]\d{0,2}(?:[ ]\d{3})++(?!\d)(?:,\d{1,2}(?!\d))?", _spaced_groups),
    rule(r"(?<![\w.,])\d{1,3}(?:\.\d{3})++,\d{1,2}(?![\w,.]\w|\d)", _decimal_comma),
    rule(r"(?<=€)[ ]?[1-9]\d{0,2}\.\d{3}(?![\w.,]\d|\d|[ ]?(?:/|per)[ ]?(?:l|L)(?:it|\b))", _joined),
    rule(r"(?<![\w.,])[1-9]\d{0,2}\.\d{3}(?=[ ]?€(?![ ]?(?:/|per)[ ]?(?:l|L)(?:it|\b)))", _joined),
    # 100.000 km: a point and three zeros in front of what nobody weighs to the gram
    rule(rf"(?<![\w.,])[1-9]\d{{1,2}}\.000(?=[ ]?(?:{UNIT}|{_MANY})(?!\w))|"
         rf"(?<![\w.,])[1-9]\.000(?=[ ]?(?:{_FAR})(?!\w))",
         _joined),
    rule(rf"(?<![\w.,])\d{{1,6}},\d{{1,2}}(?!\d){_DECIMAL_COMMA_FOLLOWS}", _decimal_comma),
    rule(rf"(?<=[{''.join(CURRENCIES)}])[ ]?\d{{1,6}},\d{{1,2}}(?![\w.,]\w|\d)", _decimal_comma),
    # a minus by other signs: in front of a number that follows no number
    rule(r"(?<![\w)\].%°″′\"'])(?<!\d )[–‒﹣－](?=[$€£¥₹]?[ ]?\.?\d)(?=\S)", "-"),
    rule(r"(?<=[$€£])[–‒](?=\.?\d)", "-"),
)  # fmt: skip
