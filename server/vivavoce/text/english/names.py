"""Numbers that are names and not amounts: codes, PINs, accounts, telephone numbers. They are read digit by digit."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import SPOKEN
from vivavoce.text.english.context import after, before, counts_something, is_plural, next_word
from vivavoce.text.english.numerals import digits, early_year, grouped_digits, number
from vivavoce.text.english.rule import Rule, rule

_NAMED: Final = (r"pins?|codes?|passcodes?|passwords?|zip(?: code)?|postcodes?|otp|ids?|account|acct|numbers?|nr|"
                 r"extensions?|ext|digits|serial|reference|ref|tracking|confirmation|booking|reservation|invoice|"
                 r"ticket|order|case|card|routing|license|passport|social security|ssn|iban|isbn|imei|sku|"
                 r"vin|ean|upc|gtin|barcode|ein")  # fmt: skip
# "code", "the code for the gate is", "PIN:", "ending in": at most a few plain words stand between.
_NAME_BEFORE: Final = re.compile(
    rf"(?i)(?:(?<![\w-])(?:{_NAMED})\.?(?: number| no\.?| code| id| pin)?"
    r"(?:(?: [a-z]{1,12}){0,4} (?:is|was|are|were|to|as|be|of)(?: now)?)?[:#=]?[ ]?#?"
    r"|(?<!\w)(?:(?:ending|ends|end|starting|starts) (?:in|with)|ending)[:]?[ ])\Z"
)
_CALL_BEFORE: Final = re.compile(
    r"(?i)(?<![\w-])(?:call(?:ed|ing)?|dial|phone|ring|text|texted|fax|tel|telephone|mobile|cell|whatsapp|sms|contact|"
    r"reach|hotline|helpline|number)(?: me| us| him| her| them| it| back| now| today| number| no\.?| line| is|"
    r" or| on| at"
    r"| toll-free| free)*[:.]?[ ]?\Z"
)
_PAIRS: Final = re.compile(r"\d\d[ -]")
_AMOUNT_OF: Final = re.compile(r"(?i)(?:total |large |small |great |huge |equal |whole |the )numbers? of \Z")
_SHORT_NAMES: Final = re.compile(r"(?i)(?:numbers?|nr|order|case|ticket|card)\.?(?: is| was| are)?[:#]?[ ]?#?\Z")


def _named(found: re.Match[str]) -> str | None:
    front, written = before(found, 60), found[0]
    length = sum(char.isdecimal() for char in written)
    if _PAIRS.match(written) and counts_something(found):
        return None
    name = _NAME_BEFORE.search(front)
    if name is None or _AMOUNT_OF.search(front) or length < 3:
        return None
    if length < 4 and _SHORT_NAMES.search(front):
        return None
    if counts_something(found) or re.match(r"[ ]?(?:%|percent|[°$€£])", after(found)):
        return None
    return ("number " if written[0] == "#" else "") + _in_groups(written)


def _called(found: re.Match[str]) -> str | None:
    length = sum(char.isdecimal() for char in found[0])
    if not 7 <= length <= 15 or _CALL_BEFORE.search(before(found, 60)) is None or is_plural(next_word(found)):
        return None
    written = found[0]
    return grouped_digits(written) if len(written) == 7 and written.isdecimal() else _in_groups(written)


_TEXTED: Final = re.compile(
    r"(?i)(?<!\w)(?:(?:text|texting|txt|sms|messages?)(?: us| me)?(?: (?:at|to))?|(?:text|send|txt|sms|reply|"
    r"message|texting)"
    r"(?: the word)? [\"'(]?(?-i:[A-Z]{2,15}\d{0,4})[\"')]?(?: by (?:text|sms))? to|(?:short ?code|"
    r"shortcode)(?: is)?) \Z"
)


def _texted(found: re.Match[str]) -> str | None:
    """Text 40404, send STOP to 72345: short codes."""
    return None if counts_something(found) or not _TEXTED.search(before(found)) else digits(found[0])


_DIALLED: Final = re.compile(
    r"(?i)(?<!\w)(?:dial(?:l?ing)?|press(?:ing)?|call(?:ing)?|enter|type|hit|key in|punch in|use|using|codes?|with|"
    r"prefix|try|and|or)(?: in)?[:]?[ ][\"'(]?\Z"
)


def _starred(found: re.Match[str]) -> str | None:
    """*67, *#06#, *123*1#: what is dialled."""
    written = found[0]
    if not written.endswith("#") and _DIALLED.search(before(found)) is None:
        return None
    said = re.sub(r"[*#]", lambda mark: " star " if mark[0] == "*" else " hash ", written)
    words = re.sub(
        r"\d+", lambda run: number(run[0]) if len(run[0]) == 2 and run[0][0] != "0" else digits(run[0]), said
    )
    return " ".join(words.split())


def _in_groups(written: str) -> str:
    plus = "plus " if written.startswith("+") else ""
    groups = re.findall(r"\d+", written)
    if len(groups) == 1 and 10 <= len(groups[0]) <= 12:
        return plus + grouped_digits(groups[0])
    if len(groups) == 1 and len(groups[0]) == 16:  # a card
        groups = [groups[0][at : at + 4] for at in range(0, 16, 4)]
    return plus + ", ".join(digits(group) for group in groups)


def _phone(found: re.Match[str]) -> str | None:
    groups = re.findall(r"\d+", found[0])
    if not 7 <= sum(map(len, groups)) <= 15:
        return None
    at = found.start()
    return ("" if not at or found.string[at - 1] != ":" else " ") + _in_groups(found[0])


def _shaped(found: re.Match[str]) -> str | None:
    """Groups with spaces between: a telephone or card number by its shape, unless they may be a list of amounts."""
    groups = found[0].split(" ")
    length = sum(map(len, groups))
    free = groups[0] in ("1300", "1800", "800", "888", "877", "866", "855", "844", "833", "900")
    is_card = len(groups) >= 3 and all(len(group) == 4 for group in groups)
    is_pairs = groups[0].startswith("0") and len(groups) >= 4
    starts_zero = groups[0].startswith("0") and len(groups[0]) > 1
    american = [*map(len, groups)] == [3, 3, 4] and groups[0][0] in "23456789" and groups[1][0] != "0"
    if not 8 <= length <= 19 or not (is_card or is_pairs or free or starts_zero or american):
        return None
    return _in_groups(found[0])


def _card(found: re.Match[str]) -> str | None:
    """A card by its check digit."""
    doubled = [int(figure) * (1 + (at + 1) % 2) for at, figure in enumerate(found[0])]
    return None if sum(value - 9 * (value > 9) for value in doubled) % 10 else _in_groups(found[0])


CODES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w*)])[*][*#]?\d{1,5}(?:[*#]\d{1,12}){0,4}#?(?![\w*])", _starred),
    rule(r"(?<![\w.,/+-])\d{5,6}(?![\w/%°º€£¥$²³^]|[.,:]\d|-\d)", _texted),
    rule(r"(?<![\w.,/+-])\+?\d{1,15}(?:[ -]\d{2,5}){0,4}(?![\w/%°º€£¥$²³^]|[.,:]\d|-\d)", _called),
    rule(r"(?<![\w.,/+-])#?\d{3,19}(?:[ -]\d{3,5}){0,4}(?![\w/%°º€£¥$²³^]|[.,:]\d|-\d)", _named),
    rule(r"(?<![\w.,/+-])\d\d(?:[ -]\d\d){1,4}(?![\w/%°º€£¥$²³^]|[.,:]\d|-\d| \d)", _named),
    rule(r"(?<![\w.,/+-])\d{16}(?![\w/%°º€£¥$²³^]|[.,:]\d|-\d)", _card),
)


def _in_pairs(found: re.Match[str]) -> str:
    """Room 1408, Flight 370: fourteen oh eight, three seventy."""
    return early_year(int(found[0]))


def _aircraft(found: re.Match[str]) -> str:
    """747-400: seven forty-seven four hundred."""
    return f"{early_year(int(found[1]))} {number(found[2])} ".rstrip()


_STREETS: Final = r"(?:St|Street|Ave|Avenue|Blvd|Boulevard|Rd|Road|Dr|Drive|Ln|Lane|Way|Court|Ct|Place|Pl|Pkwy)\b"


def _house(found: re.Match[str]) -> str:
    """1600 Pennsylvania Ave, 221B Baker Street."""
    return f"{early_year(int(found['house']))} {found['letter']}".rstrip()


def _score(found: re.Match[str]) -> str | None:
    """10-2-1: games won, lost and drawn; three pairs of figures are a code."""
    groups = [found[1], found[2], found[3]]
    if {*map(len, groups)} == {2} or any(len(group) > 1 and group[0] == "0" for group in groups):
        return None
    return ", ".join(map(number, groups))


NUMBERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.,/-])0\d{3,4}[ ]\d{5,7}(?![\w/%-]|[.,]\d)", _phone),
    rule(r"(?i)(?<=\btext )\d{3}(?!\w|[.,:]\d|-)", lambda m: None if counts_something(m) else digits(m[0])),
    rule(r"(?<=\b[Ff]light [A-Z\d][A-Z] )\d{1,4}(?!\w)", lambda m: digits(m[0])),
    rule(r"(?<=, [A-Z]{2} )\d{5}(?![\w/%-]|[.,]\d)", lambda m: digits(m[0])),
    rule(rf"(?<![\w.,/$#-])(?P<house>[1-9]\d{{2,3}})(?P<letter>[A-Z]?)"
         rf"(?= (?:[NSEW]\.? )?(?:[A-Z][a-z]+ ){{1,2}}{_STREETS})",
         _house),
    rule(r"(?<=[a-z] )(?:Ave|Blvd|Pkwy|Hwy)(?=,|\Z)", lambda m: SPOKEN[m[0].lower()]),
    rule(r"(?<![\w.,/-])[1-9]\d\d(?= (?:freeway|expressway|interstate|turnpike)\b)", _in_pairs),
    rule(r"(?<=\bPorsche )9\d\d(?!\w)", _in_pairs),
    rule(r"(?<![\w.,/$#+-])911(?![\w%/–-]|[.,:]\d)", lambda m: None if counts_something(m) else "nine one one"),
    rule(r"(?<![\w.,/-])(\d{1,2})-(\d{1,2})-(\d{1,2})(?![\w/-]|[.,]\d)", _score),
    rule(r"(?<!\w)(401|403|457)[ ]?(?:\(([kKbB])\)|([kKbB]))(?!\w)",
         lambda m: f"{early_year(int(m[1]))} {(m[2] or m[3]).upper()}"),
    rule(r"(?:(?<=\bRFC )|(?<=\bRFC-))\d{3,5}(?![\w%]|[.,]\d)", lambda m: digits(m[0])),
    rule(r"(?:(?<=\bISO )|(?<=\bISO/IEC )|(?<=\bIEEE )|(?<=\bDIN )|(?<=\bIEC )|(?<=\bNIST ))[1-9]\d{2,4}(?![\w%])",
         lambda m: _in_pairs(m) if len(m[0]) < 5 else digits(m[0])),
    rule(r"(?i)(?:(?<=\btel\. )|(?<=telephone )|(?<=\bphone: )|(?<=\bphone ))(0\d{2,5})[ ]?/[ ]?(\d{4,9})(?![\w/-])",
         lambda m: f"{digits(m[1])}, {digits(m[2])}"),
    rule(r"(?<=\bBoeing )7\d7(?!\w)", _in_pairs),
    rule(r"(?<=\bRyzen [3579] )[1-9]\d{3}(?=(?:X|XT|X3D|G|GE|U|H|HX|HS)(?!\w))", lambda m: f"{_in_pairs(m)} "),
    rule(r"(?<![\w.,/$-])(7[0-8]7)-(8|9|10)(?=(?:[ ](?:Dreamliner|MAX|Intercontinental|F)|F)?(?![\w-]|[.,]\d|[ ]?=))",
         _aircraft),
    rule(r"(?<![\w.,/$-])(7[0-8]7)-([1-9]00)(?=(?:ERF?|LR|F|SP)?(?!\w))", _aircraft),
    rule(r"(?:(?<=\bRTX )|(?<=\bGTX )|(?<=\bRX )|(?<=\bGeForce )|(?<=\bRyzen [3579] ))[1-9]\d{3}(?![\w%]|"
         r"[.,]\d)", _in_pairs),
    rule(r"(?<=[-.]\d{4})[ ]?x[ ]?(\d{2,5})(?!\w)", lambda m: f", extension {digits(m[1])}"),
    rule(r"(?<![\w.,/+-])(?:\+?\d{1,3}[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w-])", _phone),
    rule(r"(?<![\w.,/-])\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,5}(?![\w-])", _phone),
    rule(r"(?<![\w.,/-])\d{3}-\d{4}(?![\w-])", _phone),
    rule(r"(?<![\w.,/-])\(0\d{1,4}\)[ ]?\d{3,4}(?:[ -]?\d{3,4}){1,2}(?![\w-])", _phone),
    rule(r"(?i)(?:(?<=\broom )|(?<=\bsuite )|(?<=\bflight )|(?<=\bapartment )|(?<=\bapt )|(?<=\bunit )|(?<=\broute )|"
         r"(?<=\bhighway )|(?<=\btrain )|(?<=\bbus ))[1-9]\d{2,3}(?![\w/%–-]|[.,:]\d|[ ]\d)", _in_pairs),
    rule(r"(?<![\w.,/-])\d{2,4}(?:[ ]\d{2,4}){2,5}(?![\w/%-]|[.,]\d)", _shaped),
    rule(r"(?<![\w.,/-])00\d{1,3}(?:[ ]\d{1,4})?[ ]\d{5,9}(?![\w/%-]|[.,]\d)", _phone),
    rule(r"(?i)(?<=\bcall |\bdial )\d{3}(?: or \d{3})?(?!\w)", lambda m: " or ".join(map(digits, m[0].split(" or ")))),
    rule(r"(?<![\w.,/-])\d++(?:-\d++){2,}+(?=-[A-Z]{3})?(?![\w])", lambda m: ", ".join(map(digits, m[0].split("-")))),
    rule(r"(?<![\w.,/-])1-8(?:00|88|77|66|55|44|33)-(?=[A-Z]{2})",
         lambda m: ", ".join([*map(digits, m[0].rstrip("-").split("-")), ""])),
)  # fmt: skip
