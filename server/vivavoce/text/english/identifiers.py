"""Names that mix letters and figures: bank accounts, postcodes, hardware and network addresses, booking codes.

They are spelled, sign by sign, in the groups they are written in. Called by the reader after web addresses and before
any rule that would take their figures for numbers.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import before
from vivavoce.text.english.numerals import digits, year
from vivavoce.text.english.rule import Rule, rule

_CODE_BEFORE: Final = re.compile(
    r"(?i)(?<![\w-])(?:(?:order|tracking|confirmation|booking|reservation|reference|serial|invoice|ticket|case|account|"
    r"part|model|product|promo|coupon|discount|voucher|access|gift|verification|activation|license|licence|flight|"
    r"registration|record|item|claim|policy|job|request)(?: (?:numbers?|no\.?|codes?|ids?|keys?|plates?|locators?))?|"
    r"codes?|pnr|sku|vin|imei|ids?|serial|plates?|passwords?|ref\.?)(?: (?:is|was|are|were))?[:#=]?[ ]?\Z"
)


def spelled(written: str) -> str:
    """Letters apart and figures one by one: "1Z9" is "one Z nine"."""
    return " ".join(digits(char) if char.isdecimal() else char for char in written if char.isalnum())


def _groups(found: re.Match[str]) -> str:
    return ", ".join(map(spelled, re.split(r"[ :-]", found[0])))


def _postcode(found: re.Match[str]) -> str:
    return f"{spelled(found[1])}, {spelled(found[2])}"


def _network(found: re.Match[str]) -> str | None:
    """An address of eight groups; the longest row of zeros may be left out."""
    written = found[0]
    groups = written.split(":")
    if not ("::" in written or len(groups) == 8) or len(groups) > 9 or not re.search(r"\d", written):
        return None
    said = " colon ".join(spelled(group.upper()) for group in groups)
    return " ".join(f" {said} ".split())


def _code(found: re.Match[str]) -> str | None:
    """Behind "order", "tracking number", "booking code": a name of letters and figures."""
    written = found[0]
    plain = written.lstrip("#")
    if not (any(map(str.isdecimal, plain)) and any(map(str.isalpha, plain))) or len(plain) < 5:
        return None
    if _CODE_BEFORE.search(before(found, 60)) is None:
        return None
    return ("number " if written[0] == "#" else "") + ", ".join(map(spelled, plain.split("-")))


def _colour(found: re.Match[str]) -> str | None:
    """#ff8800; figures alone are a number, letters alone a word."""
    sign = found[1]
    return f"hash {spelled(sign.upper())}" if not (sign.isdecimal() or sign.isalpha()) else None


def _account(found: re.Match[str]) -> str:
    plain = found[0].replace(" ", "")
    return ", ".join(spelled(plain[at : at + 4]) for at in range(0, len(plain), 4))


IDENTIFIERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\bISO )([1-9]\d{2,3}):((?:19|20)\d\d)(?!\w)", lambda m: f"{year(int(m[1]))}, {year(int(m[2]))}"),
    rule(r"(?<![\w:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![\w:-])", _groups),
    rule(r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,39}:)(?:[0-9A-Fa-f]{1,4}|(?=::))(?::{1,2}[0-9A-Fa-f]{1,4}){1,8}(?:::)?(?![\w:.])",
         _network),
    rule(r"(?<!\w)[A-Z]{2}\d\d(?:[ ]?[0-9A-Z]{4}){3,7}(?:[ ]?[0-9A-Z]{1,4})?(?![\w])", _account),
    rule(r"(?<![\w-])([A-Z]{1,2}\d[A-Z\d]?)[ ](\d[A-Z]{2})(?![\w-])", _postcode),
    rule(r"(?<![\w/-])(?<!\d )(\d{5})-(\d{4})(?![\w/-]|[.,]\d)", lambda m: f"{digits(m[1])}, {digits(m[2])}"),
    rule(r"(?<![\w&])#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})(?![\w-])", _colour),
    rule(r"(?<![\w-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])", _groups),
    rule(r"(?<![\w.-])(?=[a-f\d]{0,40}\d[a-f]{1,8}\d)(?=[a-f\d]{0,40}[a-f]\d{1,8}[a-f]|[a-f\d]{12})[a-f\d]{7,64}(?![\w])(?!\.\d)",
         lambda m: f" {spelled(m[0])}"),
    rule(r"(?<![\w./@-])(?!\d{8}T\d{4})(?=[A-Z\d]{0,30}\d{4})(?:[A-Z]{1,3}\d{7,20}|(?=[A-Z\d]{0,30}\d[A-Z]{1,8}\d)[A-Z\d]{9,34})(?![\w/@-])",
         lambda m: spelled(m[0])),
    rule(r"(?<!\w)0([xXbBoO])([0-9A-Fa-f]{1,16})(?!\w)", lambda m: f"zero {m[1].lower()} {spelled(m[2].upper())}"),
    rule(r"(?i)(?:(?<=\berror )|(?<=\bfault )|(?<=\bcode )|(?<=\bcodes )|"
         r"(?<=\berrors ))(?-i:[A-Z]{1,3}-?)\d{3,5}(?!\w|[.,]\d)",
         lambda m: f" {spelled(m[0])}"),
    rule(r"(?<![\w@./])#?[A-Z0-9]{1,20}(?:-[A-Z0-9]{1,20}){0,5}(?![\w@/%]|[.,:]\d|-\w)", _code),
)  # fmt: skip
