"""Figures and short forms of German, French and Spanish among what an English voice reads: "10 Std.", "42,195 km lang".

An English voice says the words of other languages as it can; what they measure it can say rightly. A comma is a
decimal point where the words around it are not English. Called by the reader before numbers of any dress are folded.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import after, before
from vivavoce.text.english.numerals import ordinal
from vivavoce.text.english.rule import Rule, rule, with_stop

_SHORT: Final = {"Std": ("hour", "hours"), "Min": ("minute", "minutes"), "Sek": ("second", "seconds"),
                 "Stk": ("piece", "pieces"), "qm": ("square meter", "square meters"), "Mio": ("million", "million"),
                 "Mrd": ("billion", "billion"), "Tsd": ("thousand", "thousand"), "Mill": ("million", "million"),
                 "Wo": ("week", "weeks"), "EL": ("tablespoon", "tablespoons"), "TL": ("teaspoon", "teaspoons"),
                 "Pkg": ("package", "packages")}  # fmt: skip
_FOREIGN: Final = re.compile(
    r"(?i)(?<![\w'’-])(?:der|das|und|ist|sind|eine?[mnrs]?|mit|für|nicht|auf|bei|etwa|lang|hoch|est|les|une|des|avec|pour|"
    r"dans|sur|environ|el|los|las|una|por|para|con|del|il|gli|della|dans|är|och|het|een|van)(?![\w'’-])"
)
_DAYS: Final = {"Mo": "Monday", "Di": "Tuesday", "Mi": "Wednesday", "Do": "Thursday", "Fr": "Friday", "Sa": "Saturday",
                "So": "Sunday"}  # fmt: skip
_MONTHS: Final = "Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|Jänner"


def _short(found: re.Match[str]) -> str:
    one, many = _SHORT[found["unit"]]
    return with_stop(f"{found['amount']} {one if found['amount'] == '1' else many}", found)


def _decimal(found: re.Match[str]) -> str | None:
    """A comma inside a number, where the words around it are not English."""
    return f"{found[1]}.{found[2]}" if _FOREIGN.search(before(found)) or _FOREIGN.search(after(found)) else None


EUROPEAN: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.-])(Mo|Di|Mi|Do|Fr|Sa|So)\.?[ ]?[-–][ ]?(Mo|Di|Mi|Do|Fr|Sa|So)(?:\.(?=[ ,:])|(?=[:,])|\.?\Z|"
         r"(?= \d))",
         lambda m: f"{_DAYS[m[1]]} to {_DAYS[m[2]]}"),
    rule(r"(?<!\w)Nr\.?[ ]?(?=\d)", "number "),
    rule(rf"(?<![\d.,])(\d{{1,2}})\.[ ](?=(?:{_MONTHS})(?!\w))", lambda m: f"{ordinal(int(m[1]))} "),
    rule(r"(?<![\w.,:])([01]?\d|2[0-4])\.([0-5]\d)(?=[ ]Uhr\b)", r"\1:\2"),
    rule(r"(?<![\w.,])(\d{1,6}),(\d{1,3})(?![\w,]|\.\d)", _decimal),
    rule(r"(?<![\w.,])(\d{1,6}),(\d{1,2})(?=[ ]?(?:Mio|Mrd|Tsd|Mill|Std|Min|qm|t|Euro|EL|TL)(?!\w))", r"\1.\2"),
    rule(rf"(?<![\w.,])(?P<amount>\d{{1,6}}(?:\.\d{{1,3}})?)[ ]?(?P<unit>{'|'.join(_SHORT)})(?:\.|(?!\w))", _short),
    rule(r"(?<![\w.,])(\d{1,6}\.\d{1,2})[ ]t(?!\w)", r"\1 tons"),
)  # fmt: skip
