"""Numbers with what they measure: units, degrees, percentages, sizes, inches and feet, thousands and millions."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import after, before, is_adjective, is_noun, is_plural, next_word
from vivavoce.text.english.fractions import BEFORE_UNITS, FRACTIONS
from vivavoce.text.english.numerals import NOT_INSIDE, NUMBER, early_year, number, ordinal, plural
from vivavoce.text.english.rule import Rule, closes_quotation, keep_stop, rule
from vivavoce.text.english.units import UNIT, unit_name

_SCALES: Final = {"C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", None: ""}
_MAGNITUDES: Final = {"k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion",
                      "bn": "billion", "t": "trillion", "tn": "trillion"}  # fmt: skip
# Behind "2m": what one has millions of. "2m boards" are short, "2m views" are many.
_COUNTED: Final = re.compile(r"[ ](?:(?:monthly|daily|weekly|active|new|unique|paying|registered|total|more|extra|"
                             r"US|British) )*(?:views?|users|downloads|followers|subscribers|subs|people|customers|"
                             r"likes|tokens|param\w*|records|rows|visitors|visits|streams|plays|copies|homes|jobs|"
                             r"members|players|fans|listeners|hits|clicks|impressions|voters|votes|residents|dollars|"
                             r"euros|pounds|pages|files|images|songs|sales|requests|queries|shares|installs|readers|"
                             r"items|units|orders|words|lines|messages|accounts|cars|trees|tons|miles)\b")  # fmt: skip
_LABEL: Final = re.compile(r"(?i)\b(?:room|gate|apartment|apt|unit|suite|section|row|seat|flat|building|block|model|"
                           r"plan|platform|exit|route|page|figure|fig|table|version|type|class|grade|group|step|"
                           r"option|question|part|chapter|studio|hall|terminal|track|level|floor|bus|line|size|"
                           r"line|stage|phase|number|is|it's)\.?[ ]\Z")  # fmt: skip
_K_SCREEN: Final = re.compile(r"(?i)[ -](?:ultra|uhd|video|tv|tvs|resolution|monitor|display|screen|footage|camera|"
                              r"(?:\d{2,3} ?(?:hz|fps))|race|run|runs|walk|gold|movie|blu|hdr|content|"
                              r"streaming|quality)")  # fmt: skip


def _single(found: re.Match[str], *, hyphen: bool = False) -> bool:
    return hyphen or is_adjective(found)


def _unit(found: re.Match[str]) -> str | None:
    amount, sign, last = found["amount"], found["unit"], found["last"]
    if sign == "bit" and found["joint"] == "-":  # "16-bit" is said as it is written
        return None
    if sign == "ac" and not found["joint"]:  # b^2 - 4ac
        return None
    if sign == "K" and is_plural(next_word(found)):  # "300 K users" are thousands
        return None
    words = number(amount) + (f" to {number(last)}" if last else "")
    single = _single(found, hyphen=found["joint"] == "-") or (amount == "1" and not last)
    return keep_stop(f" {words} {unit_name(sign, single=single)}", found)


def _cups(found: re.Match[str]) -> str:
    """2 c flour, 1/2 c. of sugar: in front of food a "c" is a cup."""
    return " cup" if re.search(r"(?:(?<![\d.])1|/\d+|(?<!\d)[½¼¾⅓⅔])\Z", before(found, 8)) else " cups"


def _worded(found: re.Match[str]) -> str | None:
    """A unit behind a word of quantity: half a km, several kg, per mi."""
    quantity = _QUANTITY.search(before(found))
    return unit_name(found[1], single=quantity["many"] is None) if quantity else None


_QUANTITY: Final = re.compile(r"(?i)(?<!\w)(?:an?|per|each|every|one|(?P<many>several|many|few|some|hundred|"
                              r"thousand|million|dozen|of|in|more|additional|extra))[ ]\Z")  # fmt: skip


_TURNED: Final = frozenset(
    ["turn", "angle", "view", "rotation", "camera", "bend", "video", "panorama", "feedback", "review", "arc", "spin"]
)


def _degrees(found: re.Match[str]) -> str | None:
    amount, scale = found["amount"], found["scale"]
    if found["sign"] == "º" and scale is None and amount.isdecimal() and int(amount) < 10:
        return f" {ordinal(int(amount))}"  # Spanish and Portuguese: 1º
    minus = "minus " if found["minus"] else ""
    single = amount == "1" or is_adjective(found) or next_word(found) in _TURNED
    return f" {minus}{number(amount)} degree{'' if single else 's'}{_SCALES[scale and scale.upper()]}"


def _arc(found: re.Match[str]) -> str:
    words = f" {number(found[1])} degrees {number(found[2])} minutes"
    return f"{words} {number(found[3])} seconds" if found[3] else words


def _inches(found: re.Match[str]) -> str | None:
    """`27"` is a length unless the mark closes a quotation."""
    if found["mark"] == '"' and closes_quotation(found):
        return None
    single = found["amount"] == "1" or _single(found)
    return f" {number(found['amount'])} {'inch' if single else 'inches'}"


def _feet(found: re.Match[str]) -> str:
    single = found["amount"] == "1" or _single(found)
    return f" {number(found['amount'])} {'foot' if single else 'feet'}"


_PARTS_OF_INCH: Final = {"½": "a half", "¼": "a quarter", "¾": "three quarters"}
# Figures that somebody is, or that something is so far away.
_MEASURED: Final = re.compile(r"(?i)(?:(?<!\w)(?:is|am|are|was|were|about|around|over|under|nearly|almost|only|"
                              r"roughly|of|to|than|at|"
                              r"least|most|up|tis|measures|stands|drop|fell|jumped|grew|dove|deep|every)|"
                              r"['’](?:m|s|re)) \Z")  # fmt: skip


def _height(found: re.Match[str]) -> str:
    """6'02": six foot two."""
    return f"{number(found[1])} foot {number(found[2].lstrip('0') or '0')}"


def _bare_feet(found: re.Match[str]) -> str | None:
    """6' on its own: feet, unless the mark ends a quotation that one has begun, or a plural owns something."""
    front, text = before(found, 400), found.string
    if re.search(r"(?<![\w'])'[^']*\Z|[-+*/=^][ ]?\Z", front):  # 'I have 6'
        return None
    word = next_word(found)
    if not (_MEASURED.search(front) or _DETERMINED.search(front) or text[found.end() : found.end() + 1] == "-"
            or re.match(r"[ ]?(?:[,;)=]|\Z|[.!?]|(?:and|or|to|from|in|away|below|above|long|"
                        r"tall|ceilings?|ladders?|walls?|fences?|boards?|tables?|poles?|boats?|doors?|trees?|"
                        r"ropes?)\b)", after(found))):  # fmt: skip
        return None
    single = found["amount"] == "1" or text[found.end() : found.end() + 1] == "-" or is_adjective(found)
    return f" {number(found['amount'])} {'foot' if single and word != 'above' else 'feet'}"


_DETERMINED: Final = re.compile(r"(?i)(?<!\w)(?:(?:an?|the|this|that|each|one|my|our|his|her) |[a-z]s['’] )\Z")


def _many(found: re.Match[str]) -> str | None:
    """300K, 5M, 2m: thousands and millions without a currency sign."""
    amount, short = found["amount"], found["short"]
    counted = _COUNTED.match(after(found)) is not None
    if short in "mbt" and not counted:
        return None
    if amount.isdecimal() and len(amount) > 4 and not counted:  # a model, such as 12700K
        return f" {number(amount)} {short}" if short in "kK" else None
    if _LABEL.search(before(found)) and not counted:
        return None
    if short in "kK" and amount in ("2", "4", "5", "8", "10", "16") and _K_SCREEN.match(after(found)):
        return f" {number(amount)} K"
    if short == "K" and amount in ("4", "8") and not counted and not is_plural(next_word(found)) and not found["last"]:
        return f" {number(amount)} K"
    if short in "BT" and not (counted or is_plural(next_word(found)) or "." in amount or len(amount) > 1):
        return None
    words = number(amount) + (f" to {number(found['last'])}" if found["last"] else "")
    return f" {words} {_MAGNITUDES[short.lower()]}"


def _size(found: re.Match[str]) -> str | None:
    """ "by" between the sides of something; a product stays one."""
    rest = after(found)
    sides = re.split(r"[ ]?[xX×][ ]?", found[0])
    glued = not re.search(r"[ ×]", found[0]) or (len(sides) == 2 and min(len(side) for side in sides) > 2)
    noun = next_word(found)
    of_something = (
        sides[-1][-1] not in "0123456789"
        or _ARTICLE_BEFORE.search(before(found)) is not None
        or _SIZED.match(rest) is not None
        or (" " not in found[0] and is_noun(noun))
        or noun in _HAS_SIDES
    )
    if _EQUALS.match(rest) or not (len(sides) > 2 or glued or of_something):
        return None
    measured = _SIZED.match(rest) is not None
    said = [number(side) if side.isdecimal() and not (measured and side is sides[-1]) else side for side in sides]
    return " " + " by ".join(said)


def _basis_points(found: re.Match[str]) -> str | None:
    """25 bps of interest; bits a second and pairs of bases elsewhere."""
    near = f"{before(found)} {after(found)}"
    if not _INTEREST.search(near):
        return None
    single = found["amount"] == "1" or is_adjective(found)
    return f"{number(found['amount'])} basis point{'' if single else 's'}"


def _dose(found: re.Match[str]) -> str:
    """500mg/5mL: so much in so much."""
    amount = f"{number(found[1])} {unit_name(found[2], single=found[1] == '1')}"
    return f"{amount} per {number(found[3])} {unit_name(found[4], single=found[3] == '1')}"


def _several(found: re.Match[str]) -> str | None:
    """Two 6s, 747s: figures of which there are several; other such numbers are seconds."""
    figures = found[1]
    if re.fullmatch(r"7[0-8]7", figures):
        return f"seven {plural(number(figures[1:]))}"
    return plural(number(figures)) if len(figures) < 3 and _HOW_MANY.search(before(found)) else None


_INTEREST: Final = re.compile(r"(?i)\b(?:rates?|hikes?|cuts?|yields?|spreads?|basis|rose|fell|up|down|tighter|wider|"
                              r"tightened|widened|raised?|lower(?:ed)?|increase[ds]?|fed|bonds?|points?|margins?|"
                              r"interest|inflation)\b")  # fmt: skip
_HOW_MANY: Final = re.compile(r"(?i)\b(?:two|three|four|five|six|several|many|few|some|those|these|all|of) \Z")
_HAS_SIDES: Final = frozenset(
    ["photo", "photos", "print", "prints", "card", "cards", "frame", "frames", "rug", "poster", "grid", "matrix",
     "board", "room", "sheet", "tile", "tiles", "table", "lot", "post", "posts", "lumber", "canvas", "envelope",
     "paper", "box"]
)  # fmt: skip
_ARTICLE_BEFORE: Final = re.compile(r"(?i)(?<![\w'])(?:an?|the|each|per|size|measures|is) \Z")
_EQUALS: Final = re.compile(r"[ ]?=")
_SIZED: Final = re.compile(rf"[ ]?(?:{UNIT}|in(?:ches)?|feet|pixels|meters|metres|centimeters|inches|[\"'′″])(?!\w)")


def _range(found: re.Match[str]) -> str:
    return f" {number(found[1])} to {number(found[2])}"


_SIDE: Final = r"\d{1,6}(?:\.\d{1,4})?(?:['\"′″]|[ ]?(?:cm|mm|km|m|ft|in)(?!\w))?(?!\d)"

SIZES: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.])(480|720|1080|1440|2160)p(\d{2,3})(?!\w)", lambda m: f"{early_year(int(m[1]))} P {number(m[2])}"),
    rule(
        r"(?<![\w.])\.(\d{2})(?=[ -](?:cal(?:iber|ibre)?|ACP|Magnum|Mag|LR|rounds?|pistol|rifle|revolver|ammo)\b)",
        lambda m: number(m[1]),
    ),
    rule(r"(?<![\w.,/-])(\d{1,2})W-(\d{2})(?!\w)", lambda m: f"{number(m[1])} W {number(m[2])}"),
    rule(
        r"(?<![\w.,/-])(\d{3})/(\d{2})(Z?R)(\d{2})(?!\w)",
        lambda m: f"{early_year(int(m[1]))} {number(m[2])} {' '.join(m[3])} {number(m[4])}",
    ),
    rule(r"(?<![\w.,])(\d{1,2})[xX×](\d{1,2})s(?!\w)", lambda m: f"{number(m[1])} by {plural(number(m[2]))}"),
    rule(r"(?<=[½¼¾⅓⅔⅛⅜⅝⅞])[ ]?[xX×][ ]?(?=\d)|(?<=/\d[\"″])[ ]?[xX×][ ]?(?=\d)", " by "),
    rule(r"(?<=\b[A-Z])-(\d{1,3})s(?!\w)", lambda m: f" {plural(number(m[1]))}"),
    rule(r"(?<=[A-Z])(?<!\bK(?=8s))(\d{1,4})s(?![\w/])", lambda m: f" {plural(number(m[1]))}"),
    # before a unit takes the number away from it
    rule(r"(?<![\w)\].%°'\"″′^({-])-(?=\.?\d|[¼-¾⅐-⅞])|(?<=[({])(?<!\^[({])-(?=\.?\d)", " minus "),
    rule(r"(?<![\w.])(480|576|720|1080|1440|2160)([pi])(?!\w)", lambda m: f"{early_year(int(m[1]))} {m[2].upper()}"),
    rule(r"(?<!\w)f/(?=\d)", "f "),
    rule(rf"(?<![\w.,/]){_SIDE}(?:[ ]?[xX×][ ]?{_SIDE}){{1,4}}+(?![\w×])", _size),
    rule(r"(?<=\d)[xX](?=[ ]?[-+=<>^*)]|[ ]?/(?![a-z]{3}))", " x"),
)

_PER: Final = {"hr": "hour", "mo": "month", "yr": "year", "wk": "week", "sec": "second", "min": "minute",
               "kWh": "kilowatt hour", "lb": "pound", "bbl": "barrel", "sq ft": "square foot", "sqft": "square foot",
               "sq. ft": "square foot", "gal": "gallon", "oz": "ounce", "L": "liter", "h": "hour",
               "s": "second"}  # fmt: skip

_FOODS: Final = (
    "flour|sugar|milk|water|butter|rice|oats|broth|stock|cream|cheese|oil|chocolate|nuts|brown|white|buttermilk|"
    "all-purpose|chopped|diced|sliced|shredded|grated|warm|cold|heavy|packed|cooked|frozen|fresh|honey|juice"
)

_DRINKS: Final = (
    "milk|beer|ale|water|cream|blood|ice cream|stout|lager|cider|guinness|broth|stock|buttermilk|berries|Guinness"
)

MEASURES: Final[tuple[Rule, ...]] = (
    rule(r"[ ]?/[ ]?100[ ]?(g|ml|mL|km|kg|L)(?!\w)", lambda m: f" per hundred {unit_name(m[1], single=False)}"),
    rule(r"(?<![\w.,])(\d{1,2})[kK](?= (?:white |yellow |rose )?gold\b)", lambda m: f"{number(m[1])} karat"),
    rule(r"(?<![\w.,])([1-9]\d{3})K(?=(?: (?:bulbs?|lights?|lamps?|LEDs?|white|daylight|color|colour))|[.,;)]|\Z)",
         lambda m: f"{number(m[1])} kelvin"),
    rule(r"(?<![\w.,])(\d{1,3})[ ]?pt\.?(?= (?:font|type|text|size|Arial|Times|"
         r"Helvetica)\b)", lambda m: f"{number(m[1])} point"),
    rule(rf"(?<![\w.,/])({NUMBER})[ ]?pts?\.?(?= (?:of )?(?:{_DRINKS})\b)",
         lambda m: f"{number(m[1])} pint{'' if m[1] == '1' else 's'}"),
    rule(rf"(?<![\w.,/])({NUMBER})[ ]?pt(?:\.|(?!\w))(?! \d)",
         lambda m: keep_stop(f"{number(m[1])} point{'' if m[1] == '1' or is_adjective(m) else 's'}", m)),
    rule(rf"(?<=\dV[ ,/])({NUMBER})A(?!\w)", lambda m: f"{number(m[1])} ampere{'' if m[1] == '1' else 's'}"),
    rule(rf"(?<=[\d½¼¾⅓⅔])[ ]?c\.?(?= (?:of )?(?:{_FOODS})\b)", _cups),
    rule(r"(?<![\w°])(?<!\d )°([CF])(?![\w])", lambda m: f"degrees{_SCALES[m[1]]}"),
    rule(r"(?<![\w.,/])(\d{2,3})/(\d{2,3})[ ]?mm ?Hg(?!\w)",
         lambda m: f"{number(m[1])} over {number(m[2])} millimeters of mercury"),
    rule(r"(?<![\w.,/])(?P<amount>\d{1,3})[ ]?(?P<unit>bps?)(?!\w)", _basis_points),
    rule(rf"(?<![\w.,/])({NUMBER})[ ]?(pct|pp)\.?(?!\w)",
         lambda m: keep_stop(f"{number(m[1])} {'percent' if m[2] == 'pct' else 'percentage points'}", m)),
    rule(r"(?<![\w.,/-])(\d{1,3})['’]?s(?!\w)", _several),
    rule(rf"(?<![\w.,/])({NUMBER})[ ]?(mg|g|mcg|μg|IU|mEq|mmol)/({NUMBER})[ ]?(mL|ml|L|g|kg|h|hr|dL)(?!\w)", _dose),
    rule(rf"(?<![\w.,])({NUMBER})[ ]?[–-][ ]?({NUMBER})[xX](?!\w)",
         lambda m: f"{number(m[1])} to {number(m[2])} times"),
    rule(rf"{NOT_INSIDE}({NUMBER})[ ]?%?[–-]({NUMBER})[ ]?%", lambda m: f"{number(m[1])} to {number(m[2])} percent"),
    rule(r"(?<![\d.])(\d{1,3})°[ ]?(\d{1,2})['′](?:[ ]?(\d{1,2}(?:\.\d+)?)(?:\"|″|''))?", _arc),
    rule(rf"(?P<minus>(?<![\w)])-)?{NOT_INSIDE}(?P<amount>{NUMBER})[ ]?(?:(?P<sign>[°º])|deg(?:rees|\.)?[ ](?=[CFK]\b))"
         r"[ ]?(?P<scale>[CFKcf])?(?!\w)", _degrees),
    rule(r"(?<![\w.])(\d{1,2})['′][ ]?(\d{1,2})[ ]?([½¼¾])[ ]?(?:[\"″]|'')",
         lambda m: f"{number(m[1])} foot {number(m[2])} and {_PARTS_OF_INCH[m[3]]}"),
    rule(r"(?<![\w.])(\d{1,2})['′](?:[ ]?-)?[ ]?(\d{1,2}(?:\.\d{1,2})?)[\"″]", _height),
    rule(r"(?<![\w.])([4-7])ft(\d|1[01])(?:in(?:ches)?)?(?![\w²]|\.\d)", _height),
    rule(r"(?<![\w.])([1-9])['′] (\d|1[01])(?= (?:tall|in height|and a half)\b)", _height),
    rule(r"(?<![\w.])([1-9])['′](1[01]|\d)(?![\w'′\"]|[.,]\d)", lambda m: f"{number(m[1])} foot {number(m[2])}"),
    rule(r"(?<=\d)[ ]?ft\.?[ ](\d{1,2})[ ]?in(?:\.|(?!\w))", lambda m: keep_stop(f" foot {number(m[1])}", m)),
    rule(rf"(?<![\w.,])({NUMBER})[ ]?({UNIT})/\(({UNIT})\)",
         lambda m: f"{number(m[1])} {unit_name(m[2], single=m[1] == '1')} per {unit_name(m[3], single=True)}"),
    *BEFORE_UNITS,
    rule(rf"(?<![\w.,/])(?P<amount>{NUMBER})-?(?P<mark>[\"″])", _inches),
    rule(rf"(?<![\w.,/])(?P<amount>{NUMBER})(?:′|'(?=[ ]?(?:by|x|×)[ ]?\d|[ ](?:tall|wide|long|high|deep|ladder|"
    rf"ceiling|"
         r"\w+ (?:tall|ladder|ceiling))\b))", _feet),
    rule(rf"(?<=by )(?P<amount>{NUMBER})'(?!\w)", _feet),
    rule(rf"(?<![\w.,/'])(?P<amount>{NUMBER})'(?![\w'])", _bare_feet),
    rule(rf"(?<![\w.,])({NUMBER})[ ]?in(?:(?<! in)(?!\w)|\.(?!\w))",
         lambda m: keep_stop(f"{number(m[1])} {'inch' if m[1] == '1' or is_adjective(m) else 'inches'}", m)),
    rule(rf"(?<![\w.,])(?P<amount>{NUMBER})(?:[ ]?[–-][ ]?(?P<last>{NUMBER}))?(?P<short>[kKmMBbT]|bn|mn|"
    rf"tn)(?![\w'/²³^])",
         _many),
    rule(rf"(?<![\w.,])(?P<amount>{NUMBER})[ ](?P<short>[KM])(?P<last>)(?=[ ](?:users|views|people|downloads|"
    rf"followers))",
         _many),
    rule(rf"(?<![\w.,])(?<!\d/)(?P<amount>{NUMBER})(?:[ ]?[–-][ ]?(?P<last>{NUMBER}))?(?P<joint>[ -]?)"
         rf"(?P<unit>{UNIT})\.?(?![\w'^]|/(?!\d))", _unit),
    rule(r"(?<=[A-Za-z] )(km|kg|kWh|mph|mi|lbs?|oz|m[lL]|mm|cm|m²|km²)(?![\w/.'])", _worded),
    rule(r"(?<=[a-z]{2})/(mL|dL|μL|mm|cm|kg|km|mg|m[²³]|cm[²³])(?!\w)",
         lambda m: f" per {unit_name(m[1], single=True)}"),
    rule(r"(?<![\w/])km/h(?!\w)", "kilometers per hour"),
    rule(r"/(?=(?:second|minute|hour|day|week|month|year|person|kg|unit|token|night|seat|user|piece)(?!\w))", " per "),
    rule(r"/(?P<short>hr|mo|yr|wk|sec|min|kWh|lb|bbl|sq\.? ?ft|gal|oz|L|h|s)(?![\w/])", lambda m: f" per {_PER[m[1]]}"),
    rule(rf"(?<![\w.,])({NUMBER})[xX](?!\w)", lambda m: f"{number(m[1])} times"),
    *FRACTIONS,
    rule(r"(?<![\d.,])(\d{1,3}(?:,\d{3}){1,4}+|\d{1,15})(?:st|nd|rd|th|ª)(?!\w)",
         lambda m: " " + ordinal(int(m[1].replace(",", "")))),
    rule(rf"(?<![\w.,/-])({NUMBER})[–—-]({NUMBER})(?![\w/-])", _range),
)  # fmt: skip
