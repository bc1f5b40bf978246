"""Units of measure by their signs: "km", "mg/dL", "m/s^2", "kW·h", "sq ft".

A table of base units with the prefixes they take, and the grammar that joins them. Knows how a unit is said after one
or many; numbers are `measures.py`'s business.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import ordinal

_PREFIXES: Final = {"k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "h": "hecto",
                    "d": "deci", "c": "centi", "m": "milli", "μ": "micro", "u": "micro", "n": "nano", "p": "pico",
                    "Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi"}  # fmt: skip

# sign -> (one, many, prefixes it takes); "-" among the prefixes: not without one (a lone letter is no unit)
_BASES: Final[dict[str, tuple[str, str, str]]] = {
    "m": ("meter", "meters", "k d c m μ u n"), "g": ("gram", "grams", "k m μ u n"),
    "L": ("liter", "liters", "h d c m μ u"), "l": ("liter", "liters", "h d c m μ u"),
    "s": ("second", "seconds", "m μ n p"), "Hz": ("hertz", "hertz", "k K M G T"),
    "W": ("watt", "watts", "k m M G T"), "Wh": ("watt hour", "watt hours", "k M G T"),
    "V": ("volt", "volts", "k m M μ"), "A": ("ampere", "amperes", "- k m μ n"),
    "Ah": ("ampere hour", "ampere hours", "m"), "J": ("joule", "joules", "k M G"),
    "cal": ("calorie", "calories", "k"), "Pa": ("pascal", "pascals", "k h M G"),
    "bar": ("bar", "bars", "m"), "F": ("farad", "farads", "- m μ u n p"), "H": ("henry", "henries", "- m μ n"),
    "Ω": ("ohm", "ohms", "k K M G m"), "bit": ("bit", "bits", "k K M G T"), "B": ("byte", "bytes", "- k K M G T P Ki "
    "Mi Gi Ti"), "b": ("bit", "bits", "- k K M G T"), "bps": ("bit per second", "bits per second", "k K M G T"),
    "eV": ("electron volt", "electron volts", "k M G T"), "mol": ("mole", "moles", "m μ u n"),
    "N": ("newton", "newtons", "k M m"), "Sv": ("sievert", "sieverts", "m μ"), "Bq": ("becquerel", "becquerels",
    "k M G"), "T": ("tesla", "tesla", "- m μ"), "Gy": ("gray", "grays", "m"), "lm": ("lumen", "lumens", ""),
    "lx": ("lux", "lux", ""), "cd": ("candela", "candelas", ""), "K": ("kelvin", "kelvin", "m"),
    "dB": ("decibel", "decibels", ""), "dBA": ("decibel", "decibels", ""), "rad": ("radian", "radians", "m"),
    "px": ("pixel", "pixels", ""), "IU": ("international unit", "international units", ""),
    "VA": ("volt ampere", "volt amperes", "k M"), "Wp": ("watt peak", "watts peak", "k M"),
    "ton": ("ton", "tons", "k M"), "pc": ("parsec", "parsecs", "- k M G"),
}  # fmt: skip

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "ft": ("foot", "feet"), "yd": ("yard", "yards"), "yds": ("yard", "yards"), "mi": ("mile", "miles"),
    "nmi": ("nautical mile", "nautical miles"), "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"), "fl oz": ("fluid ounce", "fluid ounces"), "gal": ("gallon", "gallons"),
    "qt": ("quart", "quarts"), "qts": ("quart", "quarts"), "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"), "Tbsp": ("tablespoon", "tablespoons"), "TBSP": ("tablespoon",
    "tablespoons"), "Tsp": ("teaspoon", "teaspoons"), "tbs": ("tablespoon", "tablespoons"),
    "L/100 km": ("liter per hundred kilometers", "liters per hundred kilometers"), "L/100km": ("liter per hundred "
    "kilometers", "liters per hundred kilometers"), "l/100 km": ("liter per hundred kilometers",
    "liters per hundred kilometers"), "kWh/100 km": ("kilowatt hour per hundred kilometers",
    "kilowatt hours per hundred kilometers"), "cc": ("c.c.", "c.c."),
    "pts": ("point", "points"), "mEq": ("milliequivalent", "milliequivalents"), "ly": ("light-year", "light-years"),
    "inHg": ("inch of mercury", "inches of mercury"), "VAC": ("volt A.C.", "volts A.C."),
    "VDC": ("volt D.C.", "volts D.C."), "bbl": ("barrel", "barrels"), "tsps": ("teaspoon", "teaspoons"),
    "tbsps": ("tablespoon", "tablespoons"), "pcs": ("piece", "pieces"),
    "cu yd": ("cubic yard", "cubic yards"), "cu in": ("cubic inch",
    "cubic inches"), "mcg": ("microgram", "micrograms"),
    "Nm": ("newton meter", "newton meters"),
    "psi": ("P.S.I.", "P.S.I."), "atm": ("atmosphere", "atmospheres"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"), "mm Hg": ("millimeter of mercury",
    "millimeters of mercury"), "ha": ("hectare", "hectares"), "ac": ("acre", "acres"), "hp": ("horsepower",
    "horsepower"), "bhp": ("brake horsepower", "brake horsepower"), "BTU": ("B.T.U.", "B.T.U.s"),
    "sec": ("second", "seconds"), "secs": ("second", "seconds"), "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"), "h": ("hour", "hours"), "hr": ("hour", "hours"), "hrs": ("hour", "hours"),
    "wk": ("week", "weeks"), "wks": ("week", "weeks"), "mo": ("month", "months"), "mos": ("month", "months"),
    "yr": ("year", "years"), "yrs": ("year", "years"), "mph": ("mile per hour", "miles per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"), "kmh": ("kilometer per hour", "kilometers per hour"),
    "kmph": ("kilometer per hour", "kilometers per hour"), "mpg": ("mile per gallon", "miles per gallon"),
    "kn": ("knot", "knots"), "kt": ("knot", "knots"), "kts": ("knot", "knots"),
    "fps": ("frame per second", "frames per second"), "rpm": ("revolution per minute", "revolutions per minute"),
    "RPM": ("revolution per minute", "revolutions per minute"), "bpm": ("beat per minute", "beats per minute"),
    "BPM": ("beat per minute", "beats per minute"), "dpi": ("dot per inch", "dots per inch"),
    "ppi": ("pixel per inch", "pixels per inch"), "ppm": ("part per million", "parts per million"),
    "ppb": ("part per billion", "parts per billion"), "KM": ("kilometer", "kilometers"), "Km": ("kilometer",
    "kilometers"), "KG": ("kilogram", "kilograms"), "Kg": ("kilogram", "kilograms"), "CM": ("centimeter",
    "centimeters"), "MM": ("millimeter", "millimeters"), "GHZ": ("gigahertz", "gigahertz"), "MHZ": ("megahertz",
    "megahertz"), "ghz": ("gigahertz", "gigahertz"), "mhz": ("megahertz", "megahertz"), "khz": ("kilohertz",
    "kilohertz"), "hz": ("hertz", "hertz"), "mb": ("megabyte", "megabytes"), "gb": ("gigabyte", "gigabytes"),
    "tb": ("terabyte", "terabytes"), "kwh": ("kilowatt hour", "kilowatt hours"), "KWH": ("kilowatt hour",
    "kilowatt hours"), "sq ft": ("square foot", "square feet"), "sq m": ("square meter", "square meters"),
    "sq km": ("square kilometer", "square kilometers"), "sq mi": ("square mile", "square miles"),
    "sq in": ("square inch", "square inches"), "sqft": ("square foot", "square feet"), "cu ft": ("cubic foot",
    "cubic feet"), "cu m": ("cubic meter", "cubic meters"), "deg": ("degree", "degrees"), "deg C": ("degree Celsius",
    "degrees Celsius"), "deg F": ("degree Fahrenheit", "degrees Fahrenheit"), "ml": ("milliliter", "milliliters"),
    "°C": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
}  # fmt: skip


def _table() -> dict[str, tuple[str, str]]:
    table = dict(_WORDS)
    for sign, (one, many, prefixes) in _BASES.items():
        known = prefixes.split()
        if "-" not in known:
            table[sign] = (one, many)
        for prefix in known:
            if prefix == "-":
                continue
            head = _PREFIXES[prefix]
            head = head[:-1] if one[0] == "o" and head[-1] in "oa" else head  # a kilohm
            table[prefix + sign] = (head + one, head + many)
    return table


UNITS: Final = _table()
# Only as a part of another unit: alone they are more often a name, a grade or an address.
_PARTS: Final[dict[str, tuple[str, str]]] = {"A": ("ampere", "amperes"), "B": ("byte", "bytes"), "b": ("bit", "bits"),
    "d": ("day", "days"), "day": ("day", "days"), "in": ("inch", "inches"), "C": ("coulomb", "coulombs"),
    "F": ("farad", "farads"), "T": ("tesla", "tesla"), "t": ("ton", "tons"), "y": ("year", "years"),
    "person": ("person", "people"), "week": ("week", "weeks"), "month": ("month", "months"),
    "year": ("year", "years"), "hour": ("hour", "hours"), "minute": ("minute", "minutes"),
    "second": ("second", "seconds")}  # fmt: skip


def _spelled(signs: list[str]) -> str:
    """A pattern for the signs, longest first; the words of "sq ft" may carry stops."""
    return "|".join(re.escape(sign).replace(r"\ ", r"\.?[ ]") for sign in sorted(signs, key=len, reverse=True))


_POWER: Final = r"(?:\^?-?[1-4](?!\d|[.,]\d))?"
_ONE: Final = rf"(?:{_spelled([*UNITS])})"
_ANY: Final = rf"(?:{_spelled([*UNITS, *_PARTS])})"
UNIT: Final = (rf"(?:{_ONE}{_POWER}(?:[·⋅*]{_ANY}{_POWER}(?![A-Za-z]))*+"
               rf"(?:[ ]{_ANY}\^?-[1-4](?![\d.]))*+"
               rf"(?:[ ]?/[ ]?{_ANY}{_POWER}(?![A-Za-z]))*+(?:/[a-z]{{3,14}}(?![\w/]))?)")  # fmt: skip
_TOKEN: Final = re.compile(
    rf"(?P<joint>[·⋅*/]?)[ ]?(?P<unit>{_ANY}|[a-z]{{3,14}})(?P<power>\^?-?[1-4])?(?![A-Za-z])[ ]?"
)
_PER_POWERS: Final = {2: "squared", 3: "cubed"}


def unit_name(sign: str, *, single: bool) -> str:
    """A unit as it is said behind a number: "meters per second squared"."""
    above: list[tuple[str, str, int]] = []
    below: list[tuple[str, str, int]] = []
    for token in _TOKEN.finditer(sign):
        written = re.sub(r"\.?[ ]", " ", token["unit"])
        one, many = UNITS.get(written) or _PARTS.get(written) or (written, written)
        power = int((token["power"] or "1").lstrip("^"))
        if token["joint"] == "/" or (power < 0 and above):
            below.append((one, many, abs(power)))
        else:
            above.append((one, many, power))
    words = " ".join(
        [_powered(one, one, power) for one, _, power in above[:-1]]
        + [_powered(one if single else many, one, power) for one, many, power in above[-1:]]
    )
    return words + "".join(f" per {_powered(one, one, power)}" for one, _, power in below)


def _powered(name: str, one: str, power: int) -> str:
    if power == 1:
        return name
    if power == -1:
        return f"per {one}"
    if power < 0:
        return f"per {_powered(one, one, -power)}"
    if one.endswith(("meter", "foot", "inch", "mile", "yard")) and power in (2, 3):
        return f"{'square' if power == 2 else 'cubic'} {name}"
    return f"{name} {_PER_POWERS.get(power) or 'to the ' + ordinal(power)}"
