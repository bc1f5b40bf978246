"""Money: every currency sign, the letters and codes around it, coins, thousands and millions."""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.context import before, describes, is_adjective
from vivavoce.text.english.numerals import NOT_INSIDE, NUMBER, cardinal, number, plural
from vivavoce.text.english.rule import Rule, rule
from vivavoce.text.english.units import UNIT, unit_name

# sign -> (one, many, hundredth, hundredths)
CURRENCIES: Final[dict[str, tuple[str, str, str, str]]] = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "", ""), "￥": ("yen", "yen", "", ""),
    "₩": ("won", "won", "", ""), "₹": ("rupee", "rupees", "paisa", "paise"), "₽": ("ruble", "rubles", "", ""),
    "₿": ("bitcoin", "bitcoins", "", ""), "₺": ("lira", "lira", "", ""), "₫": ("dong", "dong", "", ""),
    "₱": ("peso", "pesos", "", ""), "₴": ("hryvnia", "hryvnias", "", ""), "₦": ("naira", "naira", "", ""),
    "₪": ("shekel", "shekels", "", ""), "₭": ("kip", "kip", "", ""), "₮": ("tugrik", "tugriks", "", ""),
    "₲": ("guarani", "guaranis", "", ""), "₵": ("cedi", "cedis", "", ""), "₸": ("tenge", "tenge", "", ""),
    "₼": ("manat", "manat", "", ""), "₾": ("lari", "lari", "", ""), "₡": ("colon", "colones", "", ""),
    "₢": ("cruzeiro", "cruzeiros", "", ""), "₣": ("franc", "francs", "", ""), "₤": ("lira", "lira", "", ""),
    "₥": ("mill", "mills", "", ""), "₧": ("peseta", "pesetas", "", ""), "₨": ("rupee", "rupees", "", ""),
    "₯": ("drachma", "drachmas", "", ""), "₰": ("pfennig", "pfennigs", "", ""), "₳": ("austral", "australes", "", ""),
    "₶": ("livre", "livres", "", ""), "₠": ("euro", "euros", "", ""), "₻": ("mark", "marks", "", ""),
    "⃀": ("som", "som", "", ""), "฿": ("baht", "baht", "", ""), "៛": ("riel", "riel", "", ""),
    "৳": ("taka", "taka", "", ""), "૱": ("rupee", "rupees", "", ""), "௹": ("rupee", "rupees", "", ""),
    "﷼": ("rial", "rials", "", ""), "؋": ("afghani", "afghanis", "", ""), "֏": ("dram", "drams", "", ""),
    "¤": ("currency unit", "currency units", "", ""),
}  # fmt: skip
# letters of a code or of a country's own short form -> (one, many)
_CODES: Final = {"USD": ("U.S. dollar", "U.S. dollars"), "EUR": ("euro", "euros"), "GBP": ("pound", "pounds"),
                 "JPY": ("yen", "yen"), "CNY": ("yuan", "yuan"), "RMB": ("yuan", "yuan"), "KRW": ("won", "won"),
                 "CAD": ("Canadian dollar", "Canadian dollars"), "AUD": ("Australian dollar", "Australian dollars"),
                 "NZD": ("New Zealand dollar", "New Zealand dollars"), "SGD": ("Singapore dollar", "Singapore dollars"),
                 "HKD": ("Hong Kong dollar", "Hong Kong dollars"), "TWD": ("Taiwan dollar", "Taiwan dollars"),
                 "CHF": ("Swiss franc", "Swiss francs"), "INR": ("rupee", "rupees"), "SEK": ("Swedish krona",
                 "Swedish kronor"), "NOK": ("Norwegian krone", "Norwegian kroner"), "DKK": ("Danish krone",
                 "Danish kroner"), "PLN": ("zloty", "zlotys"), "CZK": ("Czech koruna", "Czech korunas"),
                 "HUF": ("forint", "forints"), "THB": ("baht", "baht"), "MXN": ("Mexican peso", "Mexican pesos"),
                 "BRL": ("real", "reais"), "TRY": ("lira", "lira"), "RUB": ("ruble", "rubles"), "ILS": ("shekel",
                 "shekels"), "ZAR": ("rand", "rand"), "AED": ("dirham", "dirhams"), "SAR": ("riyal", "riyals"),
                 "IDR": ("rupiah", "rupiah"), "MYR": ("ringgit", "ringgit"), "VND": ("dong", "dong"),
                 "NGN": ("naira", "naira"), "KES": ("Kenyan shilling", "Kenyan shillings"), "EGP": ("Egyptian pound",
                 "Egyptian pounds"), "PKR": ("Pakistani rupee", "Pakistani rupees"), "BDT": ("taka", "taka"),
                 "UAH": ("hryvnia", "hryvnias"), "BTC": ("bitcoin", "bitcoins"), "kr": ("krona", "kronor"),
                 "zł": ("zloty", "zlotys"), "Kč": ("koruna", "korunas"), "Rs": ("rupee", "rupees"),
                 "Rp": ("rupiah", "rupiah"), "RM": ("ringgit", "ringgit"),
                 "元": ("yuan", "yuan"), "円": ("yen", "yen"), "원": ("won", "won"),
                 "руб": ("ruble", "rubles"), "Ksh": ("shilling", "shillings"),
                 "KSh": ("shilling", "shillings"), "QAR": ("Qatari riyal", "Qatari riyals"),
                 "KWD": ("Kuwaiti dinar", "Kuwaiti dinars"), "LKR": ("Sri Lankan rupee", "Sri Lankan rupees"),
                 "RON": ("Romanian leu", "Romanian lei"), "BGN": ("Bulgarian lev", "Bulgarian leva"),
                 "ISK": ("Icelandic krona", "Icelandic kronur"), "GHS": ("cedi", "cedis"),
                 "MAD": ("Moroccan dirham", "Moroccan dirhams"), "COP": ("Colombian peso", "Colombian pesos"),
                 "CLP": ("Chilean peso", "Chilean pesos"), "ARS": ("Argentine peso", "Argentine pesos")}  # fmt: skip
_COUNTRIES: Final = {"US": "U.S. ", "CA": "Canadian ", "C": "Canadian ", "AU": "Australian ", "A": "Australian ",
                     "NZ": "New Zealand ", "HK": "Hong Kong ", "S": "Singapore ", "SG": "Singapore ",
                     "NT": "New Taiwan ", "J": "Jamaican ", "TT": "Trinidad ", "BZ": "Belize ", "B": "Bahamian ",
                     "FJ": "Fijian ", "Z": "Zimbabwean ", "BBD": "Barbadian ", "EC": "East Caribbean "}  # fmt: skip
_NO_DOLLARS: Final = {"R": ("real", "reais"), "MX": ("Mexican peso", "Mexican pesos"), "Mex": ("Mexican peso",
                      "Mexican pesos"), "RD": ("Dominican peso", "Dominican pesos"), "AR": ("Argentine peso",
                      "Argentine pesos"), "COL": ("Colombian peso", "Colombian pesos"), "CL": ("Chilean peso",
                      "Chilean pesos"), "CLP": ("Chilean peso", "Chilean pesos"), "UY": ("Uruguayan peso",
                      "Uruguayan pesos"), "MOP": ("pataca", "patacas"), "CN": ("yuan", "yuan")}  # fmt: skip
_MAGNITUDES: Final = {"k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion",
                      "bn": "billion", "t": "trillion", "tn": "trillion"}  # fmt: skip

SIGNS: Final = "[" + "".join(CURRENCIES) + "]"
_MAGNITUDE: Final = (r"(?:[ -]?(?P<word>hundred|thousand|million|billion|trillion|lakh|crore)(?!\w)|"
                     r"[ ]?(?P<short>bn|mn|mm|tn|[kKmMbBtT])(?!\w))")  # fmt: skip
_MINUS: Final = r"(?P<minus>(?:(?<![\w)])-)?)"
_CODE: Final = "|".join(sorted(_CODES, key=len, reverse=True))
_TAIL: Final = r"(?:[ ]?(?P<code>US|USD|CAD|AUD|NZD|SGD|HKD|EUR|GBP|JPY|CNY|MXN)(?!\w))?"


def _money(found: re.Match[str]) -> str:
    parts = found.groupdict()
    one, many, hundredth, hundredths = _currency(parts)
    amount, magnitude = parts["amount"].rstrip(","), _magnitude(parts)
    minus = "minus " if parts.get("minus") or parts.get("inner") else ""
    if is_adjective(found) or _JOINED.match(found.string, found.end()) or _describes_rate(found):
        many, hundredths = one, hundredth
    if parts.get("last"):
        return f" {minus}{number(amount)} to {number(parts['last'])}{magnitude} {many}"
    whole, _, part = amount.replace(",", "").partition(".")
    if magnitude or not hundredth or len(part) not in (0, 1, 2):
        return f" {minus}{number(amount)}{magnitude} {one if amount == '1' and not magnitude else many}"
    cents = int(part.ljust(2, "0")) if part else 0
    coins = f"{cardinal(cents)} {hundredth if cents == 1 else hundredths}"
    if not int(whole or 0) and cents:
        return f" {minus}{coins}"
    notes = f" {minus}{number(whole)} {one if int(whole or 0) == 1 else many}"
    return f"{notes} and {coins}" if cents else notes


_JOINED: Final = re.compile(r"-[a-z]")  # $2bn-a-year
_RATE: Final = re.compile(r"(?:[ ]?/[ ]?| per | an? )(?:hour|hr|day|week|wk|month|mo|year|yr|user|seat|night|"
                          r"person|mile|unit)\.?"
                          r"(?P<noun>[ ][a-z]{3,})(?![\w'])")  # fmt: skip


def _describes_rate(found: re.Match[str]) -> bool:
    """ "$99/month plan": the price of a time describes what has it."""
    rate = _RATE.match(found.string, found.end())
    return rate is not None and describes(found, rate["noun"].strip())


def _currency(parts: dict[str, str | None]) -> tuple[str, str, str, str]:
    """The names of the currency: a sign's own, a country's, or those of letters that change its meaning."""
    one, many, hundredth, hundredths = CURRENCIES[parts["sign"] or "$"]
    letters = parts.get("country") or ""
    if letters in _NO_DOLLARS:
        return (*_NO_DOLLARS[letters], "cent", "cents")
    if code := parts.get("code"):
        return (*_CODES["USD" if code == "US" else code], hundredth, hundredths)
    country = _COUNTRIES.get(letters, f"{' '.join(letters)} " if letters else "")
    return country + one, country + many, hundredth, hundredths


def _magnitude(parts: dict[str, str | None]) -> str:
    word, short = parts.get("word"), parts.get("short")
    return f" {word}" if word else f" {_MAGNITUDES[short.lower()]}" if short else ""


_COINS: Final = {**dict.fromkeys(("USD", "EUR", "CAD", "AUD", "NZD", "SGD", "HKD"), ("cent", "cents")),
                 "GBP": ("penny", "pence")}  # fmt: skip


def _coded(found: re.Match[str]) -> str:
    one, many = _CODES[found["code"]]
    magnitude = _magnitude(found.groupdict())
    single = (found["amount"] == "1" and not magnitude) or is_adjective(found)
    coin = _COINS.get(found["code"])
    notes, _, part = found["amount"].partition(".")
    if coin and len(part) == 2 and not (magnitude or found["last"]):
        cents = f" and {cardinal(int(part))} {coin[int(part) != 1]}" if int(part) else ""
        return f" {'minus ' if found['minus'] else ''}{number(notes)} {one if notes == '1' else many}{cents}"
    minus = "minus " if found["minus"] else ""
    last = f" to {number(found['last'])}" if found["last"] else ""
    return f" {minus}{number(found['amount'])}{last}{magnitude} {one if single else many}"


def _lone_sign(found: re.Match[str]) -> str:
    return f" {CURRENCIES[found[1]][1]} "


def _cents(found: re.Match[str]) -> str:
    return f"{number(found[1])} {'cent' if found[1] == '1' or is_adjective(found) else 'cents'}"


def _price_of(found: re.Match[str]) -> str | None:
    """The unit behind a price: 20 €/m²."""
    return f" per {unit_name(found['unit'], single=True)}" if _PRICE.search(before(found, 24)) else None


_PRICE: Final = re.compile(
    "(?:"
    + "|".join(sorted({word for names in CURRENCIES.values() for word in names[:4] if word}, key=len, reverse=True))
    + r")\Z"
)

MONEY: Final[tuple[Rule, ...]] = (
    rule(r"(?<=\d)/[-=–](?!\w)", ""),  # Rs 250/-
    rule(rf"₹[ ]?({NUMBER})[ ]?(L|"
         rf"[Cc]r)(?!\w)", lambda m: f"{number(m[1])} {'lakh' if m[2] == 'L' else 'crore'} rupees"),
    rule(r"[$£€](\d{1,3})s(?!\w)", lambda m: plural(number(m[1]))),
    rule(r"(?<![A-Za-z])(US|CA|AU|NZ|HK|SG)D?[ ]?(?=\$[ ]?\d)", r"\1"),
    rule(r"(?<=\d)[ ]?US\$(?![\w$])", " USD"),
    rule(rf"{_MINUS}(?:(?<![A-Za-z])(?P<country>[A-Z]{{1,3}}|Mex)(?=\$))?(?P<sign>{SIGNS})[ ]?(?P<inner>-?)[ ]?"
         rf"(?P<amount>{NUMBER}|\.\d++)(?:[ ]?[–-][ ]?{SIGNS}?(?P<last>{NUMBER}))?{_MAGNITUDE}?{_TAIL}", _money),
    rule(rf"{_MINUS}{NOT_INSIDE}(?P<amount>{NUMBER})(?:[ ]?[–-][ ]?(?P<last>{NUMBER}))?{_MAGNITUDE}?[ ]?"
         rf"(?P<sign>(?![$]){SIGNS}|[$](?![\w$]))(?!\w)", _money),
    rule(rf"{_MINUS}{NOT_INSIDE}(?P<amount>{NUMBER})(?:[ ]?[–-][ ]?(?P<last>{NUMBER}))?{_MAGNITUDE}?[ ]?"
         rf"(?P<code>{_CODE})"
         r"(?!\w)", _coded),
    rule(rf"(?<![\w/])(?P<code>{_CODE})\.?[ ]?{_MINUS}(?P<amount>{NUMBER})(?:[ ]?[–-][ ]?(?P<last>{NUMBER}))?"
         rf"{_MAGNITUDE}?", _coded),
    rule(rf"{NOT_INSIDE}({NUMBER})[ ]?¢", _cents),
    rule(r"(?<![\w.,/$-])([1-9]\d?)p(?![\w-])", lambda m: f"{number(m[1])} {'penny' if m[1] == '1' else 'pence'}"),
    rule(rf"(?<=[a-z])[ ]?/[ ]?(?P<unit>{UNIT})(?![\w/])", _price_of),
)  # fmt: skip

LONE_SIGNS: Final[tuple[Rule, ...]] = (rule(rf"({SIGNS})\1*+", _lone_sign),)
