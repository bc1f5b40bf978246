"""Abbreviations and signs; last of all the numbers nobody else has read."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.abbreviations import SENTENCE_STARTERS, SPOKEN, SPOKEN_BEFORE_NUMBER
from vivavoce.text.english.money import LONE_SIGNS
from vivavoce.text.english.numerals import INTEGER, number
from vivavoce.text.english.rule import Rule, ends_text, rule, with_stop
from vivavoce.text.english.units import UNITS

_SIGNS: Final = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "×": "times", "*": "times", "÷": "divided by",
    "±": "plus or minus", "≈": "about", "§": "section", "°": "degrees", "√": "root of", "∞": "infinity",
    "/": "slash", "→": "to", "¢": "cents", "‰": "per mille", "#": "hash", "∆": "delta", "∂": "partial", "∇": "nabla",
    "∑": "sum of", "∏": "product of", "∫": "integral of", "∈": "in", "∉": "not in", "∀": "for all",
    "∃": "there exists", "∴": "therefore", "∝": "is proportional to", "∼": "about", "≃": "about", "≅": "about",
    "≡": "is equivalent to", "⇒": "implies", "⇔": "if and only if", "←": "from", "↔": "to and from", "⊂": "subset of",
    "⊆": "subset of", "∪": "union", "∩": "intersection", "∅": "empty set", "¬": "not", "∧": "and", "∨": "or",
    "⋅": "times", "∙": "times", "∓": "minus or plus", "″": "inches", "′": "feet", "¶": "paragraph",
    "‱": "per ten thousand", "∛": "cube root of", "∜": "fourth root of", "∠": "angle",
    "⊥": "perpendicular to", "∥": "parallel to", "♯": "sharp", "♭": "flat", "♮": "natural",
}  # fmt: skip


_NUMBER_BEFORE: Final = re.compile(r"[\d½-⅞¼-¾%][ -]?(?:fl\.[ ])?\Z")


def _abbreviation(found: re.Match[str]) -> str | None:
    key = found["short"].lower()
    words = SPOKEN.get(key)
    if found.string[found.start() - 1 : found.start()] == "/" and key in UNITS:  # $3.99/lb. is the unit of a price
        return None
    if key == "mo" and found["short"][0].isupper():  # Missouri
        return None
    if words is None or (
        (key in UNITS or key == "sq") and _NUMBER_BEFORE.search(found.string[max(0, found.start() - 8) : found.start()])
    ):
        return None
    if words[0].isupper() and not found["short"][0].isupper():  # "jan." and "dec." in lower case are something else
        return None
    if found["short"][0].isupper() and not found["short"][1:2].isupper() and _begins_sentence(found):
        words = words[0].upper() + words[1:]
    return with_stop(words, found)


def _begins_sentence(found: re.Match[str]) -> bool:
    return not found.string[: found.start()].strip(" \"'([")


def _saint(found: re.Match[str]) -> str:
    return with_stop("saint" if re.match(r"\s+[A-Z]", found.string[found.end() : found.end() + 4]) else "street", found)


def _doctor(found: re.Match[str]) -> str | None:
    """ "Mulholland Dr." at the end is a street; in front of a name it is a title, left to the table."""
    return "drive." if ends_text(found) and not _begins_sentence(found) else None


def _letters(found: re.Match[str]) -> str:
    """ "U.S.", "Ph.D.": with stops, which dictionaries read letter by letter ("A M" would be an article and an M)."""
    return "".join(f"{char.upper()}." for char in found[0] if char.isalpha())


def _versus(found: re.Match[str]) -> str | None:
    """The parties of a case: Smith v. Jones."""
    return "versus" if _PARTY.search(found.string[max(0, found.start() - 24) : found.start()]) else None


_PARTY: Final = re.compile(r"(?<!\w)(?:[A-Z][\w.&'’-]*|incorporated|corporation|company|limited)[ ]\Z")


def _initial(found: re.Match[str]) -> str | None:
    """The stop of "J." in front of a name is no pause; in front of a new sentence it is."""
    return None if found["next"].lower() in SENTENCE_STARTERS and len(found["next"]) > 1 else found["letter"]


def _integer(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    left = " " if start and text[start - 1].isalpha() else ""
    right = " " if text[end : end + 1].isalpha() else ""
    return f"{left}{number(found[0])}{right}"


def _sign(found: re.Match[str]) -> str:
    return f" {_SIGNS[found[0]]} "


def _pronouns(found: re.Match[str]) -> str:
    """His/her is one or the other; they/them is how somebody is called."""
    first, second = found[1], found[2]
    alternative = not found[3] and {first.lower(), second.lower()} in ({"he", "she"}, {"his", "her"}, {"him", "her"},
                                                                       {"his", "hers"}, {"he", "they"},
                                                                       {"she", "they"})  # fmt: skip
    return f"{first} or {second}" if alternative else " ".join(filter(None, found.groups()))


def _alternatives(found: re.Match[str]) -> str:
    """Either/or, yes/no."""
    return f"{found[1]} {'' if found[2].lower() == 'or' else 'or '}{found[2]}"


ABBREVIATIONS: Final[tuple[Rule, ...]] = (
    rule(r"(?<!\w)(?:[Ll]vl|Lv)(?=[ ]?\d)", "level"),
    rule(r"(?<=\d )est\.(?=\Z|[ ]?[,;)])|(?<![\w.])est\.(?=\)|,)", lambda m: with_stop("estimate", m)),
    rule(r"(?<![\w.])([Ee])st\.(?= [a-z])(?<!al\. [Ee]st\.)", lambda m: f"{m[1]}stimated"),
    rule(r"(?i)(?:(?<=\bcase )|(?<=\bvat )|(?<=\border )|(?<=\bserial )|(?<=\bpolicy )|(?<=\bticket )|"
         r"(?<=\baccount ))no\.(?= \w)",
         "number"),
    rule(r"(?<![\w.])St (?=(?:Petersburg|Louis|Paul|Andrews|Albans|Ives|Helens|Helena|Lucia|Kitts|Vincent|John|"
         r"Mary|George|"
         r"Peter|Patrick|James|Michael|Thomas|Francis|Joseph|Martin|Moritz|Tropez|Pancras|Bernard)(?!\w))", "saint "),
    rule(r"(?i)(?<!\w)(he|she|his|him|her|they|hers)/(him|her|his|hers|them|theirs|she|he|they)"
         r"(?:/(his|hers|theirs))?(?![\w/])", _pronouns),
    rule(r"(?i)(?<!\w)(either|yes|true|win|on|pass)/(or|no|false|lose|off|fail)(?![\w/])", _alternatives),
    rule(r"(?<![\w.])ca?\.[ ]?(?=\d{3,4}(?![\w.,]\d))", "circa "),
    rule(r"(?<![\w.])St\.", _saint),
    rule(r"(?<![\w.])Dr\.", _doctor),
    rule(r"(?i)(?<![\w.])(?P<short>e\.g|i\.e)\b\.?(?:,(?=\s))?", lambda m: SPOKEN[m["short"].lower()] + ","),
    rule(r"(?<![\w.])(?P<short>[A-Za-z]{2,7})\.(?!\w)", _abbreviation),
    rule(r"(?i)(?<![\w.])(?P<short>" + "|".join(sorted(SPOKEN_BEFORE_NUMBER, key=len, reverse=True))
         + r")\.[ ]*(?=[#(]?\d|S[ \d])", lambda m: SPOKEN_BEFORE_NUMBER[m["short"].lower()] + " "),
    rule(r"(?i)(?<![\w.])est\.[ ]+(?=1[0-9]\d\d(?!\w)|20\d\d(?!\w))", "established "),
    rule(r"(?<![\w.])(?P<v>v)\.(?= (?:the )?[A-Z])", _versus),
    rule(r"(?<![\w.])Ft\.(?= [A-Z][a-z])(?<!\d Ft\.)", "Fort"),
    rule(r"(?<![\w.])([Nn])o\.(?= of (?!the\b|course\b))", lambda m: "Number" if m[1] == "N" else "number"),
    rule(r"(?<![\w.])([BM])\.?Sc\.?(?!\w)", lambda m: f"{m[1]}.S.C."),
    rule(r"(?i)(?<![\w./])w/o(?!\w)", "without"),
    rule(r"(?i)(?<![\w./])b/c(?![\w/])", "because"),
    rule(r"(?i)(?<![\w./])c/o(?![\w/])", "care of"),
    rule(r"(?<![\w./])TCP/IP(?![\w/])", "TCP IP"),
    rule(r"(?<![\w./·²³^])([A-Z])/([A-Z])(?![\w/])", r"\1 \2"),
    rule(r"(?i)(?<![\w./])w/out(?!\w)", "without"),
    rule(r"(?i)(?<![\w./])(?<!\d )w/(?=\s|\w\w)", "with "),
    rule(r"(?i)(?<![\w.])feat\.(?= \w)", "featuring"),
    rule(r"(?<![\w.])(?<!\d )ft\.(?= [A-Z][a-z])", "featuring"),
    rule(r"(?i)(?<!\w)and/or(?!\w)", "and or"),
    rule(r"(?i)(?<![\w.])vs(?![\w.])", "versus"),
    rule(r"(?<![\w.])Ph\.?D\.?(?!\w)", _letters),
    rule(r"(?<![\w.])(?:[A-Za-z]\.){2,10}(?!\w)", _letters),
    rule(r"(?<![\w.])(?:[A-Z]\.){1,10}[A-Z](?![\w.])", _letters),
    rule(r"(?<![\w.'])(?P<letter>[A-Z])\.(?=\s(?P<next>[A-Z][a-z]*+))", _initial),
)  # fmt: skip

NUMBERS: Final[tuple[Rule, ...]] = (
    rule(r"(?<=[A-Za-z])-(?=\d)", " "),
    rule(r"(?<![\w)\].])-(?=[.]?\d)", " minus "),
    rule(
        r"(?<=[\d.)]) [-−] (?=[\d(])|(?<=\b[a-zA-Z])(?<![A-Za-z]{2} [A-Z]) [-−] (?=\d|[a-zA-Z]\b(?!['’.]))", " minus "
    ),
    rule(r"#(?=\d++[A-Za-z])", " hashtag "),
    rule(r"#(?=\d)", " number "),
    rule(r"(?<=[A-Za-z])~(?=\d)", " tilde "),
    rule(r"~(?=[ ]?(?:minus )?\d)", "about "),
    rule(r"(?<=\d)[ ]?[xX×][ ]?(?=\d)", " times "),
    rule(rf"{INTEGER}(?:\.\d++)?+|(?<![\w.])\.\d++", _integer),
)

SYMBOLS: Final[tuple[Rule, ...]] = (
    rule(
        r"(?<![A-Za-z])([A-G])b(?= (?:major|minor|maj|min|chord|scale|clarinet|trumpet|cornet|tuba|horn|sax|"
        r"saxophone|instruments?)\b)",
        r"\1 flat",
    ),
    rule(r"(?<![A-Za-z])([A-G][#b]?)maj(?= |\Z)", r"\1 major"),
    rule(r"(?<![A-Za-z])([A-GJ])#(?!\w)", lambda m: f"{m[1]} sharp"),
    rule(r"(?<![A-Za-z])([A-G])#(?=(?:m|maj|min|dim|sus|aug|add)?(?: \w+)?(?:[ ,.;]|\Z))", lambda m: f"{m[1]} sharp "),
    rule(r"(?<!\w)\*\.(?=\w)", "star dot "),
    rule(r"(?<=SELECT )\*|\*(?= FROM\b)", "star"),
    rule(r"(?m)^\$ (?=[a-z./~])", ""),
    rule(r"(?<![\w.])\.(?=[A-Za-z]{2})", "dot "),
    rule(r"(?<![\w#])#(?=[^\W\d])", "hashtag "),
    rule(r"(?<=[a-z])\.(?=[A-Z][a-z])", ". "),
    rule(r"(?<=\w)(?<!\b[A-Z])\.(?=[A-Za-z])", " dot "),
    rule(r"(?<=\b[A-Z]\.[A-Z]\.)\.(?!\.)", ""),  # "5pm." ends with one stop
    rule(r"(?<=\w)[ ]{0,3}<[ ]{0,3}(?=[\w.(-])", " less than "),
    rule(r"(?<=\w)[ ]{0,3}>[ ]{0,3}(?=[\w.(-])", " greater than "),
    rule(r"(?<!\w)[ ]?<[ ]?(?=\d)", " less than "),
    rule(r"(?<!\w)[ ]?>[ ]?(?=\d)", " greater than "),
    rule(r"(?<=[\w\"')!?.])--++(?=[\w\"'(])", ", "),
    rule(r"\s?—[\s—]*|(?<=\s)[–-]{1,3}\s", ", "),
    rule(r"\s?–[\s–]*", ", "),
    *LONE_SIGNS,
    rule("[" + re.escape("".join(_SIGNS)) + "]", _sign),
    rule(r"[\[\]{}<>|\\^_~©®™`•·]", " "),
    rule(r"[^\w\s.,;:!?'\"()-]", " "),
)
