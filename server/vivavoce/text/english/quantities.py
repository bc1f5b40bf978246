"""Money, percentages, degrees, units, fractions, ordinals and ranges."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import NOT_INSIDE, NUMBER, cardinal, number, ordinal, plural
from vivavoce.text.english.rule import Rule, rule

# symbol -> (one, many, hundredth, hundredths)
_CURRENCIES: Final[dict[str, tuple[str, str, str, str]]] = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "", ""), "￥": ("yen", "yen", "", ""),
    "₩": ("won", "won", "", ""), "₹": ("rupee", "rupees", "paisa", "paise"), "₽": ("ruble", "rubles", "", ""),
    "₿": ("bitcoin", "bitcoins", "", ""), "₺": ("lira", "lira", "", ""), "₫": ("dong", "dong", "", ""),
    "₱": ("peso", "pesos", "", ""), "₴": ("hryvnia", "hryvnias", "", ""),
}  # fmt: skip
_CODES: Final = {"USD": ("U.S. dollar", "U.S. dollars"), "EUR": ("euro", "euros"), "GBP": ("pound", "pounds"),
                 "JPY": ("yen", "yen"), "CNY": ("yuan", "yuan"), "RMB": ("yuan", "yuan"), "KRW": ("won", "won"),
                 "CAD": ("Canadian dollar", "Canadian dollars"), "AUD": ("Australian dollar", "Australian dollars"),
                 "CHF": ("Swiss franc", "Swiss francs"), "INR": ("rupee", "rupees")}  # fmt: skip
_COUNTRIES: Final = {"US": "U.S. ", "CA": "Canadian ", "C": "Canadian ", "AU": "Australian ", "A": "Australian ",
                     "NZ": "New Zealand ", "HK": "Hong Kong ", "S": "Singapore "}  # fmt: skip
_MAGNITUDES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion",
                      "t": "trillion", "tn": "trillion"}  # fmt: skip
_SIGNS: Final = "[" + "".join(_CURRENCIES) + "]"
_MAGNITUDE: Final = (r"(?:[ ]?(?P<word>hundred|thousand|million|billion|trillion)(?!\w)|"
                     r"[ ]?(?P<short>bn|mn|tn|[kKmMbBtT])(?!\w))")  # fmt: skip

# unit -> (one, many); the patterns try the longest first
_UNITS: Final[dict[str, tuple[str, str]]] = {
    "km/h": ("kilometer per hour", "kilometers per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "kmh": ("kilometer per hour", "kilometers per hour"), "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"), "km": ("kilometer", "kilometers"), "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"), "mm": ("millimeter", "millimeters"), "μm": ("micrometer", "micrometers"),
    "nm": ("nanometer", "nanometers"), "mi": ("mile", "miles"), "ft": ("foot", "feet"), "yd": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "L": ("liter", "liters"), "l": ("liter", "liters"), "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"), "gal": ("gallon", "gallons"), "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"), "kcal": ("kilocalorie", "kilocalories"), "kJ": ("kilojoule", "kilojoules"),
    "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"), "KB": ("kilobyte", "kilobytes"), "kB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"),
    "KiB": ("kibibyte", "kibibytes"), "MiB": ("mebibyte", "mebibytes"), "GiB": ("gibibyte", "gibibytes"),
    "KB/s": ("kilobyte per second", "kilobytes per second"), "MB/s": ("megabyte per second", "megabytes per second"),
    "GB/s": ("gigabyte per second", "gigabytes per second"), "Mb/s": ("megabit per second", "megabits per second"),
    "kbps": ("kilobit per second", "kilobits per second"), "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"), "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"), "kWh": ("kilowatt hour", "kilowatt hours"), "V": ("volt", "volts"),
    "mA": ("milliampere", "milliamperes"), "mAh": ("milliampere hour", "milliampere hours"),
    "Ω": ("ohm", "ohms"), "dB": ("decibel", "decibels"), "Pa": ("pascal", "pascals"),
    "hPa": ("hectopascal", "hectopascals"), "ms": ("millisecond", "milliseconds"), "s": ("second", "seconds"),
    "μs": ("microsecond", "microseconds"), "ns": ("nanosecond", "nanoseconds"), "sec": ("second", "seconds"),
    "min": ("minute", "minutes"), "mins": ("minute", "minutes"), "h": ("hour", "hours"), "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"), "px": ("pixel", "pixels"), "fps": ("frame per second", "frames per second"),
    "rpm": ("revolution per minute", "revolutions per minute"), "bpm": ("beat per minute", "beats per minute"),
    "sq ft": ("square foot", "square feet"), "sq m": ("square meter", "square meters"),
}  # fmt: skip
_UNIT: Final = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_VULGAR: Final = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
                  "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8),
                  "⅞": (7, 8)}  # fmt: skip
_SCALES: Final = {"C": " Celsius", "F": " Fahrenheit", "K": " Kelvin", None: ""}


def _money(found: re.Match[str]) -> str:
    parts = found.groupdict()
    one, many, hundredth, hundredths = _CURRENCIES[parts["sign"]]
    country = _COUNTRIES.get(parts.get("country") or "", "")
    amount = parts["amount"]
    magnitude = _magnitude(parts)
    minus = "minus " if parts.get("minus") else ""
    if parts.get("last"):
        return f"{minus}{number(amount)} to {number(parts['last'])}{magnitude} {country}{many}"
    whole, _, part = amount.replace(",", "").partition(".")
    if magnitude or not hundredth or len(part) not in (0, 1, 2):
        name = one if amount == "1" and not magnitude else many
        return f"{minus}{number(amount)}{magnitude} {country}{name}"
    cents = int(part.ljust(2, "0")) if part else 0
    coins = f"{cardinal(cents)} {hundredth if cents == 1 else hundredths}"
    if not int(whole or 0) and cents:
        return minus + coins
    notes = f"{number(whole)} {country}{one if int(whole or 0) == 1 else many}"
    return minus + (f"{notes} and {coins}" if cents else notes)


def _magnitude(parts: dict[str, str | None]) -> str:
    word, short = parts.get("word"), parts.get("short")
    return f" {word}" if word else f" {_MAGNITUDES[short.lower()]}" if short else ""


def _coded(found: re.Match[str]) -> str:
    one, many = _CODES[found["code"]]
    magnitude = _magnitude(found.groupdict())
    return f"{number(found['amount'])}{magnitude} {one if found['amount'] == '1' and not magnitude else many}"


def _range(found: re.Match[str]) -> str:
    return f" {number(found[1])} to {number(found[2])}"


def _unit(found: re.Match[str]) -> str:
    amount, unit, power = found["amount"], found["unit"], found["power"]
    one, many = _UNITS[unit]
    prefix = {"²": "square ", "^2": "square ", "³": "cubic ", "^3": "cubic "}.get(power or "", "")
    last = f" to {number(found['last'])}" if found["last"] else ""
    single = found["joint"] == "-" or (amount == "1" and not last)
    return f" {number(amount)}{last} {prefix}{one if single else many}"


def _degrees(found: re.Match[str]) -> str:
    amount = found["amount"]
    minus = "minus " if found["minus"] else ""
    return f" {minus}{number(amount)} degree{'' if amount == '1' else 's'}{_SCALES[found['scale']]}"


def _fraction_words(above: int, below: int) -> str:
    name = {2: "half", 4: "quarter"}.get(below) or ordinal(below)
    return f"{cardinal(above)} {name if above == 1 else plural(name)}"


def _fraction(found: re.Match[str]) -> str | None:
    whole, above, below = found["whole"], int(found["above"]), int(found["below"])
    if found[0] == "24/7":
        return "twenty-four seven"
    if found[0] == "9/11":
        return "nine eleven"
    if above == below:
        return f"{cardinal(above)} {cardinal(below)}"
    if above > below or not 2 <= below <= 100:
        return f"{number(whole) + ' ' if whole else ''}{cardinal(above)} over {cardinal(below)}"
    words = _fraction_words(above, below)
    return f"{number(whole)} and {'a' + words[3:] if whole and above == 1 else words}" if whole else words


def _vulgar(found: re.Match[str]) -> str:
    above, below = _VULGAR[found["sign"]]
    words = _fraction_words(above, below)
    if not found["whole"]:
        return f" {words}"
    return f" {number(found['whole'])} and {'a' + words[3:] if above == 1 else words}"


MONEY: Final[tuple[Rule, ...]] = (
    rule(rf"(?P<minus>(?<![\w)])-)?(?:(?<![A-Za-z])(?P<country>US|CA|AU|NZ|HK|[ACS])(?=\$))?(?P<sign>{_SIGNS})[ ]?"
         rf"(?P<amount>{NUMBER}|\.\d++)(?:[ ]?[–-][ ]?{_SIGNS}?(?P<last>{NUMBER}))?{_MAGNITUDE}?", _money),
    rule(rf"{NOT_INSIDE}(?P<amount>{NUMBER})[ ]?(?P<sign>[€£¥₩₽₺₫])(?!\w)", _money),
    rule(rf"{NOT_INSIDE}(?P<amount>{NUMBER}){_MAGNITUDE}? (?P<code>{'|'.join(_CODES)})(?!\w)", _coded),
    rule(rf"(?<!\w)(?P<code>{'|'.join(_CODES)}) (?P<amount>{NUMBER}){_MAGNITUDE}?", _coded),
    rule(rf"{NOT_INSIDE}({NUMBER})[ ]?¢", lambda m: f"{number(m[1])} {'cent' if m[1] == '1' else 'cents'}"),
)  # fmt: skip

MEASURES: Final[tuple[Rule, ...]] = (
    rule(r"/(?=(?:second|minute|hour|day|week|month|year|person|kg|unit|token)(?!\w))", " per "),
    rule(r"/(?P<short>hr|mo|yr)(?!\w)", lambda m: {"hr": " per hour", "mo": " per month", "yr": " per year"}[m[1]]),
    rule(rf"{NOT_INSIDE}({NUMBER})[ ]?%?[–-]({NUMBER})[ ]?%", lambda m: f"{number(m[1])} to {number(m[2])} percent"),
    rule(rf"(?P<minus>(?<![\w)])-)?{NOT_INSIDE}(?P<amount>{NUMBER})[ ]?(?:°|º|degrees )[ ]?(?P<scale>[CFK])?(?!\w)",
         _degrees),
    rule(r"(?<![\w.])(\d)'[ ]?(\d{1,2})\"", lambda m: f"{number(m[1])} foot {number(m[2])}"),
    rule(r"(?<=\d)[ ]?ft[ ](\d{1,2})[ ]?in(?:\.|(?!\w))", lambda m: f" foot {number(m[1])}"),
    rule(rf"(?<![\w.,])({NUMBER})in(?!\w)", lambda m: f"{number(m[1])} {'inch' if m[1] == '1' else 'inches'}"),
    rule(rf"(?<![\w.,])(?P<amount>{NUMBER})(?:[–-](?P<last>{NUMBER}))?(?P<joint>[ -]?)(?P<unit>{_UNIT})"
         rf"(?P<power>[²³]|\^[23])?(?![\w²³/'])", _unit),
    rule(rf"(?<![\w.,])({NUMBER})[xX](?!\w)", lambda m: f"{number(m[1])} times"),
    rule(r"(?<![\w.,/])(?:(?P<whole>\d{1,3})[ -])?(?P<above>\d{1,3})/(?P<below>\d{1,3})(?![\w/]|[.,]\d)", _fraction),
    rule(rf"(?:(?<![\d.,])(?P<whole>\d{{1,6}})[ ]?)?(?P<sign>[{''.join(_VULGAR)}])", _vulgar),
    rule(r"(?<![\d.,])(\d{1,3}(?:,\d{3}){1,4}+|\d{1,15})(?:st|nd|rd|th)(?!\w)",
         lambda m: " " + ordinal(int(m[1].replace(",", "")))),
    rule(rf"(?<![\w.,/-])({NUMBER})[–—-]({NUMBER})(?![\w/-])", _range),
)  # fmt: skip
